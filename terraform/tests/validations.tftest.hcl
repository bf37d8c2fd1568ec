# Every validation refuses bad values during the plan. Each run has several bad variables, with one reason each, because a run
# takes a second or two to read the provider's schema.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package       = { folder = "tests/fixtures/release" }
  policy_bundle = "tests/fixtures/channels"
}

run "first_reasons" {
  command = plan
  variables {
    # Name with capitals.
    name = "Countersign"
    # Unknown architecture.
    package = { folder = "tests/fixtures/release", architecture = "x86" }
    # Bundle without files.
    policy_bundle = "tests/fixtures/release"
    # GitHub without TLS.
    github = { url = "http://github.acme.example/api/v3" }
    # Too little memory.
    functions = { gate = { memory_mb = 64 } }
    # Retention too short.
    table = { retention_days = 119 }
    # Webhook that accepts nothing.
    webhook = { burst = 0 }
    # Unknown log level.
    logs = { level = "verbose" }
    # E-mail address as an alarm action.
    alarms = { actions = ["oncall@acme.example"] }
    # Unknown scope.
    task_response_scope = "all"
    # Alias instead of a key.
    kms_key_arn = "alias/countersign"
    # Name instead of an ARN.
    permissions_boundary = "boundary"
    # Reserved tag.
    tags = { "aws:owner" = "us" }
  }
  expect_failures = [var.name, var.package, var.policy_bundle, var.github, var.functions, var.table, var.webhook, var.logs, var.alarms, var.task_response_scope, var.kms_key_arn, var.permissions_boundary, var.tags]
}

run "second_reasons" {
  command = plan
  variables {
    # Package without zips.
    package = { folder = "tests/fixtures/channels" }
    # Bundle of another schema.
    policy_bundle = "tests/fixtures/other-schema"
    # GitHub URL with a trailing slash.
    github = { url = "https://api.github.com/" }
    # Timeout too short.
    functions = { sweep = { timeout_seconds = 3 } }
    # Retention that CloudWatch does not allow.
    logs = { retention_days = 100 }
    # Threshold shorter than the sweep's interval.
    alarms = { unsent_callback_seconds = 5 }
  }
  expect_failures = [var.package, var.policy_bundle, var.github, var.functions, var.logs, var.alarms]
}

run "third_reasons" {
  command = plan
  variables {
    # The secret itself instead of its ARN.
    github = { webhook_secret_arn = "hunter2" }
    # Timeout longer than the HTTP API's.
    functions = { webhook = { timeout_seconds = 60 } }
    # Token that can be guessed.
    webhook = { path_token = "acme" }
    # Alarm that would never end.
    alarms = { github_left = 5000 }
  }
  expect_failures = [var.github, var.functions, var.webhook, var.alarms]
}

run "fourth_reasons" {
  command = plan
  variables {
    # One secret for both.
    github = {
      secret_arn         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:one-a1b2c3"
      webhook_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:one-a1b2c3"
    }
    # A function that could never run.
    functions = { gate = { concurrency = 0 } }
  }
  expect_failures = [var.github, var.functions]
}

run "fifth_reasons" {
  command = plan
  variables {
    # Timeout too short for a sweep.
    functions = { sweep = { timeout_seconds = 119 } }
  }
  expect_failures = [var.functions]
}
