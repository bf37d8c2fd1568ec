output "gate" {
  description = "The state machine that pipelines start."
  value = {
    state_machine_arn  = one(aws_sfn_state_machine.gate[*].arn)
    state_machine_name = one(aws_sfn_state_machine.gate[*].name)
    log_group          = one(aws_cloudwatch_log_group.state_machine[*].name)
  }
}

output "caller" {
  description = "What a pipeline needs to call the gate: `iam_policy`, the policy for its role, and `state`, the step in Amazon States Language. Both are JSON texts."
  value = {
    iam_policy = var.enabled ? local.caller_policy : null
    state      = var.enabled ? local.caller_state : null
  }
}

output "webhook" {
  description = "The URL to which GitHub sends its deliveries."
  value = {
    url = one([for endpoint in aws_apigatewayv2_api.webhook[*].api_endpoint : "${endpoint}${split(" ", local.route)[1]}"])
  }
}

output "secrets" {
  description = "ARNs of the secrets that the functions read. A secret created by the module is empty until you fill it."
  value       = { github_arn = local.secret.github, webhook_arn = local.secret.webhook }
}

output "functions" {
  description = "The functions and their roles."
  value = {
    for function, made in aws_lambda_function.this :
    function => { name = made.function_name, arn = made.arn, role_arn = aws_iam_role.function[function].arn }
  }
}

output "policy" {
  description = "The policy in force, and the layer that holds it."
  value = {
    digest    = local.policy.digest
    layer_arn = one(aws_lambda_layer_version.policy[*].arn)
  }
}

output "notifications" {
  description = "`topics`: the topic of each channel, for subscribers that are not in the policy. `undelivered`: the queues of undelivered messages."
  value = {
    topics      = { for channel, topic in aws_sns_topic.channel : channel => topic.arn }
    undelivered = { for queue, made in aws_sqs_queue.undelivered : queue => made.url }
  }
}

output "table" {
  description = "The table of approval requests, deliveries and audit records."
  value       = { name = one(aws_dynamodb_table.this[*].name), arn = one(aws_dynamodb_table.this[*].arn) }
}

output "monitoring" {
  description = "The names of the alarms and of the dashboard."
  value = {
    alarms = sort([
      for alarm in concat(
        values(aws_cloudwatch_metric_alarm.function), values(aws_cloudwatch_metric_alarm.own),
        values(aws_cloudwatch_metric_alarm.undelivered), values(aws_cloudwatch_metric_alarm.service),
      ) : alarm.alarm_name
    ])
    dashboard = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
  }
}
