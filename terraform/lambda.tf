# The three functions. Their code is prebuilt; applying builds nothing.
locals {
  environment = {
    COUNTERSIGN_NAME           = var.name
    COUNTERSIGN_TABLE          = var.name
    COUNTERSIGN_POLICY         = "/opt/countersign/policy.json"
    COUNTERSIGN_POLICY_DIGEST  = local.policy.digest
    COUNTERSIGN_TOPICS         = jsonencode(local.arn.topic)
    COUNTERSIGN_GITHUB_URL     = var.github.url
    COUNTERSIGN_GITHUB_SECRET  = local.secret.github
    COUNTERSIGN_RETENTION_DAYS = tostring(var.table.retention_days)
    COUNTERSIGN_LOG            = var.logs.level
  }
  own_environment = {
    gate    = {}
    webhook = { COUNTERSIGN_WEBHOOK_SECRET = local.secret.webhook }
    sweep   = {}
  }
}

resource "aws_lambda_function" "this" {
  for_each = local.functions

  function_name = each.value.name
  description = {
    gate    = "countersign: the steps of the gate's state machine"
    webhook = "countersign: receives GitHub's deliveries"
    sweep   = "countersign: reminds, escalates and recovers, every minute"
  }[each.key]
  role = aws_iam_role.function[each.key].arn

  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.package.architecture]
  filename         = "${var.package.folder}/${each.key}.zip"
  source_code_hash = filebase64sha256("${var.package.folder}/${each.key}.zip")
  layers           = [aws_lambda_layer_version.policy[0].arn]

  memory_size                    = each.value.memory_mb
  timeout                        = each.value.timeout_seconds
  reserved_concurrent_executions = each.value.concurrency == null ? -1 : each.value.concurrency
  kms_key_arn                    = var.kms_key_arn

  environment {
    variables = merge(local.environment, local.own_environment[each.key])
  }

  # Only the sweep is invoked asynchronously.
  dynamic "dead_letter_config" {
    for_each = each.key == "sweep" ? [aws_sqs_queue.undelivered["sweep"].arn] : []
    content {
      target_arn = dead_letter_config.value
    }
  }

  tags = var.tags

  lifecycle {
    # The other variables take less than a quarter. Some, the secrets' ARNs, are known only during the apply.
    precondition {
      condition     = length(jsonencode(local.arn.topic)) <= 3072
      error_message = "The topic ARNs of ${length(local.arn.topic)} channels are too long for the functions' environment. Lambda allows 4,096 bytes, of which 3,072 are for topics. Use fewer channels (one channel can have many subscribers) or shorter channel names."
    }
  }

  # Without its permissions a function's first calls fail. Without its log group Lambda creates one that never expires.
  depends_on = [aws_iam_role_policy.function, aws_cloudwatch_log_group.function]
}
