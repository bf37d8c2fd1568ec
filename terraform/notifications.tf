# One topic for each channel of the policy, and its subscribers. An e-mail address gets nothing until its owner confirms.
locals {
  subscriptions = merge([
    for name, channel in local.policy.channels : {
      for subscriber in concat(
        [for address in channel.email : { protocol = "email", endpoint = address }],
        [for address in channel.https : { protocol = "https", endpoint = address }],
      ) : "${name} ${subscriber.endpoint}" => merge(subscriber, { channel = name })
    }
  ]...)
}

resource "aws_sns_topic" "channel" {
  for_each = local.policy.channels

  name              = each.value.topic
  kms_master_key_id = coalesce(var.kms_key_arn, "alias/aws/sns")
  tags              = var.tags
}

resource "aws_sns_topic_subscription" "channel" {
  for_each = local.subscriptions

  topic_arn = aws_sns_topic.channel[each.value.channel].arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
  # SNS does not keep e-mails that it could not send.
  redrive_policy = each.value.protocol == "https" ? jsonencode({ deadLetterTargetArn = local.arn.queue.notifications }) : null

  depends_on = [aws_sqs_queue_policy.undelivered]
}
