# Least privilege: exactly what each role may do.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name          = "gate-one"
  package       = { folder = "tests/fixtures/release" }
  policy_bundle = "tests/fixtures/channels"
  github = {
    secret_arn         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours/github-a1b2c3"
    webhook_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours/webhook-a1b2c3"
  }
}

run "permissions_by_default" {
  command = plan
  assert {
    condition = {
      for function, made in aws_iam_role_policy.function : function => [for statement in jsondecode(made.policy).Statement : statement.Sid]
      } == {
      gate    = ["Log", "Write", "Read", "Delete", "AnswerExecutions", "LookAtExecutions", "GitHubSecret", "Notify"]
      webhook = ["Log", "Write", "Read", "Delete", "AnswerExecutions", "LookAtExecutions", "GitHubSecret", "Notify", "Deliveries", "WebhookSecret"]
      sweep   = ["Log", "Write", "Read", "Delete", "AnswerExecutions", "LookAtExecutions", "GitHubSecret", "Notify", "Deliveries", "Indexes", "Undelivered"]
    }
    error_message = "a function has too many or too few permissions"
  }
  assert {
    condition = {
      for sid, resource in {
        for statement in flatten([for made in aws_iam_role_policy.function : jsondecode(made.policy).Statement]) :
        statement.Sid => { actions = statement.Action, on = flatten([statement.Resource]) }... if contains(["Read", "Write", "Delete", "Deliveries", "Indexes"], statement.Sid)
      } : sid => one(distinct(resource))
      } == {
      Read = {
        actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        on      = ["arn:aws:dynamodb:eu-central-1:123456789012:table/gate-one"]
      }
      Write      = { actions = ["dynamodb:PutItem"], on = ["arn:aws:dynamodb:eu-central-1:123456789012:table/gate-one"] }
      Delete     = { actions = ["dynamodb:DeleteItem"], on = ["arn:aws:dynamodb:eu-central-1:123456789012:table/gate-one"] }
      Deliveries = { actions = ["dynamodb:UpdateItem"], on = ["arn:aws:dynamodb:eu-central-1:123456789012:table/gate-one"] }
      Indexes    = { actions = ["dynamodb:Query"], on = ["arn:aws:dynamodb:eu-central-1:123456789012:table/gate-one/index/due"] }
    }
    error_message = "the table permissions must be those that the store needs"
  }
  assert {
    condition = {
      for function, made in aws_iam_role_policy.function : function => {
        for statement in jsondecode(made.policy).Statement : statement.Sid => [
          statement.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"], statement.Condition.Null["dynamodb:LeadingKeys"]
        ] if contains(["Write", "Delete", "Deliveries"], statement.Sid)
      }
      } == {
      gate = {
        Write  = [["AUDIT#*", "EXECUTION#*", "HEAD#*", "PULL#*", "REQUEST#*", "TOKEN#*", "VETO#*"], "false"]
        Delete = [["PULL#*"], "false"]
      }
      webhook = {
        Write      = [["AUDIT#*", "EXECUTION#*", "HEAD#*", "PULL#*", "REQUEST#*", "TOKEN#*", "VETO#*"], "false"]
        Delete     = [["PULL#*"], "false"]
        Deliveries = [["DELIVERY#*"], "false"]
      }
      sweep = {
        Write      = [["AUDIT#*", "HEAD#*", "PULL#*", "REQUEST#*", "VETO#*"], "false"]
        Delete     = [["PULL#*"], "false"]
        Deliveries = [["DELIVERY#*"], "false"]
      }
    }
    error_message = "a function may write under other keys than it needs, or change audit records"
  }
  assert {
    condition = alltrue(flatten([for made in aws_iam_role_policy.function : [
      for statement in jsondecode(made.policy).Statement : [for action in flatten([statement.Action]) : !strcontains(action, "*")]
    ]]))
    error_message = "an action has a wildcard"
  }
  assert {
    condition = toset(flatten([for made in aws_iam_role_policy.function : [
      for statement in jsondecode(made.policy).Statement : statement.Sid if contains(flatten([statement.Resource]), "*")
    ]])) == toset(["AnswerExecutions"])
    error_message = "only the answer to executions may be allowed on *"
  }
  assert {
    condition = alltrue(flatten([for made in aws_iam_role_policy.function : [
      for statement in jsondecode(made.policy).Statement : [
        for resource in flatten([statement.Resource]) : can(regex(":(gate-one|execution:gate-one:|table/gate-one|secret:ours/|log-group:/aws/lambda/gate-one-)", resource))
      ] if statement.Sid != "AnswerExecutions"
    ]]))
    error_message = "a resource belongs to another installation"
  }
  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.function["webhook"].policy).Statement : statement.Resource if statement.Sid == "WebhookSecret"]) == "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ours/webhook-a1b2c3"
    error_message = "the webhook function must be able to read its secret"
  }
  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.function["gate"].policy).Statement : statement.Action if statement.Sid == "AnswerExecutions"]) == ["states:SendTaskFailure", "states:SendTaskSuccess"]
    error_message = "no function may start, stop or redrive an execution"
  }
  assert {
    condition = alltrue([for function in ["gate", "webhook", "sweep"] :
      one([for statement in jsondecode(aws_iam_role_policy.function[function].policy).Statement : [statement.Action, statement.Resource] if statement.Sid == "LookAtExecutions"]) == [
        ["states:DescribeExecution"], "arn:aws:states:eu-central-1:123456789012:execution:gate-one:*",
      ]
    ])
    error_message = "each function may describe the gate's executions only"
  }
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.state_machine[0].policy).Statement : statement.Sid => statement.Resource
    } == { Gate = "arn:aws:lambda:eu-central-1:123456789012:function:gate-one-gate", LogDelivery = "*" }
    error_message = "the state machine may call the gate function only"
  }
  assert {
    condition     = jsondecode(aws_iam_role.state_machine[0].assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == "arn:aws:states:eu-central-1:123456789012:stateMachine:gate-one"
    error_message = "no other state machine may assume the role"
  }
  assert {
    condition = flatten([for statement in jsondecode(output.caller.iam_policy).Statement : statement.Action]) == [
      "states:StartExecution", "states:DescribeExecution", "states:StopExecution", "events:DescribeRule", "events:PutRule", "events:PutTargets",
    ]
    error_message = "the caller's policy must hold these actions only"
  }
  assert {
    condition     = jsondecode(output.caller.state).Resource == "arn:aws:states:::states:startExecution.sync:2" && !can(jsondecode(output.caller.state).Retry)
    error_message = "the step must wait for the gate, and must have no Retry"
  }
  assert {
    condition     = jsondecode(output.caller.state).ResultSelector["revision.$"] == "$.Output.decision.revision"
    error_message = "the step must pass on what the gate approved"
  }
}

run "narrower_scope_kms_key_and_permissions_boundary" {
  command = plan
  variables {
    task_response_scope  = "state-machine"
    kms_key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/0f5c1d2e-0000-4000-8000-000000000000"
    permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = !strcontains(aws_iam_role_policy.function["sweep"].policy, "\"*\"")
    error_message = "nothing may be allowed on *"
  }
  assert {
    condition     = alltrue([for made in aws_iam_role_policy.function : contains([for statement in jsondecode(made.policy).Statement : statement.Resource], "arn:aws:kms:eu-central-1:123456789012:key/0f5c1d2e-0000-4000-8000-000000000000")])
    error_message = "every function must be allowed to use the key"
  }
  assert {
    condition     = alltrue([for role in concat(values(aws_iam_role.function), aws_iam_role.state_machine) : role.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"])
    error_message = "a role lacks the permissions boundary"
  }
}
