//! The effective rule of a target: each field with its value and the place where it is set, and what the rule needs in
//! words.

use serde_json::{Map, Value, json};

use super::field::{self, in_line};
use super::visible;
use crate::ident::Target;
use crate::policy::words::joined;
use crate::policy::{
    ApproverRef, Escalation, Field, FreezeEffect, Mode, NoRule, OnChangesRequested, Pattern, Place, Policy,
    RepositoryPattern, Require, Requirement, Rule, ServiceField,
};

struct Row<'p> {
    name: &'static str,
    value: Value,
    source: Option<&'p Place>,
}

/// The rule as text: the matching entries, every field with the place where it is set, and what is needed in words.
#[must_use]
pub fn text(policy: &Policy, target: &Target, rule: &Rule<'_>) -> String {
    let mut lines = vec![format!("{target}"), String::new()];
    let service = policy.service_source(&target.service).map(|place| format!(" ({place})")).unwrap_or_default();
    lines.push(format!("  service      `{}`{service}", rule.service_selector));
    lines.push(format!("  environment  `{}` ({})", rule.environment_selector, rule.source));
    lines.extend([String::new(), "rule".to_owned()]);
    let fields: Vec<(&str, String, String)> = rows(policy, target, rule)
        .into_iter()
        .map(|row| {
            let source = row.source.map_or_else(|| "built in".to_owned(), ToString::to_string);
            let default_branch = row.name == "branches" && row.value.is_null();
            let value = if default_branch { "the default branch".to_owned() } else { in_line(&row.value) };
            (row.name, value, source)
        })
        .collect();
    let width =
        fields.iter().map(|(_, value, _)| value.chars().count()).filter(|width| *width <= 48).max().unwrap_or(0);
    for (name, value, source) in fields {
        lines.push(format!("  {name:<20}  {value:<width$}  {source}"));
    }
    lines.extend([String::new(), "needed".to_owned()]);
    lines.extend(needed(target, rule).into_iter().map(|line| format!("  {line}")));
    lines.iter().map(|line| visible(line) + "\n").collect()
}

/// The text if there is no rule.
#[must_use]
pub fn text_without(target: &Target, why: NoRule<'_>) -> String {
    let why = visible(&why.in_words(target));
    format!("{target}\n\n  there is no rule, so every request is denied (no-rule): {why}\n")
}

/// The rule as JSON: `{field: {"value", "source"}}`. The source is null if the value is built in.
#[must_use]
pub fn json(policy: &Policy, target: &Target, rule: &Rule<'_>) -> Value {
    let fields = rows(policy, target, rule);
    let fields: Map<String, Value> = fields
        .into_iter()
        .map(|row| (row.name.to_owned(), json!({ "value": row.value, "source": row.source.map(ToString::to_string) })))
        .collect();
    Value::Object(fields)
}

/// What the rule needs for an approval, one sentence per line.
#[must_use]
pub fn needed(target: &Target, rule: &Rule<'_>) -> Vec<String> {
    let requirement = match rule.require() {
        None => return vec!["no layer says who must approve: every request is denied (no-rule)".to_owned()],
        Some(Require::Nobody) => {
            let mut lines = vec!["no approval: the gate needs no pull request and reads no review".to_owned()];
            lines.extend(release(rule));
            return lines;
        }
        Some(Require::People(requirement)) => requirement,
    };
    let repositories: Vec<&str> = rule.repository.iter().map(RepositoryPattern::as_str).collect();
    let mut lines = vec![format!("{} must approve the commit that is deployed", requirement.in_words())];
    lines.extend(who(requirement, rule.veto()));
    lines.push(format!("within {} after the request is opened, otherwise it expires", rule.timeout()));
    match (repositories.as_slice(), rule.branches) {
        ([], _) => lines.push("the rule names no repository: every pull request is denied".to_owned()),
        (_, None) => lines.push(format!("in a pull request of {} into its default branch", repositories.join(" or "))),
        (_, Some(branches)) => {
            let branches: Vec<&str> = branches.iter().map(Pattern::as_str).collect();
            lines.push(format!("in a pull request of {} into {}", repositories.join(" or "), branches.join(" or ")));
        }
    }
    if rule.explicit() {
        lines.push(format!("an approval counts only if it names the target on a line of its own: `/approve {target}`"));
    }
    lines.push(match rule.exclude() {
        [] => "nobody is excluded: the author's own approval counts".to_owned(),
        excluded => format!("approvals by {} never count", joined(excluded.iter().map(|who| who.in_words()), "or")),
    });
    if rule.distinct() && requirement.leaves().len() > 1 {
        lines.push("one person counts for one part only".to_owned());
    } else if !rule.distinct() {
        lines.push("one person may count for several parts".to_owned());
    }
    if let Some(age) = rule.max_age() {
        lines.push(format!("an approval older than {age} no longer counts"));
    }
    lines.push(changes_requested(rule));
    lines.extend(rule.escalate().iter().flat_map(stand_ins));
    lines.extend(release(rule));
    if let Some(field) = rule.override_by() {
        let by = field.by.in_words();
        let valid_for = field.valid_for;
        lines.push(format!("{by} may set this aside for {valid_for}: `/override {target} the reason`"));
    }
    lines
}

/// Who may stand in for whom, and from when.
fn stand_ins(step: &Escalation) -> impl Iterator<Item = String> {
    step.stand_in.iter().map(|stand_in| {
        let by = joined(&stand_in.by, "and");
        format!("{} after the request is opened, {by} may stand in for {}", step.after, stand_in.group.name)
    })
}

/// When an approved request is released.
fn release(rule: &Rule<'_>) -> Vec<String> {
    let mut lines: Vec<String> = rule
        .freeze()
        .iter()
        .map(|freeze| {
            let effect = match freeze.effect {
                FreezeEffect::Deny => "is denied",
                FreezeEffect::Wait => "waits",
            };
            let except = freeze.except.as_ref().map(|except| format!(", except if {except}")).unwrap_or_default();
            let name = freeze.calendar.name();
            format!("a release inside `{name}` ({}) {effect}{except}", freeze.calendar.describe())
        })
        .collect();
    if let Some(window) = rule.window() {
        let names = window.iter().map(|calendar| format!("`{}` ({})", calendar.name(), calendar.describe()));
        lines.push(format!("a release waits until {} is open", joined(names, "or")));
    }
    if let Some(wait) = rule.wait() {
        lines.push(format!("an approved request waits {wait}, and is decided again before it is released"));
    }
    if rule.mode() == Mode::Audit {
        lines.push("the mode is audit: the gate decides and records all this, but stops nothing".to_owned());
    }
    lines
}

/// The members of each group that may approve or request changes, each group once.
fn who(requirement: &Requirement, veto: &[ApproverRef]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let approvers = requirement.leaves().into_iter().flat_map(|leaf| &leaf.of);
    for entry in approvers.chain(veto) {
        let ApproverRef::Group(group) = entry else { continue };
        let teams = group.teams.iter().map(|team| format!("the team {team}"));
        let members = joined(teams.chain(group.users.iter().map(ToString::to_string)), "and");
        let line = format!("{} means {members}", group.name);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

fn changes_requested(rule: &Rule<'_>) -> String {
    let besides = match rule.veto() {
        [] => String::new(),
        veto => format!(", or {},", joined(veto, "or")),
    };
    match rule.on_changes_requested() {
        OnChangesRequested::Reject => format!("changes requested by anyone eligible{besides} end the request"),
        OnChangesRequested::Block => {
            format!("changes requested by anyone eligible{besides} hold the request until they are withdrawn")
        }
        OnChangesRequested::Ignore => "requests for changes are ignored".to_owned(),
    }
}

/// Every field in the order of the language's reference, then those of the service.
fn rows<'p>(policy: &'p Policy, target: &Target, rule: &Rule<'p>) -> Vec<Row<'p>> {
    let service = |name, value, field| Row { name, value, source: policy.service_field_source(&target.service, field) };
    let mut rows: Vec<Row<'p>> = Field::ALL
        .iter()
        .map(|field| Row { name: field.as_str(), value: field::value(rule, *field), source: rule.set_at(*field) })
        .collect();
    rows.extend([
        service("repository", json!(rule.repository), ServiceField::Repository),
        service("branches", json!(rule.branches), ServiceField::Branches),
        service("service_notify", json!(rule.service_notify), ServiceField::Notify),
    ]);
    if let Some(description) = rule.description {
        rows.push(service("description", json!(description), ServiceField::Description));
    }
    rows
}
