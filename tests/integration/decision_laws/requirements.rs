//! What is reported of a requirement, compared with trying every choice and every assignment one by one.

use std::collections::{BTreeMap, BTreeSet};

use countersign::approval::decide;
use countersign::approval::decision::{Decision, ReasonCode, Verdict};
use countersign::approval::facts::Facts;
use countersign::finding::{Source, SourceContent};
use countersign::policy::{Policy, load};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

/// How many people there are. `p0` opened the pull request, and the members of the team are drawn.
const PEOPLE: usize = 6;

/// A part of a requirement. Leaves are numbered once the whole is drawn.
#[derive(Debug, Clone)]
enum Made {
    Leaf { number: usize, count: usize, of: Vec<usize>, team: bool, group: bool, when: Applies },
    All(Vec<Made>),
    Any(Vec<Made>),
    InOrder(Vec<Made>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Applies {
    No,
    Unknown,
    Yes,
}

fn leaf() -> impl Strategy<Value = Made> {
    let when = prop_oneof![10 => Just(Applies::Yes), 1 => Just(Applies::Unknown), 1 => Just(Applies::No)];
    let of = subsequence((0..PEOPLE).collect::<Vec<_>>(), 1..4);
    (1..3_usize, of, prop::bool::weighted(0.15), prop::bool::weighted(0.2), when).prop_map(
        |(count, of, team, group, when)| {
            let listed = of.len() + usize::from(group && !of.contains(&1));
            let count = if team { count } else { count.min(listed) };
            Made::Leaf { number: 0, count, of, team, group, when }
        },
    )
}

fn requirement() -> impl Strategy<Value = Made> {
    let nested = leaf().prop_recursive(3, 6, 3, |inner| {
        prop::collection::vec(inner, 2..4).prop_flat_map(|parts| {
            select(vec![
                Made::All(parts.clone()),
                Made::Any(parts.clone()),
                Made::Any(parts.clone()),
                Made::InOrder(parts),
            ])
        })
    });
    let numbered = nested.prop_map(|mut made| {
        made.number(&mut 0);
        made
    });
    numbered.prop_filter("too many to try them all", |made| made.leaves().len() <= 6)
}

impl Made {
    fn number(&mut self, next: &mut usize) {
        match self {
            Self::Leaf { number, .. } => {
                *number = *next;
                *next += 1;
            }
            Self::All(parts) | Self::Any(parts) | Self::InOrder(parts) => {
                parts.iter_mut().for_each(|part| part.number(next));
            }
        }
    }

    fn parts(&self) -> &[Self] {
        match self {
            Self::Leaf { .. } => &[],
            Self::All(parts) | Self::Any(parts) | Self::InOrder(parts) => parts,
        }
    }

    fn each<'m>(&'m self, visit: &mut impl FnMut(&'m Self)) {
        visit(self);
        self.parts().iter().for_each(|part| part.each(visit));
    }

    fn written(&self) -> Value {
        let list = |parts: &[Self]| parts.iter().map(Self::written).collect::<Vec<_>>();
        match self {
            Self::Leaf { number, count, of, team, group, when } => {
                let mut refs: Vec<String> = of.iter().map(|person| format!("@p{person}")).collect();
                refs.extend(team.then(|| "@acme/team".to_owned()));
                refs.extend(group.then(|| "helped".to_owned()));
                let mut leaf = json!({ "count": count, "of": refs, "name": format!("q{number}") });
                match when {
                    Applies::Yes => {}
                    Applies::Unknown => leaf["when"] = json!({ "input": { "/unknown": "x" } }),
                    Applies::No => leaf["when"] = json!({ "version": ["v2"] }),
                }
                leaf
            }
            Self::All(parts) => json!({ "all_of": list(parts) }),
            Self::Any(parts) => json!({ "any_of": list(parts) }),
            Self::InOrder(parts) => json!({ "in_order": list(parts) }),
        }
    }

    fn applies(&self) -> Applies {
        match self {
            Self::Leaf { when, .. } => *when,
            Self::All(parts) | Self::Any(parts) | Self::InOrder(parts) => {
                parts.iter().map(Self::applies).max().unwrap_or(Applies::No)
            }
        }
    }

    /// Every choice of parts, in the order written: its leaves, and how many of its choices have no part that surely
    /// applies.
    fn choices(&self) -> Vec<(BTreeSet<usize>, u32)> {
        let parts: Vec<&Self> = self.parts().iter().filter(|part| part.applies() != Applies::No).collect();
        match self {
            Self::Leaf { number, .. } => vec![([*number].into(), 0)],
            Self::Any(_) => {
                let sure = parts.iter().any(|part| part.applies() == Applies::Yes);
                let usable = parts.iter().filter(|part| !sure || part.applies() == Applies::Yes);
                let choices = usable.flat_map(|part| part.choices());
                choices.map(|(leaves, doubts)| (leaves, doubts + u32::from(!sure))).collect()
            }
            Self::All(_) | Self::InOrder(_) => parts.iter().fold(vec![(BTreeSet::new(), 0)], |before, part| {
                let one = part.choices();
                let with = |(leaves, doubts): &(BTreeSet<usize>, u32)| {
                    let both = |(more, others): &(BTreeSet<usize>, u32)| (leaves | more, doubts + others);
                    one.iter().map(both).collect::<Vec<_>>()
                };
                before.iter().flat_map(with).collect()
            }),
        }
    }

    fn leaves(&self) -> BTreeSet<usize> {
        let mut leaves = BTreeSet::new();
        self.each(&mut |part| leaves.extend(if let Self::Leaf { number, .. } = part { Some(*number) } else { None }));
        leaves
    }

    /// The leaves of all steps.
    fn steps(&self) -> BTreeSet<usize> {
        match self {
            Self::InOrder(_) => self.leaves(),
            Self::Leaf { .. } | Self::All(_) | Self::Any(_) => self.parts().iter().flat_map(Self::steps).collect(),
        }
    }
}

#[derive(Debug, Clone)]
struct World {
    require: Made,
    distinct: bool,
    /// `None` if the team cannot be read.
    team: Option<Vec<usize>>,
    committer: usize,
    /// Who stands in for the group `helped`, which has nobody by itself but `p1`.
    stand_ins: Vec<usize>,
    escalated: bool,
    approvals: Vec<usize>,
}

fn world() -> impl Strategy<Value = World> {
    let some = |most| subsequence((0..PEOPLE).collect::<Vec<_>>(), 0..most);
    (
        (requirement(), prop::bool::weighted(0.8), prop::option::weighted(0.8, some(4))),
        (0..PEOPLE, subsequence((0..PEOPLE).collect::<Vec<_>>(), 1..3), any::<bool>()),
        some(5).prop_shuffle(),
    )
        .prop_map(|((require, distinct, team), (committer, stand_ins, escalated), approvals)| World {
            require,
            distinct,
            team,
            committer,
            stand_ins,
            escalated,
            approvals,
        })
}

fn person(number: usize) -> Value {
    json!({ "id": number + 1, "login": format!("p{number}") })
}

impl World {
    fn decision(&self) -> Decision {
        let stand_ins: Vec<String> = self.stand_ins.iter().map(|person| format!("@p{person}")).collect();
        let bundle = json!({
            "version": 1,
            "groups": { "helped": { "users": ["p1"] } },
            "services": { "world": { "repository": "acme/world", "environments": { "production": {
                "require": self.require.written(), "distinct": self.distinct, "timeout": "6h",
                "escalate": [{ "after": "2h", "stand_in": { "helped": stand_ins } }],
            } } } },
        });
        let content = SourceContent::Bytes(bundle.to_string().into_bytes());
        let loaded = load(vec![Source { name: "p.yaml".to_owned(), content }]);
        let policy: Policy = loaded.policy.unwrap_or_else(|| panic!("{:?} in {bundle:#}", loaded.findings));
        decide(&policy, &self.facts())
    }

    fn facts(&self) -> Facts {
        let approval = |(at, by): (usize, &usize)| {
            json!({ "id": at + 1, "user": person(*by), "state": "approved", "body": "", "revision": "a1",
                    "bound_by": "delivery", "submitted_at": format!("2026-11-18T08:3{at}:00Z") })
        };
        let members = self.team.iter().map(|team| team.iter().copied().map(person).collect::<Vec<_>>());
        let teams: BTreeMap<&str, Vec<Value>> = members.map(|members| ("acme/team", members)).collect();
        let facts = json!({
            "schema": 1, "now": if self.escalated { "2026-11-18T11:00:00Z" } else { "2026-11-18T09:00:00Z" },
            "target": { "service": "world", "environment": "production" }, "version": "v1",
            "requested_at": "2026-11-18T08:00:00Z", "revision": "a1", "teams": teams,
            "pull_request": {
                "repository": "acme/world", "default_branch": "main", "number": 7, "state": "open", "head": "a1",
                "base": "main", "author": person(0), "files_complete": true,
                "commits": [{ "sha": "a1", "author": person(self.committer), "committer": person(self.committer) }],
                "commits_complete": true, "pushers": [person(0)], "pushers_complete": true,
            },
            "reviews": self.approvals.iter().enumerate().map(approval).collect::<Vec<_>>(),
        });
        serde_json::from_value(facts).expect("facts")
    }

    /// What each leaf takes, and who could serve it: of those who approved, or of everyone who ever could.
    fn sides(&self, ever: bool) -> BTreeMap<usize, (usize, BTreeSet<usize>)> {
        let mut sides = BTreeMap::new();
        self.require.each(&mut |part| {
            let Made::Leaf { number, count, of, team, group, .. } = part else { return };
            let mut who: BTreeSet<usize> = of.iter().copied().collect();
            who.extend(self.team.iter().flatten().filter(|_| *team));
            who.extend(group.then_some(1));
            who.extend(self.stand_ins.iter().filter(|_| *group && (ever || self.escalated)));
            who.retain(|person| ![0, self.committer].contains(person));
            who.retain(|person| ever || self.approvals.contains(person));
            let count = if ever && *team && self.team.is_none() { 0 } else { *count };
            sides.insert(*number, (count, who));
        });
        sides
    }

    /// How many people each of the leaves gets, if the first leaves are served first.
    fn served(&self, leaves: &[usize], ever: bool) -> Vec<usize> {
        let sides = self.sides(ever);
        let most: Vec<usize> = leaves.iter().map(|leaf| sides[leaf].0).collect();
        if !self.distinct {
            return leaves.iter().zip(&most).map(|(leaf, most)| sides[leaf].1.len().min(*most)).collect();
        }
        let mut reached: BTreeSet<Vec<usize>> = [vec![0; leaves.len()]].into();
        for person in 0..PEOPLE {
            for have in reached.clone() {
                for (at, leaf) in leaves.iter().enumerate() {
                    if have[at] < most[at] && sides[leaf].1.contains(&person) {
                        let mut more = have.clone();
                        more[at] += 1;
                        reached.insert(more);
                    }
                }
            }
        }
        reached.into_iter().max().expect("nobody serves")
    }

    fn lacks(&self, leaves: &[usize], ever: bool) -> u32 {
        let sides = self.sides(ever);
        let needed: usize = leaves.iter().map(|leaf| sides[leaf].0).sum();
        u32::try_from(needed - self.served(leaves, ever).iter().sum::<usize>()).expect("few")
    }

    fn can_be_met(&self, (leaves, doubts): &(BTreeSet<usize>, u32)) -> bool {
        *doubts == 0 && self.lacks(&leaves.iter().copied().collect::<Vec<_>>(), true) == 0
    }

    /// The choice to report, how many people and certain parts it lacks, and whether it can ever be met.
    fn reported(&self) -> ((BTreeSet<usize>, u32), u32, bool) {
        let rank = |choice: (BTreeSet<usize>, u32)| {
            let lacks = self.lacks(&choice.0.iter().copied().collect::<Vec<_>>(), false) + choice.1;
            let possible = self.can_be_met(&choice);
            (choice, lacks, possible)
        };
        let ranked: Vec<_> = self.require.choices().into_iter().map(rank).collect();
        let met = ranked.iter().find(|(_, lacks, _)| *lacks == 0);
        let best = ranked.iter().min_by_key(|(_, lacks, possible)| (!possible, *lacks));
        met.or(best).expect("a choice").clone()
    }

    /// What the decision must say is unmet: the leaf, what it has, and whether it is requested.
    fn unmet(&self, chosen: &(BTreeSet<usize>, u32)) -> Vec<(usize, usize, bool)> {
        let steps = self.require.steps();
        let (first, then): (Vec<usize>, Vec<usize>) = chosen.0.iter().partition(|leaf| steps.contains(leaf));
        let order: Vec<usize> = first.into_iter().chain(then).collect();
        let have: BTreeMap<usize, usize> = order.iter().copied().zip(self.served(&order, false)).collect();
        let sides = self.sides(false);
        let lacking: BTreeSet<usize> =
            have.iter().filter(|(leaf, have)| **have < sides[leaf].0).map(|(leaf, _)| *leaf).collect();
        let later = later_steps(&self.require, &chosen.0, &lacking);
        lacking.iter().map(|leaf| (*leaf, have[leaf], !later.contains(leaf))).collect()
    }
}

/// Whether a part of the choice is met, if no leaf but the lacking ones lacks people.
fn is_met(part: &Made, chosen: &BTreeSet<usize>, lacking: &BTreeSet<usize>) -> bool {
    let parts: Vec<&Made> =
        part.parts().iter().filter(|part| part.leaves().iter().any(|leaf| chosen.contains(leaf))).collect();
    match part {
        Made::Leaf { number, .. } => !lacking.contains(number),
        Made::All(_) | Made::InOrder(_) => parts.iter().all(|part| is_met(part, chosen, lacking)),
        Made::Any(_) => parts.iter().all(|part| part.applies() == Applies::Yes && is_met(part, chosen, lacking)),
    }
}

fn later_steps(part: &Made, chosen: &BTreeSet<usize>, lacking: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut later: BTreeSet<usize> = part.parts().iter().flat_map(|part| later_steps(part, chosen, lacking)).collect();
    if let Made::InOrder(steps) = part {
        let after = steps.iter().filter(|step| step.applies() != Applies::No);
        let after = after.skip_while(|step| is_met(step, chosen, lacking)).skip(1);
        later.extend(after.flat_map(Made::leaves));
    }
    later
}

/// The leaves that a text names.
fn named(text: &str) -> Vec<usize> {
    text.split('`').filter_map(|word| word.strip_prefix('q')?.parse().ok()).collect()
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn the_choice_reported_is_the_one_that_lacks_the_fewest_of_those_that_can_be_met(world in world()) {
        if world.require.applies() == Applies::No {
            return Ok(());
        }
        let decision = world.decision();
        let (choice, lacks, possible) = world.reported();
        prop_assert_eq!(decision.verdict == Verdict::Approved, lacks == 0, "{:#?}", decision);
        let unmet: Vec<(usize, usize, bool)> = decision.unmet.iter()
            .map(|unmet| (unmet.name.trim_start_matches('q').parse().expect("a number"), unmet.have as usize, unmet.asked))
            .collect();
        prop_assert_eq!(unmet, world.unmet(&choice), "{:?} of {:#?}", choice, decision);

        let impossible: Vec<Vec<usize>> = decision.reasons.iter()
            .filter(|reason| reason.code == ReasonCode::Unsatisfiable)
            .map(|reason| named(&reason.text))
            .collect();
        let people_suffice = possible || world.can_be_met(&(choice.0.clone(), 0));
        prop_assert_eq!(impossible.is_empty(), lacks == 0 || people_suffice, "{:#?}", decision);
        for together in &impossible {
            prop_assert!(world.lacks(together, true) > 0, "{:?} of {:#?}", together, decision);
            let names_it = |name: &str| together.iter().any(|leaf| format!("q{leaf}") == name);
            prop_assert!(decision.unmet.iter().any(|unmet| unmet.unsatisfiable && names_it(&unmet.name)), "{:#?}", decision);
        }
        // Without the parts that are named, the rest of the choice can be met.
        let impossible: BTreeSet<usize> = impossible.concat().into_iter().collect();
        let rest: Vec<usize> = choice.0.iter().copied().filter(|leaf| !impossible.contains(leaf)).collect();
        prop_assert_eq!(world.lacks(&rest, true), 0, "{:#?}", decision);
        for unmet in &decision.unmet {
            let is_named = impossible.iter().any(|leaf| format!("q{leaf}") == unmet.name);
            prop_assert_eq!(unmet.unsatisfiable, is_named, "{:#?}", decision);
        }
    }

    #[test]
    fn the_other_parts_of_a_choice_that_can_be_met_are_named(world in world(), others in prop::collection::vec(leaf(), 1..4)) {
        let mut parts = vec![world.require.clone()];
        parts.extend(others);
        let mut require = Made::Any(parts);
        require.number(&mut 0);
        let world = World { require, ..world };
        let decision = world.decision();
        if decision.verdict != Verdict::Pending {
            return Ok(());
        }
        let (chosen, ..) = world.reported();
        for part in &world.require.parts()[1..] {
            let leaf = part.leaves().into_iter().next().expect("a leaf");
            let other = format!(", or q{leaf}");
            let mut behind = decision.summary.split(&other).skip(1);
            let is_named = behind.any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
            let possible = part.applies() == Applies::Yes && world.can_be_met(&([leaf].into(), 0));
            prop_assert_eq!(is_named, possible && !chosen.0.contains(&leaf), "{} in {}", leaf, decision.summary);
        }
    }
}
