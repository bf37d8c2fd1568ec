# The only entry from outside: POST /webhooks/github. The function authenticates each delivery by its signature.
locals {
  webhook_path = join("/", compact(["/webhooks/github", var.webhook.path_token]))
  route        = "POST ${local.webhook_path}"
}

resource "aws_apigatewayv2_api" "webhook" {
  count = local.made

  name          = "${var.name}-webhook"
  description   = "countersign: GitHub's deliveries"
  protocol_type = "HTTP"
  tags          = var.tags
}

resource "aws_apigatewayv2_integration" "webhook" {
  count = local.made

  api_id                 = aws_apigatewayv2_api.webhook[0].id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this["webhook"].arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

resource "aws_apigatewayv2_route" "webhook" {
  count = local.made

  api_id             = aws_apigatewayv2_api.webhook[0].id
  route_key          = local.route
  target             = "integrations/${aws_apigatewayv2_integration.webhook[0].id}"
  authorization_type = "NONE"
}

resource "aws_apigatewayv2_stage" "webhook" {
  count = local.made

  api_id      = aws_apigatewayv2_api.webhook[0].id
  name        = "$default"
  auto_deploy = true

  # Of the route, so that requests to other paths do not count.
  route_settings {
    route_key              = aws_apigatewayv2_route.webhook[0].route_key
    throttling_rate_limit  = var.webhook.rate
    throttling_burst_limit = var.webhook.burst
  }

  default_route_settings {
    throttling_rate_limit  = var.webhook.rate
    throttling_burst_limit = var.webhook.burst
  }

  # Neither bodies nor headers: a body may contain confidential review texts, and a header the signature.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api[0].arn
    format = jsonencode({
      name      = var.name
      time      = "$context.requestTimeEpoch"
      requestId = "$context.requestId"
      ip        = "$context.identity.sourceIp"
      route     = "$context.routeKey"
      status    = "$context.status"
      length    = "$context.responseLength"
      latency   = "$context.responseLatency"
      error     = "$context.integrationErrorMessage"
    })
  }

  tags = var.tags
}

resource "aws_lambda_permission" "webhook" {
  count = local.made

  statement_id  = "http-api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this["webhook"].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.webhook[0].execution_arn}/$default/POST${local.webhook_path}"
}
