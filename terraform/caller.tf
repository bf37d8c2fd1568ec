# What a pipeline needs to call the gate: permissions for its role, and the step.
locals {
  caller_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "StartTheGate"
        Effect   = "Allow"
        Action   = ["states:StartExecution"]
        Resource = local.arn.state_machine
      },
      {
        Sid      = "FollowIt"
        Effect   = "Allow"
        Action   = ["states:DescribeExecution", "states:StopExecution"]
        Resource = local.arn.executions
      },
      # Step Functions uses this rule to learn that a nested execution ended.
      {
        Sid      = "HearOfItsEnd"
        Effect   = "Allow"
        Action   = ["events:DescribeRule", "events:PutRule", "events:PutTargets"]
        Resource = "arn:${local.partition}:events:${local.region}:${local.account}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
      },
    ]
  })

  # A refusal by the gate arrives as States.TaskFailed. A Retry on that, or on States.ALL, would open another request.
  caller_state = jsonencode({
    Type     = "Task"
    Resource = "arn:${local.partition}:states:::states:startExecution.sync:2"
    Parameters = {
      StateMachineArn = local.arn.state_machine
      Input = {
        "service.$"                                    = "$.service"
        "environment.$"                                = "$.environment"
        "pullRequest.$"                                = "$.pullRequest"
        "requestedBy.$"                                = "$.requestedBy"
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$" = "$$.Execution.Id"
      }
    }
    # Deploy what the gate approved, not what the pipeline requested.
    ResultSelector = {
      "approved.$"   = "$.Output.approved"
      "enforced.$"   = "$.Output.enforced"
      "request_id.$" = "$.Output.request_id"
      "target.$"     = "$.Output.decision.target"
      "revision.$"   = "$.Output.decision.revision"
    }
    ResultPath = "$.gate"
    Next       = "Deploy"
  })
}
