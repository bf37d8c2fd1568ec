# The policy is a layer beside the functions' code. Its digest is in their environment, so a plan shows a changed policy, and
# a changed policy starts new containers.
locals {
  bundle = var.enabled ? jsondecode(file("${var.policy_bundle}/policy.json")) : null
  policy = {
    digest       = try(local.bundle.digest, null)
    layer_sha256 = try(local.bundle.layer_sha256, null)
    zip          = "${var.policy_bundle}/policy.zip"
    channels = {
      for channel, addresses in try(local.bundle.channels, {}) : channel => {
        # Channel names may contain dots and slashes, topic names may not. The checksum keeps the topic names distinct.
        topic = can(regex("^[A-Za-z0-9_-]+$", channel)) ? "${var.name}-${channel}" : join("-", [
          var.name, replace(channel, "/[^A-Za-z0-9_-]/", "-"), substr(sha256(channel), 0, 8),
        ])
        email = try(addresses.email, [])
        https = try(addresses.https, [])
      }
    }
  }
}

resource "aws_lambda_layer_version" "policy" {
  count = local.made

  layer_name       = "${var.name}-policy"
  description      = "countersign policy ${local.policy.digest}"
  filename         = local.policy.zip
  source_code_hash = filebase64sha256(local.policy.zip)
  # Earlier versions stay, to look up an earlier policy, and for containers that still run with it.
  skip_destroy             = true
  compatible_runtimes      = ["provided.al2023"]
  compatible_architectures = ["x86_64", "arm64"]

  lifecycle {
    precondition {
      condition     = filesha256(local.policy.zip) == local.policy.layer_sha256
      error_message = <<-TEXT
        ${var.policy_bundle}/policy.zip and ${var.policy_bundle}/policy.json do not belong together: policy.json was written for another policy.zip. With these files every function would refuse its policy, and nothing would be approved.
        Write both again: countersign bundle --policy policies -o ${var.policy_bundle}
      TEXT
    }
  }
}
