# Log groups. The module creates them so that they have a retention time.
resource "aws_cloudwatch_log_group" "function" {
  for_each = local.functions

  name              = "/aws/lambda/${each.value.name}"
  retention_in_days = var.logs.retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_log_group" "state_machine" {
  count = local.made

  # With this prefix Step Functions needs no entry in the account's resource policy, whose length is limited.
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.logs.retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_log_group" "api" {
  count = local.made

  name              = "/aws/vendedlogs/http-api/${var.name}"
  retention_in_days = var.logs.retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}
