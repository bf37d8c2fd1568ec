# Alarms, dashboard, logs.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package       = { folder = "tests/fixtures/release" }
  policy_bundle = "tests/fixtures/channels"
}

run "alarms_and_dashboard" {
  command = plan
  assert {
    condition = output.monitoring.alarms == tolist([
      "countersign-deliveries-failed", "countersign-deliveries-throttled",
      "countersign-executions-throttled", "countersign-executions-timed-out",
      "countersign-gate-errors", "countersign-gate-throttles", "countersign-github-calls-left", "countersign-github-points-left",
      "countersign-notifications-undelivered", "countersign-oldest-pending", "countersign-rejected-signatures",
      "countersign-sweep-errors", "countersign-sweep-silent", "countersign-sweep-throttles", "countersign-sweep-undelivered",
      "countersign-unsent-callbacks", "countersign-webhook-errors", "countersign-webhook-throttles",
    ])
    error_message = "docs/aws.md must list the same alarms: update it too"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.own : alarm.namespace == "Countersign" && alarm.dimensions == tomap({ Name = "countersign" })])
    error_message = "an alarm must watch the metrics of this installation"
  }
  assert {
    condition     = [for key, alarm in aws_cloudwatch_metric_alarm.own : key if alarm.treat_missing_data == "breaching"] == ["sweep-silent"]
    error_message = "missing data may raise the alarm of the sweep only"
  }
  assert {
    condition     = [for key, alarm in aws_cloudwatch_metric_alarm.own : key if alarm.comparison_operator == "LessThanOrEqualToThreshold"] == ["github-calls-left", "github-points-left", "sweep-silent"]
    error_message = "only what runs out may raise an alarm when it is low"
  }
  assert {
    condition     = jsondecode(aws_apigatewayv2_stage.webhook[0].access_log_settings[0].format).name == "countersign" && aws_cloudwatch_log_metric_filter.throttled[0].pattern == "{ $.status = \"429\" }"
    error_message = "the alarm of throttled deliveries counts the lines of this installation with status 429"
  }
  assert {
    condition     = alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : length(widget.properties.metrics) > 0 && alltrue([for line in widget.properties.metrics : length(line) >= 4])])
    error_message = "a graph has no line, or a line without a dimension"
  }
}

run "alarm_actions_thresholds_and_log_retention" {
  command = plan
  variables {
    alarms = {
      actions                 = ["arn:aws:sns:eu-central-1:123456789012:oncall"]
      oldest_pending_seconds  = 3600
      unsent_callback_seconds = 120
      rejected_signatures     = 3
      github_left             = 500
    }
    logs      = { level = "debug", retention_days = 30 }
    dashboard = false
  }

  assert {
    condition = alltrue([for alarm in concat(
      values(aws_cloudwatch_metric_alarm.own), values(aws_cloudwatch_metric_alarm.function), values(aws_cloudwatch_metric_alarm.undelivered),
      values(aws_cloudwatch_metric_alarm.service),
    ) : alarm.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:oncall"]) && alarm.ok_actions == alarm.alarm_actions])
    error_message = "an alarm has no action"
  }
  assert {
    condition     = [for key in ["oldest-pending", "unsent-callbacks", "rejected-signatures", "github-calls-left", "github-points-left"] : aws_cloudwatch_metric_alarm.own[key].threshold] == [3600, 120, 3, 500, 500]
    error_message = "the thresholds must be those given"
  }
  assert {
    condition     = alltrue([for group in concat(values(aws_cloudwatch_log_group.function), aws_cloudwatch_log_group.api, aws_cloudwatch_log_group.state_machine) : group.retention_in_days == 30])
    error_message = "a log group has another retention"
  }
  assert {
    condition     = aws_lambda_function.this["sweep"].environment[0].variables.COUNTERSIGN_LOG == "debug"
    error_message = "the functions must have the log level"
  }
  assert {
    condition     = length(aws_cloudwatch_dashboard.this) == 0 && output.monitoring.dashboard == null
    error_message = "there may be no dashboard"
  }
}
