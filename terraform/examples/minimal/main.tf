# The smallest installation. Before you apply it, unpack a release into `release`, and run:
#   countersign bundle --policy policies -o bundle
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.95, < 7.0"
    }
  }
}

variable "region" {
  description = "Region of the gate."
  type        = string
  default     = "eu-central-1"
}

module "countersign" {
  source = "../.."

  package       = { folder = "release" }
  policy_bundle = "bundle"
}

output "webhook_url" {
  description = "The webhook URL for the GitHub App."
  value       = module.countersign.webhook.url
}

output "state_machine_arn" {
  description = "The state machine that pipelines start."
  value       = module.countersign.gate.state_machine_arn
}

output "caller" {
  description = "What a pipeline needs to call the gate: the policy for its role, and the step."
  value       = module.countersign.caller
}

output "policy" {
  description = "The policy in force."
  value       = module.countersign.policy
}
