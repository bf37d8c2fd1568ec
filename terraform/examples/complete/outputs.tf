output "gate" {
  description = "The state machine that pipelines start."
  value       = module.countersign.gate
}

output "caller" {
  description = "What a pipeline needs to call the gate."
  value       = module.countersign.caller
}

output "webhook" {
  description = "The URL to which GitHub sends its deliveries."
  value       = module.countersign.webhook
}

output "secrets" {
  description = "The secrets, which you fill outside Terraform."
  value       = module.countersign.secrets
}

output "functions" {
  description = "The functions and their roles."
  value       = module.countersign.functions
}

output "policy" {
  description = "The policy in force."
  value       = module.countersign.policy
}

output "notifications" {
  description = "The topic of each channel."
  value       = module.countersign.notifications
}

output "table" {
  description = "The table of approval requests, deliveries and audit records."
  value       = module.countersign.table
}

output "monitoring" {
  description = "The names of the alarms and of the dashboard."
  value       = module.countersign.monitoring
}
