#!/usr/bin/env bash
# Installs this version of Terraform, verifies its published checksum, and prints the folder. For the workflows, on Linux
# x86_64. Needs curl and unzip.
#
#   tests/tools/terraform.sh VERSION FOLDER >> "$GITHUB_PATH"
set -euo pipefail

version="$1" folder="$2"
zip="terraform_${version}_linux_amd64.zip" sums="terraform_${version}_SHA256SUMS"
from="https://releases.hashicorp.com/terraform/$version"

mkdir -p "$folder/bin"
cd "$folder"
curl --fail --silent --show-error --location --remote-name-all "$from/$zip" "$from/$sums"
grep " $zip\$" "$sums" | sha256sum --check --strict >&2
unzip -q "$zip" terraform -d bin
echo "$PWD/bin"
