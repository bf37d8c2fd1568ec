//! Who could approve, and how much of that may be shown: where everybody may read, groups and teams, and not names.

use std::collections::BTreeSet;

use super::View;
use super::markdown::{code, words};
use crate::approval::decision::Unmet;
use crate::ident::Login;
use crate::policy::{ApproverRef, Leaf};

/// The most people that a line names.
const MOST_NAMED: usize = 12;
/// What stands for somebody whom only the policy names.
const SOMEBODY: &str = "a person whom the policy names";

/// What may be said of people on one page.
pub(super) struct People<'a> {
    view: View<'a>,
    /// Logins that a requirement names one by one, the longest first, and that are not to be read here.
    hidden: Vec<&'a Login>,
}

impl<'a> People<'a> {
    pub(super) fn new(view: View<'a>) -> Self {
        let mut hidden: Vec<&Login> = Vec::new();
        if view.public {
            // Who has reviewed has shown themselves.
            let reviewers: BTreeSet<&Login> =
                view.card.decision.iter().flat_map(|d| &d.reviews).filter_map(|review| review.user.as_ref()).collect();
            let named = leaves(view).into_iter().flat_map(|leaf| &leaf.of).filter_map(|of| match of {
                ApproverRef::User(user) => Some(&user.login),
                ApproverRef::Group(_) | ApproverRef::Team(_) => None,
            });
            hidden = named.filter(|login| !reviewers.contains(login)).collect();
            hidden.sort_by_key(|login| (usize::MAX - login.as_str().len(), *login));
            hidden.dedup();
        }
        Self { view, hidden }
    }

    /// A text of the decision, as Markdown.
    pub(super) fn words(&self, text: &str) -> String {
        words(&self.plain(text))
    }

    /// A text of the decision, with nobody named in it who is not to be.
    pub(super) fn plain(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for login in &self.hidden {
            text = unnamed(&text, &format!("@{login}"));
        }
        text
    }

    /// Who could give what is lacking, as Markdown.
    pub(super) fn who(&self, unmet: &Unmet) -> String {
        if unmet.can_approve.is_empty() {
            return "nobody can approve".to_owned();
        }
        if self.view.public {
            let mut who: Vec<String> = refs(self.view, unmet).into_iter().map(shown_ref).collect();
            who.dedup();
            return if who.is_empty() { "others can approve".to_owned() } else { format!("from {}", who.join(", ")) };
        }
        let (named, others) = unmet.can_approve.split_at(unmet.can_approve.len().min(MOST_NAMED));
        let mut who: Vec<String> = named.iter().map(|login| words(login.as_str())).collect();
        if !others.is_empty() {
            who.push(format!("{} others", others.len()));
        }
        format!("{} can approve", who.join(", "))
    }
}

/// A group, a team or a person of the policy, where names are not to be read.
fn shown_ref(of: &ApproverRef) -> String {
    match of {
        ApproverRef::Group(group) => code(&group.name),
        ApproverRef::Team(team) => code(&format!("@{team}")),
        ApproverRef::User(_) => SOMEBODY.to_owned(),
    }
}

/// The text with other words in a name's place; not where the name is the beginning of a longer one.
fn unnamed(text: &str, name: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = find(rest, name) {
        shown.push_str(before);
        let longer = after.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '[' | '/'));
        shown.push_str(if longer { name } else { SOMEBODY });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// What stands before and behind a name, which is compared without case.
fn find<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let at = text.to_ascii_lowercase().find(&name.to_ascii_lowercase())?;
    Some((text.get(..at)?, text.get(at + name.len()..)?))
}

fn leaves(view: View<'_>) -> Vec<&Leaf> {
    let requirement = view.card.request.rule.rule().requirement();
    requirement.map(|requirement| requirement.leaves()).unwrap_or_default()
}

/// Out of whom a leaf asks, with those who stand in by now. Leaves that are called alike ask alike.
pub(super) fn refs<'a>(view: View<'a>, unmet: &Unmet) -> Vec<&'a ApproverRef> {
    let rule = view.card.request.rule.rule();
    let asked = view.card.request.requested_at.zip(view.card.decision.map(|decision| decision.evaluated_at));
    let passed = asked.map(|(from, to)| to.duration_since(from)).unwrap_or_default();
    let leaves = leaves(view);
    let mut refs: Vec<&ApproverRef> = Vec::new();
    for leaf in leaves.into_iter().filter(|leaf| *leaf.name == *unmet.name && leaf.count == unmet.need) {
        let steps = rule.escalate().iter().filter(|step| step.after.signed() <= passed);
        let stand_ins = steps.flat_map(|step| step.stand_ins_of(leaf));
        for of in leaf.of.iter().chain(stand_ins) {
            if !refs.contains(&of) {
                refs.push(of);
            }
        }
    }
    refs
}

#[cfg(test)]
mod tests {
    use super::unnamed;

    #[test]
    fn a_name_is_taken_out_and_a_longer_one_is_not() {
        let text = "1 of payments, @Dana or @dana-two; `@dana` or @dana";
        let expected = "1 of payments, a person whom the policy names or @dana-two; \
                        `a person whom the policy names` or a person whom the policy names";
        assert_eq!(unnamed(text, "@dana"), expected);
        assert_eq!(unnamed("ü @dana/x", "@dana"), "ü @dana/x");
    }
}
