# Two of the team and one of the listed people. Nobody counts for both. The other policy file defines `body`.
package approval

import rego.v1

default approved := false

approved if {
	asked := data.bodies[body]
	given := {review.user |
		some review in input.reviews
		review.state == "approved"
		review.revision == input.head
		review.user != input.author
	}
	team := {user | some user in given; input.teams[asked.team][user]}
	count(team) >= 2
	listed := {user | some user in given; asked.listed[user]}
	count(listed) >= 1
	count(team | listed) >= 3
}
