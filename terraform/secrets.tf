# The secrets for the GitHub App's key and the webhook secret, created empty. You fill them by hand or with
# `countersign github setup --store`. Their values are neither in Terraform's state nor in an environment variable.
locals {
  given_secrets = { github = var.github.secret_arn, webhook = var.github.webhook_secret_arn }

  secret = {
    for secret, arn in local.given_secrets :
    secret => arn != null ? arn : one([for name, made in aws_secretsmanager_secret.this : made.arn if name == secret])
  }
}

resource "aws_secretsmanager_secret" "this" {
  for_each = toset([for secret, arn in local.given_secrets : secret if arn == null && var.enabled])

  name = "${var.name}/${each.key}"
  description = {
    github  = "countersign: the GitHub App, as {\"app_id\", \"private_key\"}"
    webhook = "countersign: the webhook secret, as {\"current\", \"previous\"}"
  }[each.key]
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.table.deletion_protection ? 30 : 0
  tags                    = var.tags
}
