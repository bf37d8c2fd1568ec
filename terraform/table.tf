# Approval requests, deliveries, vetoes and the audit trail. The index is sparse: an item has the index keys only while it
# has something due. Reads that must be up to date use the table itself, because an index lags.
locals {
  indexes = {
    due = "due_"
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
      projection_type = "KEYS_ONLY"
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
