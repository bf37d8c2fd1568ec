//! Floors: limits that no rule may be below. Every entry of `floor` that matches the environment applies.

use super::body::{read_exclude, read_timeout};
use super::duration::Duration;
use super::field::{Exclusion, Mode};
use super::pattern::Pattern;
use super::read::{Keys, Place, Reader};
use super::requirement::Require;
use super::rule::Rule;
use super::setting::Field;
use super::yaml::{Node, Value};
use crate::finding::{Code, Finding};

/// One entry of `floor`.
#[derive(Debug, Clone)]
pub struct Floor {
    /// Matches environments.
    pub selector: Pattern,
    /// How many people must approve, at least.
    pub approvals: Option<u32>,
    pub max_timeout: Option<Duration>,
    /// What every rule must exclude.
    pub exclude: Vec<Exclusion>,
    /// Whether every approval must name its target.
    pub explicit: bool,
    /// Whether rules must not have an override.
    pub no_override: bool,
    /// Whether every user that a rule lists must have a numeric id.
    pub pinned: bool,
    /// Where its key is written.
    pub source: Place,
}

/// How a rule is below a floor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below<'f> {
    pub floor: &'f Floor,
    /// The field of the rule that is too low.
    pub field: Field,
    /// What the rule says, as part of a sentence.
    pub rule_says: String,
    /// What the floor says, as part of a sentence.
    pub floor_says: String,
}

impl PartialEq for Floor {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Floor {}

impl Floor {
    /// The first problem, in the order of the floor's fields. `None` if the rule is above the floor.
    #[must_use]
    pub fn below(&self, rule: &Rule<'_>) -> Option<Below<'_>> {
        let below = |field, rule_says, floor_says| Some(Below { floor: self, field, rule_says, floor_says });
        if let Some(needed) = self.approvals {
            let fewest = match rule.require() {
                Some(Require::People(requirement)) => requirement.fewest_people(rule.distinct(), rule.escalate()),
                Some(Require::Nobody) | None => 0,
            };
            if fewest < needed {
                let people = |number: u32| if number == 1 { "1 person".to_owned() } else { format!("{number} people") };
                return below(
                    Field::Require,
                    format!("can be met by {}", people(fewest)),
                    format!("requires {}", people(needed)),
                );
            }
        }
        if let Some(longest) = self.max_timeout.filter(|longest| rule.timeout() > *longest) {
            return below(Field::Timeout, format!("is {}", rule.timeout()), format!("allows {longest}"));
        }
        if self.explicit && !rule.explicit() {
            return below(Field::Explicit, "is false".to_owned(), "requires `explicit: true`".to_owned());
        }
        if let Some(missing) = self.exclude.iter().find(|exclusion| !rule.exclude().contains(exclusion)) {
            let missing = missing.as_str();
            return below(Field::Exclude, format!("lacks `{missing}`"), format!("excludes `{missing}`"));
        }
        if self.no_override && rule.override_by().is_some() {
            return below(Field::Override, "allows an override".to_owned(), "allows none".to_owned());
        }
        if let Some((field, user)) = rule.first_unpinned().filter(|_| self.pinned) {
            let needs = "requires the numeric id of every user (`pinned: true`), which `countersign pin` adds";
            return below(field, format!("lists `{user}` without a numeric id"), needs.to_owned());
        }
        // A rule that lets everything pass is below every floor.
        (rule.mode() == Mode::Audit).then(|| Below {
            floor: self,
            field: Field::Mode,
            rule_says: "is `audit`, which stops nothing".to_owned(),
            floor_says: "requires `mode: enforce`".to_owned(),
        })
    }
}

impl Below<'_> {
    /// What is wrong, in one sentence.
    #[must_use]
    pub fn in_words(&self) -> String {
        let Self { floor, field, rule_says, floor_says } = self;
        format!("`{}` {rule_says}, but the floor `{}` {floor_says}", field.as_str(), floor.selector)
    }
}

const FLOOR_KEYS: Keys =
    Keys { what: "a floor", known: &["approvals", "max_timeout", "exclude", "explicit", "override", "pinned"] };

/// Reads one entry of `floor`, without its selector.
pub(super) fn read_floor(reader: &mut Reader<'_>, node: &Node, selector: Pattern, source: Place) -> Floor {
    reader.fields(node, &FLOOR_KEYS);
    Floor {
        approvals: node.get("approvals").and_then(|approvals| read_approvals(reader, approvals)),
        max_timeout: node.get("max_timeout").and_then(|timeout| read_timeout(reader, timeout, "max_timeout")),
        exclude: node.get("exclude").and_then(|exclude| read_exclude(reader, exclude)).unwrap_or_default(),
        explicit: read_only(reader, node, "explicit", true),
        no_override: read_only(reader, node, "override", false),
        pinned: read_only(reader, node, "pinned", true),
        selector,
        source,
    }
}

fn read_approvals(reader: &mut Reader<'_>, node: &Node) -> Option<u32> {
    let Value::Integer(count) = node.value else {
        reader.wrong_type(node, "approvals", "a whole number");
        return None;
    };
    if (1..=1000).contains(&count) {
        return u32::try_from(count).ok();
    }
    reader.report(
        Finding::at(Code::InvalidValue, node.span, format!("`approvals` is {count}"))
            .hint("write a number from 1 to 1000, or leave it out"),
    );
    None
}

/// Whether a key is set that takes one value only: the other value would allow what rules may do anyway.
fn read_only(reader: &mut Reader<'_>, node: &Node, key: &str, only: bool) -> bool {
    let Some(given) = node.get(key) else { return false };
    match reader.bool(given, key) {
        Some(value) if value == only => true,
        Some(value) => {
            let message = format!("`{key}: {value}` has no effect in a floor");
            reader.report(
                Finding::at(Code::InvalidValue, given.span, message)
                    .hint(format!("write `{key}: {only}`, or leave it out: a floor can only make rules stricter")),
            );
            false
        }
        None => false,
    }
}
