# The alarms. docs/aws.md explains what each means and what to do.
locals {
  metrics = "Countersign"

  alarms_when_low = ["sweep-silent", "github-calls-left", "github-points-left"]

  # From AWS's own metrics of each function.
  function_alarms = {
    for alarm in flatten([
      for function, settings in local.functions : [
        {
          key         = "${function}-errors"
          description = "the ${function} function failed"
          metric      = "Errors"
          name        = settings.name
          # The state machine retries, and the next sweep comes a minute later. Only repeated failures matter.
          periods = function == "sweep" ? 5 : 3
        },
        {
          key         = "${function}-throttles"
          description = "calls of the ${function} function were throttled"
          metric      = "Throttles"
          name        = settings.name
          periods     = 3
        },
      ]
    ]) : alarm.key => alarm
  }

  # From metrics that the functions emit.
  own_alarms = var.enabled ? {
    unsent-callbacks = {
      description = "an execution has not received its answer for ${var.alarms.unsent_callback_seconds} seconds"
      metric      = "OldestUnsentCallback"
      statistic   = "Maximum"
      threshold   = var.alarms.unsent_callback_seconds
      period      = 60
      periods     = 3
      missing     = "notBreaching"
    }
    oldest-pending = {
      description = "a request has been waiting for people for ${var.alarms.oldest_pending_seconds} seconds"
      metric      = "OldestPending"
      statistic   = "Maximum"
      threshold   = var.alarms.oldest_pending_seconds
      period      = 300
      periods     = 1
      missing     = "notBreaching"
    }
    rejected-signatures = {
      description = "at least ${var.alarms.rejected_signatures} deliveries in five minutes were not signed with the webhook secret"
      metric      = "DeliveriesRejected"
      statistic   = "Sum"
      threshold   = var.alarms.rejected_signatures
      period      = 300
      periods     = 1
      missing     = "notBreaching"
    }
    # GitHub counts calls of its REST interface and points of its GraphQL interface apart, for each hour.
    github-calls-left = {
      description = "GitHub allows only ${var.alarms.github_left} more calls until it counts anew"
      metric      = "GitHubCallsLeft"
      statistic   = "Minimum"
      threshold   = var.alarms.github_left
      period      = 300
      periods     = 1
      missing     = "notBreaching"
    }
    github-points-left = {
      description = "GitHub allows only ${var.alarms.github_left} more points of GraphQL until it counts anew"
      metric      = "GitHubPointsLeft"
      statistic   = "Minimum"
      threshold   = var.alarms.github_left
      period      = 300
      periods     = 1
      missing     = "notBreaching"
    }
    # From the access log: AWS's own metric counts every answer of 4xx.
    deliveries-throttled = {
      description = "requests to the webhook were over the limit of ${var.webhook.rate} per second and got status 429"
      metric      = "DeliveriesThrottled"
      statistic   = "Sum"
      threshold   = 1
      period      = 300
      periods     = 1
      missing     = "notBreaching"
    }
    # The sweep reports every minute. Without it nothing is reminded, escalated or recovered.
    sweep-silent = {
      description = "the sweep has not reported for five minutes: nothing is reminded, escalated or recovered"
      metric      = "OldestPending"
      statistic   = "SampleCount"
      threshold   = 0
      period      = 300
      periods     = 1
      missing     = "breaching"
    }
  } : {}
}

resource "aws_cloudwatch_metric_alarm" "function" {
  for_each = local.function_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "countersign: ${each.value.description}"
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = each.value.name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.actions
  ok_actions          = var.alarms.actions
  tags                = var.tags
}

resource "aws_cloudwatch_metric_alarm" "own" {
  for_each = local.own_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "countersign: ${each.value.description}"
  namespace           = local.metrics
  metric_name         = each.value.metric
  dimensions          = { Name = var.name }
  statistic           = each.value.statistic
  comparison_operator = contains(local.alarms_when_low, each.key) ? "LessThanOrEqualToThreshold" : "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = var.alarms.actions
  ok_actions          = var.alarms.actions
  tags                = var.tags
}

resource "aws_cloudwatch_log_metric_filter" "throttled" {
  count = local.made

  name           = "${var.name}-deliveries-throttled"
  log_group_name = aws_cloudwatch_log_group.api[0].name
  pattern        = "{ $.status = \"429\" }"

  metric_transformation {
    namespace  = local.metrics
    name       = "DeliveriesThrottled"
    value      = "1"
    dimensions = { Name = "$.name" }
  }
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  for_each = local.queues

  alarm_name          = "${var.name}-${each.key}-undelivered"
  alarm_description   = "countersign: ${each.key == "sweep" ? "calls of the sweep" : "notifications"} could not be delivered and are in the queue ${var.name}-${each.key}-undelivered"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = "${var.name}-${each.key}-undelivered" }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.actions
  ok_actions          = var.alarms.actions
  tags                = var.tags
}

# From metrics of the services around the functions. If a delivery cannot be processed, the function answers 503 without
# failing itself: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html. How an execution ends
# is decided by people or the policy, so it raises no alarm.
resource "aws_cloudwatch_metric_alarm" "service" {
  for_each = var.enabled ? {
    deliveries-failed = {
      description = "at least three deliveries in five minutes could not be processed and were answered with an error"
      namespace   = "AWS/ApiGateway"
      metric      = "5xx"
      dimensions  = { ApiId = aws_apigatewayv2_api.webhook[0].id }
      threshold   = 3
    }
    executions-throttled = {
      description = "steps of the gate's executions were throttled"
      namespace   = "AWS/States"
      metric      = "ExecutionThrottled"
      dimensions  = { StateMachineArn = local.arn.state_machine }
      threshold   = 1
    }
    executions-timed-out = {
      description = "executions of the gate reached Step Functions' limit of one year"
      namespace   = "AWS/States"
      metric      = "ExecutionsTimedOut"
      dimensions  = { StateMachineArn = local.arn.state_machine }
      threshold   = 1
    }
  } : {}

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "countersign: ${each.value.description}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarms.actions
  ok_actions          = var.alarms.actions
  tags                = var.tags
}
