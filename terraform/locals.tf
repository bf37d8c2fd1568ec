# All names and ARNs. ARNs are built here instead of being read from resources. A plan therefore shows every IAM policy in
# full, and resources do not depend on each other in a cycle.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  made = var.enabled ? 1 : 0

  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition
  # The provider deprecates `name` from 6.0 on and lacks `region` before it. `id` exists in both.
  region = data.aws_region.this.id

  functions = var.enabled ? {
    for function, settings in var.functions : function => merge(settings, { name = "${var.name}-${function}" })
  } : {}

  arn = {
    function = {
      for function in ["gate", "webhook", "sweep"] :
      function => "arn:${local.partition}:lambda:${local.region}:${local.account}:function:${var.name}-${function}"
    }
    state_machine = "arn:${local.partition}:states:${local.region}:${local.account}:stateMachine:${var.name}"
    executions    = "arn:${local.partition}:states:${local.region}:${local.account}:execution:${var.name}:*"
    table         = "arn:${local.partition}:dynamodb:${local.region}:${local.account}:table/${var.name}"
    topic = {
      for name, channel in local.policy.channels :
      name => "arn:${local.partition}:sns:${local.region}:${local.account}:${channel.topic}"
    }
    rule = {
      for rule in ["sweep", "ended"] :
      rule => "arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.name}-${rule}"
    }
    queue = {
      for queue in ["sweep", "notifications"] :
      queue => "arn:${local.partition}:sqs:${local.region}:${local.account}:${var.name}-${queue}-undelivered"
    }
  }
}
