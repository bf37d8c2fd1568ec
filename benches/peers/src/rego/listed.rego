# The rule of a service, from a list of rules as one writes it.
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
