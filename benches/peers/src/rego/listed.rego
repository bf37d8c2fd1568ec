# Finds the rule of a service in a plain list of rules.
package approval

import rego.v1

body := [rule.body |
	some rule in data.rules
	rule.environment == input.environment
	named(rule)
][0]

named(rule) if rule.service == input.service

named(rule) if startswith(input.service, rule.prefix)

named(rule) if regex.match(rule.pattern, input.service)
