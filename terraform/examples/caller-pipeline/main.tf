# A pipeline that starts the gate as a nested execution before it deploys. It deploys the target and the revision that the
# gate's output names, never those of its own input, because the input contains whatever the caller wrote.
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
  description = "Region of the gate and the pipeline."
  type        = string
  default     = "eu-central-1"
}

variable "name" {
  description = "Name of the pipeline."
  type        = string
  default     = "checkout-pipeline"
}

variable "caller" {
  description = "The `caller` output of the countersign module: module.countersign.caller in the same configuration, otherwise read from its state."
  type = object({
    iam_policy = string
    state      = string
  })
}

locals {
  definition = {
    Comment = "Gets an approval from the gate, then deploys."
    StartAt = "Approval"
    States = {
      Approval = jsondecode(var.caller.state)
      # Replace this with your own step. It receives what was approved.
      Deploy = {
        Type = "Pass"
        Parameters = {
          "deployed" = {
            "service.$"     = "$.gate.target.service"
            "environment.$" = "$.gate.target.environment"
            "revision.$"    = "$.gate.revision"
          }
          "request_id.$" = "$.gate.request_id"
        }
        End = true
      }
    }
  }
}

resource "aws_sfn_state_machine" "pipeline" {
  name       = var.name
  role_arn   = aws_iam_role.pipeline.arn
  definition = jsonencode(local.definition)

  depends_on = [aws_iam_role_policy.gate]
}

resource "aws_iam_role" "pipeline" {
  name = "${var.name}-pipeline"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "gate" {
  name   = "call-the-gate"
  role   = aws_iam_role.pipeline.name
  policy = var.caller.iam_policy
}

output "pipeline" {
  description = "The pipeline."
  value       = { state_machine_arn = aws_sfn_state_machine.pipeline.arn }
}
