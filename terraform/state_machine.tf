# The gate. A running execution keeps the definition with which it started, but calls the newest functions.
locals {
  definition = templatefile("${path.module}/state-machine.asl.json.tftpl", {
    partition = local.partition
    gate      = local.arn.function.gate
    # Longer than the function's own timeout, so that a late answer is reported as the function's error.
    timeout_seconds = var.functions.gate.timeout_seconds + 10
  })
}

resource "aws_sfn_state_machine" "gate" {
  count = local.made

  name       = var.name
  type       = "STANDARD"
  role_arn   = aws_iam_role.state_machine[0].arn
  definition = local.definition

  # Execution data would put the task token into the log.
  logging_configuration {
    level                  = "ERROR"
    include_execution_data = false
    log_destination        = "${aws_cloudwatch_log_group.state_machine[0].arn}:*"
  }

  tags = var.tags

  depends_on = [aws_iam_role_policy.state_machine, aws_lambda_function.this]
}
