# The least that makes a gate. Before it is applied: a release unpacked into `release`, and
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
  description = "Where the gate is."
  type        = string
  default     = "eu-central-1"
}

module "countersign" {
  source = "../.."

  package       = { folder = "release" }
  policy_bundle = "bundle"
}

output "webhook_url" {
  description = "For the GitHub App."
  value       = module.countersign.webhook.url
}

output "state_machine_arn" {
  description = "For pipelines."
  value       = module.countersign.gate.state_machine_arn
}

output "caller" {
  description = "What a pipeline needs: the rights of its role, and the step."
  value       = module.countersign.caller
}

output "policy" {
  description = "The policy that is in force."
  value       = module.countersign.policy
}
