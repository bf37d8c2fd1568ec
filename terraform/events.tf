# What invokes the sweep: the clock, and executions of the gate that failed, timed out or were stopped.
locals {
  rules = var.enabled ? {
    sweep = {
      description = "countersign: run the sweep every minute"
      schedule    = "rate(1 minute)"
      pattern     = null
    }
    ended = {
      description = "countersign: close the open request of an execution that failed, timed out or was stopped"
      schedule    = null
      pattern = jsonencode({
        source      = ["aws.states"]
        detail-type = ["Step Functions Execution Status Change"]
        detail = {
          stateMachineArn = [local.arn.state_machine]
          status          = ["FAILED", "TIMED_OUT", "ABORTED"]
        }
      })
    }
  } : {}
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.rules

  name                = "${var.name}-${each.key}"
  description         = each.value.description
  schedule_expression = each.value.schedule
  event_pattern       = each.value.pattern
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "sweep" {
  for_each = local.rules

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "sweep"
  arn       = aws_lambda_function.this["sweep"].arn

  dead_letter_config {
    arn = aws_sqs_queue.undelivered["sweep"].arn
  }

  # The clock calls again a minute later. The end of an execution is reported once.
  retry_policy {
    maximum_event_age_in_seconds = each.key == "sweep" ? 60 : 3600
    maximum_retry_attempts       = each.key == "sweep" ? 0 : 20
  }

  depends_on = [aws_sqs_queue_policy.undelivered]
}

resource "aws_lambda_permission" "sweep" {
  for_each = local.rules

  statement_id  = "rule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["sweep"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this[each.key].arn
}
