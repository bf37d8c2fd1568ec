variable "name" {
  description = "Name of this installation. The state machine and the table get this name; all other names contain it."
  type        = string
  default     = "countersign"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 32 characters: lower-case letters, digits and hyphens. It must start with a letter and must not end with a hyphen, because the names of roles and functions contain it."
  }
}

variable "enabled" {
  description = "Whether the module creates anything. Setting it to false on an existing installation also deletes its records: see table.deletion_protection."
  type        = bool
  default     = true
  nullable    = false
}

variable "package" {
  description = "The functions' code. `folder` holds gate.zip, webhook.zip and sweep.zip of one release, built for `architecture`. Allowed values: x86_64, arm64."
  type = object({
    folder       = string
    architecture = optional(string, "x86_64")
  })
  nullable = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.package.architecture)
    error_message = "package.architecture must be x86_64 or arm64, whichever the zips were built for. Code for one does not start on the other."
  }

  validation {
    condition     = !var.enabled || alltrue([for file in ["gate.zip", "webhook.zip", "sweep.zip"] : fileexists("${var.package.folder}/${file}")])
    error_message = "package.folder must hold gate.zip, webhook.zip and sweep.zip. Unpack a release into it, or build them with: scripts/package --output DIR"
  }
}

variable "policy_bundle" {
  description = "The folder that `countersign bundle -o DIR` wrote. It holds policy.zip and policy.json."
  type        = string
  nullable    = false

  validation {
    condition     = !var.enabled || alltrue([for file in ["policy.zip", "policy.json"] : fileexists("${var.policy_bundle}/${file}")])
    error_message = "policy_bundle must hold policy.zip and policy.json. Write them with: countersign bundle --policy policies -o DIR"
  }

  validation {
    condition     = !var.enabled || !fileexists("${var.policy_bundle}/policy.json") || try(jsondecode(file("${var.policy_bundle}/policy.json")).schema == 1, false)
    error_message = "policy_bundle's policy.json must have schema 1. Write it again with the countersign command line of the functions' release."
  }
}

variable "github" {
  description = "Where pull requests are reviewed. `url` is GitHub's API; for GitHub Enterprise Server it is https://HOST/api/v3. `secret_arn` and `webhook_secret_arn` are existing secrets in Secrets Manager. Default: the module creates empty secrets. You fill them outside Terraform, so their values never appear in its state."
  type = object({
    url                = optional(string, "https://api.github.com")
    secret_arn         = optional(string)
    webhook_secret_arn = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^https://[^/ ]+(/[^ ]*[^/ ])?$", var.github.url)) || can(regex("^http://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?(/[^ ]*[^/ ])?$", var.github.url))
    error_message = "github.url must be an https:// address without a trailing slash, such as https://api.github.com. Plain http:// is allowed for localhost only."
  }

  validation {
    condition     = alltrue([for arn in [var.github.secret_arn, var.github.webhook_secret_arn] : arn == null || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*]+$", arn))])
    error_message = "github.secret_arn and github.webhook_secret_arn must be ARNs of secrets in Secrets Manager (arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX), without a wildcard. Never put the secret itself here."
  }

  validation {
    condition     = var.github.secret_arn == null || var.github.secret_arn != var.github.webhook_secret_arn
    error_message = "github.secret_arn and github.webhook_secret_arn must be different secrets: only the webhook function may read the second."
  }
}

variable "functions" {
  description = "Memory, timeout and reserved concurrency of each function. Default for `concurrency`: no reservation, as many as the account has left."
  type = object({
    gate = optional(object({
      memory_mb       = optional(number, 256)
      timeout_seconds = optional(number, 60)
      concurrency     = optional(number)
    }), {})
    webhook = optional(object({
      memory_mb       = optional(number, 256)
      timeout_seconds = optional(number, 15)
      concurrency     = optional(number)
    }), {})
    sweep = optional(object({
      memory_mb       = optional(number, 256)
      timeout_seconds = optional(number, 300)
      concurrency     = optional(number)
    }), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for settings in values(var.functions) : settings.memory_mb >= 128 && settings.memory_mb <= 10240 && floor(settings.memory_mb) == settings.memory_mb])
    error_message = "functions.*.memory_mb must be a whole number from 128 to 10240, Lambda's limits."
  }

  validation {
    condition     = alltrue([for settings in values(var.functions) : settings.timeout_seconds >= 10 && settings.timeout_seconds <= 900 && floor(settings.timeout_seconds) == settings.timeout_seconds])
    error_message = "functions.*.timeout_seconds must be a whole number from 10 to 900. GitHub alone may take 10 seconds to answer, and Lambda allows at most 900."
  }

  validation {
    condition     = var.functions.sweep.timeout_seconds >= 120
    error_message = "functions.sweep.timeout_seconds must be at least 120. A sweep takes up new requests for one minute, then spends half a minute on pull requests and deliveries."
  }

  validation {
    condition     = var.functions.webhook.timeout_seconds <= 29
    error_message = "functions.webhook.timeout_seconds must be at most 29. The HTTP API gives up after 30 seconds, and GitHub after 10."
  }

  validation {
    condition     = alltrue([for settings in values(var.functions) : settings.concurrency == null || try(settings.concurrency >= 1 && floor(settings.concurrency) == settings.concurrency, false)])
    error_message = "functions.*.concurrency must be a whole number of at least 1, or null. With 0 the function could never run, and nothing would be approved."
  }
}

variable "table" {
  description = "The table of approval requests, deliveries and audit records. `retention_days` is how long it keeps finished requests and their records. To destroy the table, first apply with `deletion_protection = false`."
  type = object({
    deletion_protection    = optional(bool, true)
    point_in_time_recovery = optional(bool, true)
    retention_days         = optional(number, 365)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.table.retention_days >= 120 && var.table.retention_days <= 3650 && floor(var.table.retention_days) == var.table.retention_days
    error_message = "table.retention_days must be a whole number from 120 to 3650. Observations from deliveries and requests for changes are kept for a year longer, because executions may depend on them. Older reviews can no longer be bound to their commit and count as stale."
  }
}

variable "webhook" {
  description = "How many requests the HTTP API accepts on the webhook's path: `rate` per second, `burst` at once. Beyond that GitHub gets status 429, and the sweep has it deliver again. `path_token` is an unguessable end of that path, against floods: see docs/aws.md. Default: none."
  type = object({
    rate       = optional(number, 50)
    burst      = optional(number, 100)
    path_token = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.webhook.rate >= 1 && var.webhook.burst >= 1 && floor(var.webhook.burst) == var.webhook.burst
    error_message = "webhook.rate must be at least 1 per second, and webhook.burst a whole number of at least 1. With 0 no delivery would get through."
  }

  validation {
    condition     = var.webhook.path_token == null || can(regex("^[A-Za-z0-9_-]{20,64}$", var.webhook.path_token))
    error_message = "webhook.path_token must be 20 to 64 letters, digits, `_` or `-`. Make one with: openssl rand -hex 16"
  }
}

variable "logs" {
  description = "Log `level` of the functions, and how many days CloudWatch keeps all logs. Allowed levels: error, warn, info, debug. The audit trail is in the table and does not depend on this."
  type = object({
    level          = optional(string, "info")
    retention_days = optional(number, 90)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["error", "warn", "info", "debug"], var.logs.level)
    error_message = "logs.level must be error, warn, info or debug."
  }

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logs.retention_days)
    error_message = "logs.retention_days must be a value that CloudWatch allows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "alarms" {
  description = "`actions` are ARNs, such as SNS topics, that AWS notifies when an alarm starts and when it ends. The other keys are thresholds; `rejected_signatures` counts within five minutes, and `github_left` is for the calls and for the points that GitHub still allows."
  type = object({
    actions                 = optional(list(string), [])
    oldest_pending_seconds  = optional(number, 86400)
    unsent_callback_seconds = optional(number, 300)
    rejected_signatures     = optional(number, 10)
    github_left             = optional(number, 1000)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for arn in var.alarms.actions : can(regex("^arn:[a-z-]+:[a-z0-9-]+:", arn))])
    error_message = "alarms.actions must be ARNs, such as arn:aws:sns:REGION:ACCOUNT:TOPIC. To alert an e-mail address, subscribe it to a topic."
  }

  validation {
    condition     = var.alarms.oldest_pending_seconds >= 60 && var.alarms.unsent_callback_seconds >= 60 && var.alarms.rejected_signatures >= 1
    error_message = "alarms.oldest_pending_seconds and alarms.unsent_callback_seconds must be at least 60, because the sweep measures once a minute. alarms.rejected_signatures must be at least 1."
  }

  validation {
    condition     = var.alarms.github_left >= 0 && var.alarms.github_left < 5000
    error_message = "alarms.github_left must be from 0 to 4999. GitHub allows at least 5,000 calls an hour, and alarms of more would never end."
  }
}

variable "dashboard" {
  description = "Whether the module creates a CloudWatch dashboard."
  type        = bool
  default     = true
  nullable    = false
}

variable "task_response_scope" {
  description = "Which waiting executions the functions may answer. Allowed values: `any` (all of this account), `state-machine` (only this installation's). AWS's documentation contradicts itself on whether the narrower one works, so try it in your account first."
  type        = string
  default     = "any"
  nullable    = false

  validation {
    condition     = contains(["any", "state-machine"], var.task_response_scope)
    error_message = "task_response_scope must be any or state-machine."
  }
}

variable "kms_key_arn" {
  description = "ARN of your own KMS key for the table, topics, queues, secrets, logs and the functions' environment. Default: AWS's own keys. The key's policy must allow logs.REGION.amazonaws.com, and events.amazonaws.com and sns.amazonaws.com for undelivered messages."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID). An alias does not work, because IAM policies need the key itself."
  }
}

variable "permissions_boundary" {
  description = "ARN of an IAM policy that becomes the permissions boundary of every role in the module. Default: no boundary."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of a managed policy (arn:aws:iam::ACCOUNT:policy/NAME)."
  }
}

variable "tags" {
  description = "Tags for every resource that supports them."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "tags must not start with aws:. AWS reserves that prefix."
  }
}
