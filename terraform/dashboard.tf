# One dashboard for whoever operates the gate.
locals {
  # Each graph has a title, lines and a statistic.
  graphs = [
    {
      title = "Decisions by verdict"
      stat  = "Sum"
      lines = [for verdict in ["approved", "rejected", "expired", "superseded", "denied", "canceled"] : [local.metrics, "Decisions", "Name", var.name, "Verdict", verdict]]
    },
    {
      title = "Time from request to approval, in seconds"
      stat  = "p50"
      lines = [[local.metrics, "ApprovalLeadTime", "Name", var.name]]
    },
    {
      title = "Oldest pending request, in seconds"
      stat  = "Maximum"
      lines = [[local.metrics, "OldestPending", "Name", var.name]]
    },
    {
      title = "Answers not yet delivered to executions"
      stat  = "Maximum"
      lines = [[local.metrics, "UnsentCallbacks", "Name", var.name], [local.metrics, "OldestUnsentCallback", "Name", var.name]]
    },
    {
      title = "Deliveries with a wrong signature, and requests over the limit"
      stat  = "Sum"
      lines = [[local.metrics, "DeliveriesRejected", "Name", var.name], [local.metrics, "DeliveriesThrottled", "Name", var.name]]
    },
    {
      title = "GitHub API calls and GraphQL points left this hour"
      stat  = "Minimum"
      lines = [[local.metrics, "GitHubCallsLeft", "Name", var.name], [local.metrics, "GitHubPointsLeft", "Name", var.name]]
    },
    {
      title = "Errors and throttles"
      stat  = "Sum"
      lines = [for pair in setproduct(keys(var.functions), ["Errors", "Throttles"]) : ["AWS/Lambda", pair[1], "FunctionName", "${var.name}-${pair[0]}"]]
    },
    {
      title = "Duration of the functions, in milliseconds"
      stat  = "p99"
      lines = [for function in keys(var.functions) : ["AWS/Lambda", "Duration", "FunctionName", "${var.name}-${function}"]]
    },
    {
      title = "Executions"
      stat  = "Sum"
      lines = [for metric in ["ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsAborted"] : ["AWS/States", metric, "StateMachineArn", local.arn.state_machine]]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.enabled && var.dashboard ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, graph in local.graphs : {
      type   = "metric"
      x      = index % 2 * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = graph.title
        stat    = graph.stat
        metrics = graph.lines
        region  = local.region
        period  = 300
        view    = "timeSeries"
      }
    }]
  })
}
