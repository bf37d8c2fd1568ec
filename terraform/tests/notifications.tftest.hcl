# Topics and subscribers are the policy's channels.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package       = { folder = "tests/fixtures/release" }
  policy_bundle = "tests/fixtures/channels"
}

run "a_topic_for_each_channel" {
  command = plan
  assert {
    condition     = { for channel, topic in aws_sns_topic.channel : channel => topic.name } == { "oncall" = "countersign-oncall", "payments/eu.west" = "countersign-payments-eu-west-${substr(sha256("payments/eu.west"), 0, 8)}" }
    error_message = "each channel must have a topic with a valid and distinct name"
  }
  assert {
    condition = toset([for subscription in aws_sns_topic_subscription.channel : "${subscription.protocol} ${subscription.endpoint}"]) == toset([
      "email oncall@acme.example", "email second@acme.example", "https https://hooks.acme.example/deployments",
    ])
    error_message = "each address must be subscribed once"
  }
  assert {
    condition     = [for subscription in aws_sns_topic_subscription.channel : jsondecode(subscription.redrive_policy).deadLetterTargetArn if subscription.protocol == "https"] == ["arn:aws:sqs:eu-central-1:123456789012:countersign-notifications-undelivered"]
    error_message = "messages that an https subscriber does not accept must be kept"
  }
  assert {
    condition     = jsondecode(aws_sqs_queue_policy.undelivered["notifications"].policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == values(local.arn.topic)
    error_message = "only our topics may send to the queue"
  }
}

run "a_policy_without_channels" {
  command = plan
  variables {
    policy_bundle = "tests/fixtures/quiet"
    # Given, so that a plan knows the role's whole policy.
    github = {
      secret_arn         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours/github-a1b2c3"
      webhook_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours/webhook-a1b2c3"
    }
  }

  assert {
    condition     = length(aws_sns_topic.channel) == 0 && length(aws_sns_topic_subscription.channel) == 0 && keys(aws_sqs_queue.undelivered) == ["sweep"]
    error_message = "there may be no topic, subscription or queue for notifications"
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.function["gate"].policy, "sns:")
    error_message = "no function may publish to SNS"
  }
  assert {
    condition     = aws_lambda_function.this["gate"].environment[0].variables.COUNTERSIGN_TOPICS == "{}"
    error_message = "the functions must know no topic"
  }
}

run "a_policy_and_a_layer_that_do_not_belong_together" {
  command = plan
  variables {
    policy_bundle = "tests/fixtures/mismatched"
  }
  expect_failures = [aws_lambda_layer_version.policy]
}

run "more_channels_than_a_functions_environment_holds" {
  command = plan
  variables {
    policy_bundle = "tests/fixtures/crowded"
  }
  expect_failures = [aws_lambda_function.this]
}
