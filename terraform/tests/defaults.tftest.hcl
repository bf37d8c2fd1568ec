# The module with only its two required inputs.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package       = { folder = "tests/fixtures/release" }
  policy_bundle = "tests/fixtures/channels"
}

# The only run that applies, because some values are known only after an apply. All other runs are plans, which are faster.
run "resources_by_default" {
  assert {
    condition     = toset(keys(aws_lambda_function.this)) == toset(["gate", "webhook", "sweep"])
    error_message = "there must be three functions"
  }
  assert {
    condition     = alltrue([for made in aws_lambda_function.this : made.runtime == "provided.al2023" && made.architectures == tolist(["x86_64"])])
    error_message = "the functions must run prebuilt x86-64 code"
  }
  assert {
    condition     = alltrue([for made in aws_lambda_function.this : made.environment[0].variables.COUNTERSIGN_POLICY_DIGEST == jsondecode(file("tests/fixtures/channels/policy.json")).digest])
    error_message = "every function must know the digest of its policy"
  }
  assert {
    condition     = [for function, made in aws_lambda_function.this : function if can(made.environment[0].variables.COUNTERSIGN_WEBHOOK_SECRET)] == ["webhook"]
    error_message = "only the webhook function may know the webhook secret"
  }
  assert {
    condition     = alltrue([for made in aws_lambda_function.this : jsondecode(made.environment[0].variables.COUNTERSIGN_TOPICS)["oncall"] == "arn:aws:sns:eu-central-1:123456789012:countersign-oncall"])
    error_message = "every function must know the topic of each channel"
  }
  assert {
    condition     = output.webhook.url == "https://abc123.execute-api.eu-central-1.amazonaws.com/webhooks/github"
    error_message = "the output must name the webhook's URL"
  }
  assert {
    condition     = aws_apigatewayv2_route.webhook[0].route_key == "POST /webhooks/github"
    error_message = "the API must have one route"
  }
  assert {
    condition     = [for settings in aws_apigatewayv2_stage.webhook[0].route_settings : [settings.route_key, settings.throttling_rate_limit, settings.throttling_burst_limit]] == [["POST /webhooks/github", 50, 100]]
    error_message = "the route must be throttled"
  }
  assert {
    condition     = aws_apigatewayv2_stage.webhook[0].default_route_settings[0].throttling_rate_limit == 50 && aws_apigatewayv2_stage.webhook[0].default_route_settings[0].throttling_burst_limit == 100
    error_message = "the API must be throttled"
  }
  assert {
    condition     = !strcontains(aws_apigatewayv2_stage.webhook[0].access_log_settings[0].format, "body") && !strcontains(aws_apigatewayv2_stage.webhook[0].access_log_settings[0].format, "header")
    error_message = "the access log must contain neither bodies nor headers"
  }
  assert {
    condition     = aws_lambda_permission.webhook[0].source_arn == "arn:aws:execute-api:eu-central-1:123456789012:abc123/$default/POST/webhooks/github"
    error_message = "only that route may call the function"
  }
  assert {
    condition     = aws_dynamodb_table.this[0].deletion_protection_enabled && aws_dynamodb_table.this[0].point_in_time_recovery[0].enabled && aws_dynamodb_table.this[0].server_side_encryption[0].enabled
    error_message = "the table must be protected, recoverable and encrypted"
  }
  assert {
    condition     = aws_dynamodb_table.this[0].ttl[0].attribute_name == "expires_at"
    error_message = "finished items must expire"
  }
  assert {
    condition     = aws_sfn_state_machine.gate[0].type == "STANDARD" && aws_sfn_state_machine.gate[0].logging_configuration[0].level == "ERROR" && !aws_sfn_state_machine.gate[0].logging_configuration[0].include_execution_data
    error_message = "the state machine must be able to wait for days, and its log must contain no task token"
  }
  assert {
    condition     = alltrue([for name, state in jsondecode(aws_sfn_state_machine.gate[0].definition).States : state.Parameters.FunctionName == "arn:aws:lambda:eu-central-1:123456789012:function:countersign-gate" if state.Type == "Task"])
    error_message = "every step must call the gate"
  }
  assert {
    condition     = jsondecode(aws_sfn_state_machine.gate[0].definition).States.RequestApproval.TimeoutSecondsPath == "$.timeout_seconds"
    error_message = "the wait for people must have a timeout"
  }
  assert {
    condition     = aws_cloudwatch_event_rule.this["sweep"].schedule_expression == "rate(1 minute)"
    error_message = "the sweep must run every minute"
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["ended"].event_pattern).detail.stateMachineArn == ["arn:aws:states:eu-central-1:123456789012:stateMachine:countersign"]
    error_message = "the rule must match executions of this gate only"
  }
  assert {
    condition     = alltrue([for target in aws_cloudwatch_event_target.sweep : length(target.dead_letter_config) == 1 && target.input == null])
    error_message = "undelivered events must be kept, and events must be passed on unchanged"
  }
  assert {
    condition     = toset([for secret in aws_secretsmanager_secret.this : secret.name]) == toset(["countersign/github", "countersign/webhook"])
    error_message = "each secret must be created"
  }
}

run "a_path_token_ends_the_only_path" {
  command = plan
  variables {
    webhook = { path_token = "0123456789abcdefghij" }
  }

  assert {
    condition     = output.webhook.url == "https://abc123.execute-api.eu-central-1.amazonaws.com/webhooks/github/0123456789abcdefghij"
    error_message = "the output must name the webhook's URL"
  }
  assert {
    condition     = [aws_apigatewayv2_route.webhook[0].route_key, tolist(aws_apigatewayv2_stage.webhook[0].route_settings)[0].route_key] == ["POST /webhooks/github/0123456789abcdefghij", "POST /webhooks/github/0123456789abcdefghij"]
    error_message = "no other path may be routed"
  }
  assert {
    condition     = endswith(aws_lambda_permission.webhook[0].source_arn, "/$default/POST/webhooks/github/0123456789abcdefghij")
    error_message = "only that route may call the function"
  }
}

run "given_secrets_tags_and_key_are_used_everywhere" {
  command = plan
  variables {
    github = {
      secret_arn         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours/github-a1b2c3"
      webhook_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours/webhook-a1b2c3"
    }
    tags        = { team = "platform" }
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/0f5c1d2e-0000-4000-8000-000000000000"
  }

  assert {
    condition     = length(aws_secretsmanager_secret.this) == 0 && output.secrets.github_arn == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours/github-a1b2c3"
    error_message = "no secret may be created"
  }
  assert {
    condition = alltrue([for tags in flatten([
      values(aws_lambda_function.this)[*].tags, values(aws_iam_role.function)[*].tags, aws_iam_role.state_machine[*].tags,
      aws_dynamodb_table.this[*].tags, values(aws_sns_topic.channel)[*].tags, values(aws_sqs_queue.undelivered)[*].tags,
      aws_sfn_state_machine.gate[*].tags, aws_apigatewayv2_api.webhook[*].tags, values(aws_cloudwatch_log_group.function)[*].tags,
      values(aws_cloudwatch_metric_alarm.own)[*].tags,
    ]) : tags.team == "platform"])
    error_message = "a resource lacks the tag"
  }
  assert {
    condition = alltrue([for key in flatten([
      values(aws_lambda_function.this)[*].kms_key_arn, aws_dynamodb_table.this[0].server_side_encryption[0].kms_key_arn,
      values(aws_sns_topic.channel)[*].kms_master_key_id, values(aws_sqs_queue.undelivered)[*].kms_master_key_id,
      values(aws_cloudwatch_log_group.function)[*].kms_key_id,
      aws_cloudwatch_log_group.api[0].kms_key_id, aws_cloudwatch_log_group.state_machine[0].kms_key_id,
    ]) : key == "arn:aws:kms:eu-central-1:123456789012:key/0f5c1d2e-0000-4000-8000-000000000000"])
    error_message = "a resource is encrypted with another key"
  }
}

run "nothing_if_not_enabled" {
  command = plan
  variables {
    enabled       = false
    package       = { folder = "nowhere" }
    policy_bundle = "nowhere"
  }

  assert {
    condition = 0 == sum([
      length(aws_lambda_function.this), length(aws_lambda_layer_version.policy), length(aws_iam_role.function), length(aws_iam_role.state_machine),
      length(aws_iam_role_policy.function), length(aws_iam_role_policy.state_machine), length(aws_dynamodb_table.this),
      length(aws_sns_topic.channel), length(aws_sns_topic_subscription.channel), length(aws_sqs_queue.undelivered), length(aws_sqs_queue_policy.undelivered),
      length(aws_sfn_state_machine.gate), length(aws_apigatewayv2_api.webhook), length(aws_apigatewayv2_stage.webhook),
      length(aws_apigatewayv2_route.webhook), length(aws_apigatewayv2_integration.webhook), length(aws_lambda_permission.webhook),
      length(aws_lambda_permission.sweep), length(aws_cloudwatch_event_rule.this), length(aws_cloudwatch_event_target.sweep),
      length(aws_cloudwatch_log_group.function), length(aws_cloudwatch_log_group.api), length(aws_cloudwatch_log_group.state_machine),
      length(aws_cloudwatch_metric_alarm.function), length(aws_cloudwatch_metric_alarm.own), length(aws_cloudwatch_metric_alarm.undelivered),
      length(aws_cloudwatch_metric_alarm.service), length(aws_cloudwatch_dashboard.this), length(aws_secretsmanager_secret.this),
    ])
    error_message = "a resource is created"
  }
  assert {
    condition     = output.gate.state_machine_arn == null && output.webhook.url == null && output.caller.iam_policy == null && length(output.monitoring.alarms) == 0
    error_message = "an output has a value"
  }
}
