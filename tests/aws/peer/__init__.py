"""The offline AWS peer: moto as the AWS API, with what the gate rests on made as AWS documents it.

One module, one purpose. Everything listens on loopback only, and posts nowhere else.
"""

ACCOUNT = "123456789012"
REGION = "eu-west-1"
