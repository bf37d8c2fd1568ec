output "gate" {
  description = "The state machine that pipelines start."
  value       = module.countersign.gate
}

output "caller" {
  description = "What a pipeline needs that calls the gate."
  value       = module.countersign.caller
}

output "webhook" {
  description = "Where GitHub sends its deliveries."
  value       = module.countersign.webhook
}

output "secrets" {
  description = "The secrets, to be filled by hand."
  value       = module.countersign.secrets
}

output "functions" {
  description = "The functions and their roles."
  value       = module.countersign.functions
}

output "policy" {
  description = "The policy that is in force."
  value       = module.countersign.policy
}

output "notifications" {
  description = "The topic of each channel."
  value       = module.countersign.notifications
}

output "table" {
  description = "The table."
  value       = module.countersign.table
}

output "monitoring" {
  description = "Alarms and dashboard."
  value       = module.countersign.monitoring
}
