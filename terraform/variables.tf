variable "name" {
  description = "Name of this installation: the state machine and the table have it, everything else begins with it."
  type        = string
  default     = "countersign"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 characters: lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen. The names of roles and functions are made of it."
  }
}

variable "enabled" {
  description = "Whether anything is made at all. Taking an installation away also takes its records away: see table.deletion_protection."
  type        = bool
  default     = true
  nullable    = false
}

variable "package" {
  description = "The functions' code: `folder` holds gate.zip, webhook.zip and sweep.zip of one release, for this `architecture` (x86_64 or arm64)."
  type = object({
    folder       = string
    architecture = optional(string, "x86_64")
  })
  nullable = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.package.architecture)
    error_message = "package.architecture is x86_64 or arm64, as the zips were built: arm64 code does not start on x86_64, nor the other way round."
  }

  validation {
    condition     = !var.enabled || alltrue([for file in ["gate.zip", "webhook.zip", "sweep.zip"] : fileexists("${var.package.folder}/${file}")])
    error_message = "package.folder holds no gate.zip, webhook.zip and sweep.zip. Unpack a release into it, or build them with scripts/package."
  }
}

variable "policy_bundle" {
  description = "The folder that `countersign bundle -o DIR` wrote: policy.zip and policy.json."
  type        = string
  nullable    = false

  validation {
    condition     = !var.enabled || alltrue([for file in ["policy.zip", "policy.json"] : fileexists("${var.policy_bundle}/${file}")])
    error_message = "policy_bundle holds no policy.zip and policy.json. Write them with: countersign bundle --policy policies -o DIR"
  }

  validation {
    condition     = !var.enabled || !fileexists("${var.policy_bundle}/policy.json") || try(jsondecode(file("${var.policy_bundle}/policy.json")).schema == 1, false)
    error_message = "policy_bundle's policy.json is not of schema 1. Write it with the countersign of the release that the functions are of."
  }
}

variable "github" {
  description = "Where pull requests are reviewed. `url` is GitHub's API, for GitHub Enterprise Server https://HOST/api/v3. `secret_arn` and `webhook_secret_arn` are secrets in Secrets Manager that are there already; left out, the module makes empty ones, whose values are put by hand and never stand in Terraform's state."
  type = object({
    url                = optional(string, "https://api.github.com")
    secret_arn         = optional(string)
    webhook_secret_arn = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^https://[^/ ]+(/[^ ]*[^/ ])?$", var.github.url)) || can(regex("^http://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?(/[^ ]*[^/ ])?$", var.github.url))
    error_message = "github.url is an https:// address without a slash at its end, such as https://api.github.com; plain http:// is for this machine only."
  }

  validation {
    condition     = alltrue([for arn in [var.github.secret_arn, var.github.webhook_secret_arn] : arn == null || can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*]+$", arn))])
    error_message = "github.secret_arn and github.webhook_secret_arn are ARNs of secrets in Secrets Manager (arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX), without a wildcard. The secret itself never goes here."
  }

  validation {
    condition     = var.github.secret_arn == null || var.github.secret_arn != var.github.webhook_secret_arn
    error_message = "github.secret_arn and github.webhook_secret_arn are two secrets: the function that takes webhooks is the only one that reads the second."
  }
}

variable "functions" {
  description = "Size and time limit of each function, and how many may run at once (`null`: as many as the account has left)."
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
    error_message = "functions.*.memory_mb is a whole number from 128 to 10240, as Lambda has it."
  }

  validation {
    condition     = alltrue([for settings in values(var.functions) : settings.timeout_seconds >= 10 && settings.timeout_seconds <= 900 && floor(settings.timeout_seconds) == settings.timeout_seconds])
    error_message = "functions.*.timeout_seconds is a whole number from 10 to 900: GitHub alone may take 10 seconds to answer, and Lambda ends after 900."
  }

  validation {
    condition     = var.functions.sweep.timeout_seconds >= 120
    error_message = "functions.sweep.timeout_seconds is 120 at least: a sweep begins requests for a minute, and goes on for half a minute with pages and deliveries."
  }

  validation {
    condition     = var.functions.webhook.timeout_seconds <= 29
    error_message = "functions.webhook.timeout_seconds is 29 at most: the HTTP API gives up after 30 seconds, and GitHub after 10."
  }

  validation {
    condition     = alltrue([for settings in values(var.functions) : settings.concurrency == null || try(settings.concurrency >= 1 && floor(settings.concurrency) == settings.concurrency, false)])
    error_message = "functions.*.concurrency is a whole number from 1, or null. With 0 the function could never run, and nothing would be approved."
  }
}

variable "table" {
  description = "The table of requests, deliveries and audit records. `retention_days` is how long what is over is kept; deletion protection has to be taken off, and applied, before the table can be destroyed."
  type = object({
    deletion_protection    = optional(bool, true)
    point_in_time_recovery = optional(bool, true)
    retention_days         = optional(number, 365)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.table.retention_days >= 120 && var.table.retention_days <= 3650 && floor(var.table.retention_days) == var.table.retention_days
    error_message = "table.retention_days is a whole number from 120 to 3650: what deliveries told, and requests for changes, are kept for a year longer, since executions may rest on them. Reviews from before that can no longer be shown to be bound to their commit, and then count as stale."
  }
}

variable "webhook" {
  description = "How many deliveries a second the HTTP API lets through, and how many at once. Beyond it GitHub is answered 429, and the sweep has it deliver again."
  type = object({
    rate  = optional(number, 50)
    burst = optional(number, 100)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.webhook.rate >= 1 && var.webhook.burst >= 1 && floor(var.webhook.burst) == var.webhook.burst
    error_message = "webhook.rate is 1 or more a second and webhook.burst a whole number from 1: with 0 no delivery would come in."
  }
}

variable "logs" {
  description = "The functions' log `level`, and for how many days all logs are kept. The audit trail is in the table and does not depend on it."
  type = object({
    level          = optional(string, "info")
    retention_days = optional(number, 90)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["error", "warn", "info", "debug"], var.logs.level)
    error_message = "logs.level is error, warn, info or debug."
  }

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logs.retention_days)
    error_message = "logs.retention_days is one of those that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "alarms" {
  description = "`actions` are told when an alarm goes off and when it is over: ARNs of SNS topics, say. The rest is from when on something is worth a call."
  type = object({
    actions                 = optional(list(string), [])
    oldest_pending_seconds  = optional(number, 86400)
    unsent_callback_seconds = optional(number, 300)
    rejected_signatures     = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for arn in var.alarms.actions : can(regex("^arn:[a-z-]+:[a-z0-9-]+:", arn))])
    error_message = "alarms.actions are ARNs, such as arn:aws:sns:REGION:ACCOUNT:TOPIC. An e-mail address is subscribed to a topic first."
  }

  validation {
    condition     = var.alarms.oldest_pending_seconds >= 60 && var.alarms.unsent_callback_seconds >= 60 && var.alarms.rejected_signatures >= 1
    error_message = "alarms.oldest_pending_seconds and alarms.unsent_callback_seconds are 60 or more, since the sweep looks once a minute; alarms.rejected_signatures is 1 or more in five minutes."
  }
}

variable "dashboard" {
  description = "Whether a CloudWatch dashboard is made."
  type        = bool
  default     = true
  nullable    = false
}

variable "task_response_scope" {
  description = "What the functions may answer waiting executions of: `any` of this account, or `state-machine`, this installation's alone. AWS does not say whether it honours the narrow one: try it in your account before you rely on it."
  type        = string
  default     = "any"
  nullable    = false

  validation {
    condition     = contains(["any", "state-machine"], var.task_response_scope)
    error_message = "task_response_scope is any or state-machine."
  }
}

variable "kms_key_arn" {
  description = "A KMS key of your own for the table, topics, queues, secrets, logs and the functions' environment. Left out, AWS's own keys are used. The key's policy must let logs.REGION.amazonaws.com use it, and events.amazonaws.com and sns.amazonaws.com for what could not be delivered."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID). An alias will not do: IAM policies take the key itself."
  }
}

variable "permissions_boundary" {
  description = "ARN of an IAM policy that bounds every role of the module."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary is the ARN of a managed policy (arn:aws:iam::ACCOUNT:policy/NAME)."
  }
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "tags that begin with aws: are AWS's own and cannot be set."
  }
}
