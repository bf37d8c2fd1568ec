//! Who could approve, and how much of that a text may say: if everybody may read it, groups and teams instead of names.

use std::collections::BTreeSet;

use super::RequestStatus;
use super::markdown::{code, words};
use crate::approval::decision::{Unmet, Verdict};
use crate::ident::{Login, RepositoryName, TeamSlug};
use crate::policy::{ApproverRef, Leaf};
use crate::request::published::{Reviewer, Stage};

/// The most people that a line names.
const MOST_NAMED: usize = 12;
/// The most members to request one by one if their team cannot be requested.
const MOST_IN_PLACE: usize = 15;
/// What stands for somebody whom only the policy names.
const SOMEBODY: &str = "a person whom the policy names";

/// What a text may say of people.
pub(super) struct People<'a> {
    status: &'a RequestStatus,
    public: bool,
    /// Logins that a requirement names one by one and that may not be shown, the longest first.
    hidden: Vec<&'a Login>,
}

impl<'a> People<'a> {
    pub(super) fn new(status: &'a RequestStatus, public: bool) -> Self {
        let mut hidden: Vec<&Login> = Vec::new();
        if public {
            // A review is public, and so is its author.
            let reviews = status.decision.iter().flat_map(|decision| &decision.reviews);
            let reviewers: BTreeSet<&Login> = reviews.filter_map(|review| review.user.as_ref()).collect();
            let named = leaves(status).into_iter().flat_map(|leaf| &leaf.of).filter_map(|of| match of {
                ApproverRef::User(user) => Some(&user.login),
                ApproverRef::Group(_) | ApproverRef::Team(_) => None,
            });
            hidden = named.filter(|login| !reviewers.contains(login)).collect();
            hidden.sort_by_key(|login| (usize::MAX - login.as_str().len(), *login));
            hidden.dedup();
        }
        Self { status, public, hidden }
    }

    /// A text of the decision without hidden names, as Markdown.
    pub(super) fn words(&self, text: &str) -> String {
        words(&self.text(text))
    }

    /// A text of the decision without hidden names.
    pub(super) fn text(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, login| unnamed(&text, &format!("@{login}")))
    }

    /// Who could give what is lacking, as Markdown.
    pub(super) fn who(&self, unmet: &Unmet) -> String {
        if unmet.can_approve.is_empty() {
            return "nobody can approve".to_owned();
        }
        if self.public {
            let mut who: Vec<String> = approvers(self.status, unmet).into_iter().map(public_name).collect();
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

fn public_name(of: &ApproverRef) -> String {
    match of {
        ApproverRef::Group(group) => code(&group.name),
        ApproverRef::Team(team) => code(&format!("@{team}")),
        ApproverRef::User(_) => SOMEBODY.to_owned(),
    }
}

/// Replaces a name in a text, but not where a longer name begins with it.
fn unnamed(text: &str, name: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = split_at_name(rest, name) {
        replaced.push_str(before);
        let longer = after.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '[' | '/'));
        replaced.push_str(if longer { name } else { SOMEBODY });
        rest = after;
    }
    replaced.push_str(rest);
    replaced
}

/// Returns what stands before and after a name, which is compared without case.
fn split_at_name<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let at = text.to_ascii_lowercase().find(&name.to_ascii_lowercase())?;
    Some((text.get(..at)?, text.get(at + name.len()..)?))
}

fn leaves(status: &RequestStatus) -> Vec<&Leaf> {
    let requirement = status.request.rule.rule().requirement();
    requirement.map(|requirement| requirement.leaves()).unwrap_or_default()
}

/// The approvers of an unmet leaf, with those who may stand in by now. Leaves of the same name have the same approvers.
fn approvers<'a>(status: &'a RequestStatus, unmet: &Unmet) -> Vec<&'a ApproverRef> {
    let rule = status.request.rule.rule();
    let decided_at = status.decision.as_ref().map(|decision| decision.evaluated_at);
    let passed = status.request.requested_at.zip(decided_at).map(|(from, to)| to.duration_since(from));
    let passed = passed.unwrap_or_default();
    let mut approvers: Vec<&ApproverRef> = Vec::new();
    for leaf in leaves(status).into_iter().filter(|leaf| *leaf.name == *unmet.name && leaf.count == unmet.need) {
        let steps = rule.escalate().iter().filter(|step| step.after.signed() <= passed);
        let stand_ins = steps.flat_map(|step| step.stand_ins_of(leaf));
        for of in leaf.of.iter().chain(stand_ins) {
            if !approvers.contains(&of) {
                approvers.push(of);
            }
        }
    }
    approvers
}

/// Returns whose review to request, in the order of names: people and teams who are needed now and whose approval would
/// count. A team is requested as a team if the repository's owner has it. GitHub cannot request another owner's team: its
/// members are requested by name if they are few.
#[must_use]
pub fn reviewers(status: &RequestStatus, repository: &RepositoryName) -> Vec<Reviewer> {
    let Some(decision) = &status.decision else { return Vec::new() };
    if status.stage != Stage::Waiting || decision.verdict != Verdict::Pending {
        return Vec::new();
    }
    let needed = decision.unmet.iter().filter(|unmet| unmet.asked && !unmet.unsatisfiable);
    let all: BTreeSet<Reviewer> =
        needed.flat_map(|unmet| reviewers_of_leaf(status, unmet, repository.parts().0)).collect();
    all.into_iter().collect()
}

fn reviewers_of_leaf(status: &RequestStatus, unmet: &Unmet, owner: &str) -> Vec<Reviewer> {
    let approvers = approvers(status, unmet);
    let listed: Vec<&Login> = approvers.iter().flat_map(|of| of.users()).map(|user| &user.login).collect();
    let (named, through_teams): (Vec<&Login>, Vec<&Login>) =
        unmet.can_approve.iter().filter(|login| !login.is_bot()).partition(|login| listed.contains(login));
    let mut reviewers: Vec<Reviewer> = named.into_iter().cloned().map(Reviewer::Person).collect();
    let teams = || approvers.iter().flat_map(|of| of.teams());
    let own = |team: &&TeamSlug| team.is_of(owner);
    // A team is not requested if none of its members can approve any more.
    if !through_teams.is_empty() {
        let own: Vec<Reviewer> = teams().filter(own).cloned().map(Reviewer::Team).collect();
        if own.is_empty() && through_teams.len() <= MOST_IN_PLACE && teams().next().is_some() {
            reviewers.extend(through_teams.into_iter().cloned().map(Reviewer::Person));
        }
        reviewers.extend(own);
    }
    reviewers
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
