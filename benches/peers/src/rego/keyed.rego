# Finds the rule of a service by key: names and the literal prefixes of globs are keys of objects. Uses steps with guards and
# defaults, because the VM of regorus 0.14.1 differs from its interpreter if an `else` follows an `else`, or if an assigned
# value is undefined.
package approval

import rego.v1

default by_name := -1
by_name := data.exact[input.environment][input.service]

default by_glob := -1
by_glob := found if {
	some length in data.lengths
	found := object.get(data.globs[input.environment], substring(input.service, 0, length), -1)
	found >= 0
}

body := by_name if by_name >= 0

body := by_glob if {
	by_name < 0
	by_glob >= 0
}

body := rule.body if {
	by_name < 0
	by_glob < 0
	some rule in data.regexes[input.environment]
	regex.match(rule.pattern, input.service)
}
