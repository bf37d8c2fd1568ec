//! The changes between two policies as text, as JSON, and as a comment on a pull request.
//!
//! In the text and the comment, targets with equal changes are grouped.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::field::{in_line, value};
use super::visible;
use crate::policy::{Change, Diff, Direction, Field, FieldChange, Part, Rule, Sides, Subject};

/// The first line of the comment, by which it is found and updated.
pub const MARKER: &str = "<!-- countersign-diff -->";
/// The most characters of a comment. GitHub allows 65,536.
const MOST_OF_A_COMMENT: usize = 60_000;

/// A changed field of a target, as in JSON.
#[derive(Debug, PartialEq, Eq, Hash, Serialize)]
struct Row<'d> {
    field: &'static str,
    old: Value,
    new: Value,
    change: &'static str,
    text: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sides: Option<&'d Sides>,
}

impl Row<'_> {
    /// The meaning, with a line for each side.
    fn lines(&self) -> Vec<String> {
        match self.sides {
            None => vec![self.text.to_owned()],
            Some(Sides { looser, stricter }) => vec![format!("looser: {looser}"), format!("stricter: {stricter}")],
        }
    }
}

fn rows<'d>(change: &'d Change<'_>) -> Vec<Row<'d>> {
    let row = |field: &'d FieldChange| Row {
        field: field.part.as_str(),
        old: of_part(change.old.as_ref(), field.part),
        new: of_part(change.new.as_ref(), field.part),
        change: field.change.as_str(),
        text: &field.text,
        sides: field.sides.as_ref(),
    };
    change.fields.iter().map(row).collect()
}

/// The value of a part in a rule. Null if there is no rule.
fn of_part(rule: Option<&Rule<'_>>, part: Part) -> Value {
    let Some(rule) = rule else { return Value::Null };
    match part {
        // The most important part of a rule that is added or removed is who must approve.
        Part::Rule | Part::Floor => value(rule, Field::Require),
        Part::Field(field) => value(rule, field),
        Part::Repository => json!(rule.repository),
        Part::Branches => json!(rule.branches),
        Part::ServiceNotify => json!(rule.service_notify),
        Part::Description => json!(rule.description),
    }
}

/// `{"changes": […], "looser": n, …}`.
#[must_use]
pub fn json(diff: &Diff<'_>) -> Value {
    let changes: Vec<Value> = diff
        .changes
        .iter()
        .map(|change| {
            json!({
                "service": change.service.name,
                "service_pattern": change.service.pattern,
                "environment": change.environment.name,
                "environment_pattern": change.environment.pattern,
                "change": change.change.as_str(),
                "fields": rows(change),
            })
        })
        .collect();
    let count = |direction| diff.count(direction);
    json!({
        "schema": 1,
        "changes": changes,
        "looser": count(Direction::Looser),
        "stricter": count(Direction::Stricter),
        "mixed": count(Direction::Mixed),
        "different": count(Direction::Different),
    })
}

/// Targets with equal changes.
struct Alike<'d> {
    change: Direction,
    rows: Vec<Row<'d>>,
    targets: Vec<(&'d Subject, &'d Subject)>,
}

impl<'d> Alike<'d> {
    /// Looser targets come first.
    fn all(diff: &'d Diff<'_>) -> Vec<Self> {
        let mut alike: Vec<Self> = Vec::new();
        let mut places: HashMap<(Direction, &'d Subject, String), usize> = HashMap::new();
        for change in &diff.changes {
            let rows = rows(change);
            let key = (change.change, &change.environment, format!("{rows:?}"));
            let place = *places.entry(key).or_insert(alike.len());
            match alike.get_mut(place) {
                Some(known) => known.targets.push((&change.service, &change.environment)),
                None => {
                    let targets = vec![(&change.service, &change.environment)];
                    alike.push(Self { change: change.change, rows, targets });
                }
            }
        }
        alike.sort_by_key(|alike| alike.change);
        alike
    }

    /// `checkout:production and 412 other services`.
    fn heading(&self) -> String {
        let Some((service, environment)) = self.targets.first() else { return String::new() };
        let others = match self.targets.len() - 1 {
            0 => String::new(),
            1 => " and 1 other service".to_owned(),
            others => format!(" and {others} other services"),
        };
        let target = format!("{}:{}", service.name, environment.name);
        let example_for: Vec<String> = [service, environment]
            .into_iter()
            .filter_map(|subject| subject.pattern.as_ref().filter(|pattern| **pattern != subject.name))
            .map(|pattern| format!("`{pattern}`"))
            .collect();
        let example_for = if example_for.is_empty() || !others.is_empty() {
            String::new()
        } else {
            format!(", for every name that only {} matches", example_for.join(" or "))
        };
        format!("{target}{others}{example_for}")
    }
}

/// `1 looser, 0 mixed, 2 stricter, 1 different`.
fn counted(diff: &Diff<'_>) -> String {
    let counts = Direction::ALL.map(|direction| format!("{} {direction}", diff.count(direction)));
    counts.join(", ")
}

const NOTHING: &str = "nothing changes: every target is decided as before";

/// Looser targets come first, and the counts last.
#[must_use]
pub fn text(diff: &Diff<'_>) -> String {
    if diff.changes.is_empty() {
        return format!("{NOTHING}\n");
    }
    let mut lines = Vec::new();
    for alike in Alike::all(diff) {
        lines.push(format!("{:<9}  {}", alike.change.as_str(), alike.heading()));
        for row in &alike.rows {
            let change = if row.old == row.new { String::new() } else { format!(": {}", old_and_new(row)) };
            lines.push(format!("    {} ({}){change}", row.field, row.change));
            lines.extend(row.lines().into_iter().map(|line| format!("        {line}")));
        }
        lines.push(String::new());
    }
    lines.push(format!("targets: {}", counted(diff)));
    lines.iter().map(|line| visible(line) + "\n").collect()
}

fn old_and_new(row: &Row<'_>) -> String {
    format!("{} → {}", in_line(&row.old), in_line(&row.new))
}

/// A comment for a pull request. Its [`MARKER`] lets a later run update it.
#[must_use]
pub fn markdown(diff: &Diff<'_>) -> String {
    let mut out = format!("{MARKER}\n### What this change means for approvals\n\n");
    if diff.changes.is_empty() {
        out.push_str("Nothing changes: every target is decided as before.\n");
        return out;
    }
    out.push_str(&format!("Targets: {}.\n", counted(diff)));
    let all = Alike::all(diff);
    for (number, alike) in all.iter().enumerate() {
        let block = block(alike);
        if out.len() + block.len() > MOST_OF_A_COMMENT {
            let left: usize = all.iter().skip(number).map(|alike| alike.targets.len()).sum();
            out.push_str(&format!(
                "\nThe comment is full: {left} more targets change. `countersign diff` shows all.\n"
            ));
            break;
        }
        out.push_str(&block);
    }
    out
}

/// A foldable section. It is open if something may become looser.
fn block(alike: &Alike<'_>) -> String {
    let open = if alike.change.loosens() { " open" } else { "" };
    let mut out = format!(
        "\n<details{open}>\n<summary><b>{}</b> {}</summary>\n\n| field | | before | now | what it means |\n|---|---|---|---|---|\n",
        alike.change,
        escaped(&alike.heading())
    );
    for row in &alike.rows {
        let code = |value: &Value| format!("<code>{}</code>", escaped(&in_line(value)));
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            escaped(row.field),
            row.change,
            code(&row.old),
            code(&row.new),
            row.lines().iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br>")
        ));
    }
    out.push_str("\n</details>\n");
    out
}

/// Escapes text for Markdown on GitHub. Special characters become entities, text in backticks becomes code, and an `@`
/// cannot mention anybody.
fn escaped(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ,.:;/()=-".contains(c) || !c.is_ascii();
    let mut out = String::new();
    for (at, part) in visible(text).split('`').enumerate() {
        let is_code = at % 2 == 1;
        if is_code {
            out.push_str("<code>");
        }
        for c in part.chars() {
            match c {
                // With a character in between, GitHub does not notify the person.
                '@' => out.push_str("&#64;&#8203;"),
                c if plain(c) => out.push(c),
                c => out.push_str(&format!("&#{};", u32::from(c))),
            }
        }
        if is_code {
            out.push_str("</code>");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn text_of_a_policy_is_only_text_in_a_comment() {
        assert_eq!(escaped("pia alone suffices now"), "pia alone suffices now");
        assert_eq!(escaped("where `infra/*` | <b>"), "where <code>infra/&#42;</code> &#124; &#60;b&#62;");
        assert_eq!(escaped("@dana"), "&#64;&#8203;dana");
        assert_eq!(escaped("a`b\n"), "a<code>b␊</code>");
    }
}
