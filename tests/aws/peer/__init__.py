"""The offline AWS peer: moto, patched so that what the gate depends on behaves as AWS documents it.

Each module has one purpose. Everything listens on loopback only and sends nothing elsewhere.
"""

ACCOUNT = "123456789012"
REGION = "eu-west-1"
