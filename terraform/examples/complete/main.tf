# A gate with its own KMS key, alarms that reach someone, sizes, limits and tags.
locals {
  tags = { service = "countersign", owner = "platform" }
}

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

module "countersign" {
  source = "../.."

  name          = var.name
  package       = { folder = var.package, architecture = var.architecture }
  policy_bundle = var.policy_bundle
  github        = { url = var.github_url }

  functions = {
    gate    = { memory_mb = 256, timeout_seconds = 60 }
    webhook = { memory_mb = 256, timeout_seconds = 15 }
    sweep   = { memory_mb = 512, timeout_seconds = 120 }
  }
  webhook = { rate = 20, burst = 50 }
  table = {
    deletion_protection    = var.deletion_protection
    point_in_time_recovery = true
    retention_days         = 730
  }
  logs = { level = "info", retention_days = 30 }
  alarms = {
    actions                = [aws_sns_topic.platform.arn]
    oldest_pending_seconds = 28800
  }

  kms_key_arn = aws_kms_key.countersign.arn
  tags        = local.tags
}

# Alarms about the gate itself go here. Subscribe your on-call.
resource "aws_sns_topic" "platform" {
  name              = "${var.name}-platform-alarms"
  kms_master_key_id = aws_kms_key.countersign.arn
  tags              = local.tags
}

resource "aws_kms_key" "countersign" {
  description             = "countersign: requests, records, logs and notifications"
  deletion_window_in_days = 7
  enable_key_rotation     = true
  tags                    = local.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "IamDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${data.aws_region.this.id}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}:log-group:*"
          }
        }
      },
      # AWS services put undelivered messages into queues and send the alarms.
      {
        Sid       = "AwsItself"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"] }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
      },
    ]
  })
}
