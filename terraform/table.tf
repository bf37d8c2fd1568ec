# Requests, deliveries, vetoes and the audit trail. Each index is sparse: an item has an index's keys only while it is to be
# found by them.
locals {
  indexes = {
    open-by-pull-request = "gsi1"
    due                  = "gsi2"
    of-execution         = "gsi3"
  }
}

resource "aws_dynamodb_table" "this" {
  count = local.made

  name         = var.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  dynamic "attribute" {
    for_each = toset(concat(["pk", "sk"], flatten([for key in values(local.indexes) : ["${key}pk", "${key}sk"]])))
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = local.indexes
    content {
      name            = global_secondary_index.key
      hash_key        = "${global_secondary_index.value}pk"
      range_key       = "${global_secondary_index.value}sk"
      projection_type = "ALL"
    }
  }

  ttl {
    enabled        = true
    attribute_name = "expires_at"
  }

  point_in_time_recovery {
    enabled = var.table.point_in_time_recovery
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  deletion_protection_enabled = var.table.deletion_protection
  tags                        = var.tags
}
