variable "region" {
  description = "Region of the gate."
  type        = string
  default     = "eu-central-1"
}

variable "name" {
  description = "Name of this installation."
  type        = string
  default     = "countersign"
}

variable "package" {
  description = "The folder with gate.zip, webhook.zip and sweep.zip."
  type        = string
  default     = "../../../dist"
}

variable "architecture" {
  description = "Architecture for which the zips were built."
  type        = string
  default     = "x86_64"
}

variable "policy_bundle" {
  description = "The folder that `countersign bundle -o` wrote."
  type        = string
  default     = "../../../dist/policy"
}

variable "github_url" {
  description = "URL of GitHub's API."
  type        = string
  default     = "https://api.github.com"
}

variable "deletion_protection" {
  description = "Whether the table is protected against deletion."
  type        = bool
  default     = true
}
