# One role for each function, and one for the state machine: exact actions on exact resources.
locals {
  # The key prefixes under which a function may write. Only the gate and the webhook open requests.
  written = {
    gate    = ["AUDIT#*", "EXECUTION#*", "HEAD#*", "PULL#*", "REQUEST#*", "TOKEN#*", "VETO#*"]
    webhook = ["AUDIT#*", "EXECUTION#*", "HEAD#*", "PULL#*", "REQUEST#*", "TOKEN#*", "VETO#*"]
    sweep   = ["AUDIT#*", "HEAD#*", "PULL#*", "REQUEST#*", "VETO#*"]
  }
  # Conditions on the partition key. `Null` refuses a call without a key, which `ForAllValues` alone would allow.
  below = { for use, prefixes in merge(local.written, { delete = ["PULL#*"], deliveries = ["DELIVERY#*"] }) : use => {
    "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = prefixes }
    Null                      = { "dynamodb:LeadingKeys" = "false" }
  } }

  statements = {
    log = { for function in ["gate", "webhook", "sweep"] : function => {
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/lambda/${var.name}-${function}:*"
    } }
    read = {
      Sid      = "Read"
      Effect   = "Allow"
      Action   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
      Resource = local.arn.table
    }
    # A transaction needs the permissions of its parts. IAM cannot demand that a write is conditional, so PutItem on an
    # existing audit record would overwrite it. The gate's own writes are conditional, and no function may update or
    # delete audit records.
    write = { for function in keys(local.written) : function => {
      Sid       = "Write"
      Effect    = "Allow"
      Action    = ["dynamodb:PutItem"]
      Resource  = local.arn.table
      Condition = local.below[function]
    } }
    # Closing a request deletes the item that lists it as open under its pull request.
    delete = {
      Sid       = "Delete"
      Effect    = "Allow"
      Action    = ["dynamodb:DeleteItem"]
      Resource  = local.arn.table
      Condition = local.below.delete
    }
    # Records that a delivery was begun, is finished, or is refused permanently.
    deliveries = {
      Sid       = "Deliveries"
      Effect    = "Allow"
      Action    = ["dynamodb:UpdateItem"]
      Resource  = local.arn.table
      Condition = local.below.deliveries
    }
    # Finds due items; only the sweep does this.
    indexes = {
      Sid      = "Indexes"
      Effect   = "Allow"
      Action   = ["dynamodb:Query"]
      Resource = [for index in keys(local.indexes) : "${local.arn.table}/index/${index}"]
    }
    # Answering an execution takes its token, and tokens are stored in the table only.
    answer = {
      Sid      = "AnswerExecutions"
      Effect   = "Allow"
      Action   = ["states:SendTaskFailure", "states:SendTaskSuccess"]
      Resource = var.task_response_scope == "state-machine" ? local.arn.state_machine : "*"
    }
    # Checks whether an execution still runs: before it waits, and after its token expired.
    look = {
      Sid      = "LookAtExecutions"
      Effect   = "Allow"
      Action   = ["states:DescribeExecution"]
      Resource = local.arn.executions
    }
    github_secret = {
      Sid      = "GitHubSecret"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.secret.github
    }
    webhook_secret = {
      Sid      = "WebhookSecret"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = local.secret.webhook
    }
    undelivered = {
      Sid      = "Undelivered"
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = local.arn.queue.sweep
    }
    notify = [for topics in [values(local.arn.topic)] : {
      Sid      = "Notify"
      Effect   = "Allow"
      Action   = ["sns:Publish"]
      Resource = topics
    } if length(topics) > 0]
    key = [for key in [var.kms_key_arn] : {
      Sid      = "Key"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = key
    } if key != null]
  }

  common = concat(
    [local.statements.read, local.statements.delete, local.statements.answer, local.statements.look, local.statements.github_secret],
    local.statements.notify,
    local.statements.key,
  )
  # What only this function may do.
  own = {
    gate    = []
    webhook = [local.statements.deliveries, local.statements.webhook_secret]
    sweep   = [local.statements.deliveries, local.statements.indexes, local.statements.undelivered]
  }
  function_policy = { for function in keys(local.functions) : function => jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.statements.log[function], local.statements.write[function]], local.common, local.own[function])
  }) }

  state_machine_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Gate"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = local.arn.function.gate
      },
      # AWS accepts no narrower resource here: these actions concern the account's log deliveries, not one log group.
      {
        Sid    = "LogDelivery"
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
        ]
        Resource = "*"
      },
    ]
  })
}

resource "aws_iam_role" "function" {
  for_each = local.functions

  name                 = "${each.value.name}-function"
  description          = "countersign: the ${each.key} function"
  permissions_boundary = var.permissions_boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
  tags = var.tags
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions

  name   = "function"
  role   = aws_iam_role.function[each.key].name
  policy = local.function_policy[each.key]
}

resource "aws_iam_role" "state_machine" {
  count = local.made

  name                 = "${var.name}-state-machine"
  description          = "countersign: the gate's state machine"
  permissions_boundary = var.permissions_boundary
  # Only this state machine may assume the role, so that no other one can act with it.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = local.arn.state_machine }
      }
    }]
  })
  tags = var.tags
}

resource "aws_iam_role_policy" "state_machine" {
  count = local.made

  name   = "state-machine"
  role   = aws_iam_role.state_machine[0].name
  policy = local.state_machine_policy
}
