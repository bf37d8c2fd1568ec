# The gate. Executions that run keep the definition they began with; the functions that they call are always the newest.
locals {
  definition = templatefile("${path.module}/state-machine.asl.json.tftpl", {
    partition = local.partition
    gate      = local.arn.function.gate
    # Longer than the function's own limit: that its answer is late is then told as the function's error.
    timeout_seconds = var.functions.gate.timeout_seconds + 10
  })
}

resource "aws_sfn_state_machine" "gate" {
  count = local.made

  name       = var.name
  type       = "STANDARD"
  role_arn   = aws_iam_role.state_machine[0].arn
  definition = local.definition

  # With its data an execution's log would hold the task token.
  logging_configuration {
    level                  = "ERROR"
    include_execution_data = false
    log_destination        = "${aws_cloudwatch_log_group.state_machine[0].arn}:*"
  }

  tags = var.tags

  depends_on = [aws_iam_role_policy.state_machine, aws_lambda_function.this]
}
