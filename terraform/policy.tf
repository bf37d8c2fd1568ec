# The policy: a layer beside the functions' code, and its digest in their environment, so that a plan shows a change of the
# policy and a new policy starts fresh containers.
locals {
  bundle = var.enabled ? jsondecode(file("${var.policy_bundle}/policy.json")) : null
  policy = {
    digest       = try(local.bundle.digest, null)
    layer_sha256 = try(local.bundle.layer_sha256, null)
    zip          = "${var.policy_bundle}/policy.zip"
    channels = {
      for channel, addresses in try(local.bundle.channels, {}) : channel => {
        # A channel's name may hold a dot or a slash and a topic's may not. With the sum, no two channels get one topic.
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
  # Earlier versions stay: with them an earlier policy can be seen, and containers that run on have theirs.
  skip_destroy             = true
  compatible_runtimes      = ["provided.al2023"]
  compatible_architectures = ["x86_64", "arm64"]

  lifecycle {
    precondition {
      condition     = filesha256(local.policy.zip) == local.policy.layer_sha256
      error_message = <<-TEXT
        ${var.policy_bundle}/policy.zip and ${var.policy_bundle}/policy.json do not belong together: policy.json was written for a policy.zip of other content. Applied so, every function would refuse its policy, and nothing would be approved.
        Write both anew, in one go: countersign bundle --policy policies -o ${var.policy_bundle}
      TEXT
    }
  }
}
