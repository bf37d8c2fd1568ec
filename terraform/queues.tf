# Dead-letter queues for calls of the sweep and for notifications to https subscribers. Each has an alarm.
locals {
  senders = {
    sweep         = { service = "events.amazonaws.com", sources = values(local.arn.rule) }
    notifications = { service = "sns.amazonaws.com", sources = values(local.arn.topic) }
  }
  queues = { for queue, sender in local.senders : queue => sender if var.enabled && length(sender.sources) > 0 }
}

resource "aws_sqs_queue" "undelivered" {
  for_each = local.queues

  name                      = "${var.name}-${each.key}-undelivered"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "undelivered" {
  for_each = local.queues

  queue_url = aws_sqs_queue.undelivered[each.key].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Undelivered"
      Effect    = "Allow"
      Principal = { Service = each.value.service }
      Action    = "sqs:SendMessage"
      Resource  = local.arn.queue[each.key]
      Condition = { ArnEquals = { "aws:SourceArn" = each.value.sources } }
    }]
  })
}
