# Every validation refuses what it is there for, when the plan is made. Several variables are wrong in one run, and each for
# one reason: a run costs a second or two, since the provider's schema is read for it.
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
    # Architecture that there is not.
    package = { folder = "tests/fixtures/release", architecture = "x86" }
    # Bundle without files.
    policy_bundle = "tests/fixtures/release"
    # Github in clear text.
    github = { url = "http://github.acme.example/api/v3" }
    # Too little memory.
    functions = { gate = { memory_mb = 64 } }
    # Records that are forgotten.
    table = { retention_days = 119 }
    # Door that is shut.
    webhook = { burst = 0 }
    # Log level that there is not.
    logs = { level = "verbose" }
    # Alarm that tells an address.
    alarms = { actions = ["oncall@acme.example"] }
    # Scope that there is not.
    task_response_scope = "all"
    # Alias of a key.
    kms_key_arn = "alias/countersign"
    # Name of a boundary.
    permissions_boundary = "boundary"
    # Tag of aws.
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
    # Github with a slash at its end.
    github = { url = "https://api.github.com/" }
    # Too short a time.
    functions = { sweep = { timeout_seconds = 3 } }
    # Retention that cloudwatch has not.
    logs = { retention_days = 100 }
    # Alarm that is finer than the sweep.
    alarms = { unsent_callback_seconds = 5 }
  }
  expect_failures = [var.package, var.policy_bundle, var.github, var.functions, var.logs, var.alarms]
}

run "third_reasons" {
  command = plan
  variables {
    # A secret in place of its arn.
    github = { webhook_secret_arn = "hunter2" }
    # Webhook that takes longer than its api.
    functions = { webhook = { timeout_seconds = 60 } }
  }
  expect_failures = [var.github, var.functions]
}

run "fourth_reasons" {
  command = plan
  variables {
    # One secret for both.
    github = {
      secret_arn         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:one-a1b2c3"
      webhook_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:one-a1b2c3"
    }
    # Function that never runs.
    functions = { gate = { concurrency = 0 } }
  }
  expect_failures = [var.github, var.functions]
}

run "fifth_reasons" {
  command = plan
  variables {
    # A sweep that is cut short each time.
    functions = { sweep = { timeout_seconds = 119 } }
  }
  expect_failures = [var.functions]
}
