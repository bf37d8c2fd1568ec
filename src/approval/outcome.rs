//! What the people's reviews add up to: the requirement as a tree of how far each part is met, what is missing and who
//! could give it, and every review's outcome in words.

use jiff::Timestamp;

use super::decision::{
    Applies, Group, Part, Quorum, Reason, ReasonCode, ReviewOutcome, ReviewReason, ReviewVerdict, Unmet, Verdict,
};
use super::eligible::{is_one_of, is_user, unreadable};
use super::facts::{AccountKind, Facts, Person, PullRequest, ReviewState};
use super::matching::{Assignment, Shape, Slot, assign};
use super::review::{Detail, Scales, Weighed};
use crate::ident::{Login, UserId};
use crate::policy::{ApproverRef, Leaf, Requirement, Rule};

/// What the reviews came to under a rule.
pub(super) struct People {
    pub(super) requirement: Part,
    pub(super) unmet: Vec<Unmet>,
    pub(super) counts: Vec<Login>,
    pub(super) reviews: Vec<ReviewOutcome>,
    /// Whose request for changes ends the request.
    pub(super) rejecting: Vec<Person>,
    /// Whose request for changes holds the request.
    pub(super) blocking: Vec<Person>,
    /// The last instant at which all approvals that count still do.
    pub(super) first_expiry: Option<Timestamp>,
    unreadable: Vec<String>,
    exclusion_unknown: Option<String>,
    /// Standing approvals that are bound to the head, whether or not they count.
    approvals: Vec<(UserId, Timestamp)>,
    names: Vec<(String, u32, u32)>,
}

/// Weighs the reviews, assigns those that count, and words what came of it.
pub(super) fn weigh_people(
    rule: &Rule<'_>,
    requirement: &Requirement,
    facts: &Facts,
    pull_request: &PullRequest,
) -> People {
    let scales = Scales::new(rule, requirement, facts, pull_request);
    let weighed = scales.weigh();
    let leaves = requirement.leaves();
    let counting: Vec<&Person> = weighed
        .iter()
        .filter(|weighed| weighed.verdict == ReviewVerdict::Counts)
        .filter_map(|weighed| weighed.review.user.as_ref())
        .collect();
    let slots: Vec<Slot> = leaves.iter().map(|leaf| slot(leaf, &counting, facts)).collect();
    let shape = shape(requirement, &mut 0);
    let assignment = assign(&shape, &slots, counting.len(), rule.distinct());
    let ledger = Ledger {
        scales: &scales,
        leaves: &leaves,
        counting: &counting,
        not_asked: not_asked(&shape, &slots, counting.len(), rule.distinct()),
        assignment,
    };
    let chosen = |verdict| weighed.iter().filter(move |weighed| weighed.verdict == verdict);
    let people_of = |verdict| chosen(verdict).filter_map(|weighed| weighed.review.user.clone()).collect();
    People {
        requirement: ledger.part(requirement, &mut 0),
        unmet: ledger.unmet(),
        counts: counting.iter().map(|person| person.login.clone()).collect(),
        reviews: weighed.iter().map(|weighed| ledger.outcome(weighed)).collect(),
        rejecting: people_of(ReviewVerdict::Rejects),
        blocking: people_of(ReviewVerdict::Blocks),
        first_expiry: chosen(ReviewVerdict::Counts).filter_map(|weighed| scales.expires(weighed.review)).min(),
        unreadable: unreadable(scales.asked.iter().copied().chain(rule.veto()), &facts.teams)
            .into_iter()
            .map(ToString::to_string)
            .collect(),
        exclusion_unknown: scales.exclusions.unknown.clone(),
        approvals: weighed.iter().filter_map(bound_approval).collect(),
        names: ledger.names(),
    }
}

/// A standing approval of the head, with its time.
fn bound_approval(weighed: &Weighed<'_>) -> Option<(UserId, Timestamp)> {
    let standing = match weighed.reason {
        ReviewReason::Counts
        | ReviewReason::Author
        | ReviewReason::Committer
        | ReviewReason::Pusher
        | ReviewReason::Requester
        | ReviewReason::ExclusionUnknown
        | ReviewReason::Bot
        | ReviewReason::NotEligible
        | ReviewReason::TooOld => weighed.review.state == ReviewState::Approved,
        ReviewReason::Comment
        | ReviewReason::NotNamed
        | ReviewReason::NoUser
        | ReviewReason::Superseded
        | ReviewReason::Dismissed
        | ReviewReason::Stale
        | ReviewReason::ChangesRequested
        | ReviewReason::EarlierChangesRequested
        | ReviewReason::NoSay
        | ReviewReason::ChangesIgnored => false,
    };
    if !standing {
        return None;
    }
    Some((weighed.review.user.as_ref()?.id, weighed.review.submitted_at?))
}

fn slot(leaf: &Leaf, counting: &[&Person], facts: &Facts) -> Slot {
    let eligible = counting
        .iter()
        .enumerate()
        .filter(|(_, person)| is_one_of(person, &leaf.of, &facts.teams))
        .map(|(at, _)| at)
        .collect();
    Slot { need: usize::try_from(leaf.count).unwrap_or(usize::MAX), eligible }
}

/// The requirement with its leaves numbered as written.
fn shape(requirement: &Requirement, next: &mut usize) -> Shape {
    let mut parts = |parts: &[Requirement]| parts.iter().map(|part| shape(part, next)).collect();
    match requirement {
        Requirement::AllOf(list) | Requirement::InOrder(list) => {
            let parts = parts(list);
            if matches!(requirement, Requirement::InOrder(_)) { Shape::InOrder(parts) } else { Shape::All(parts) }
        }
        Requirement::AnyOf(list) => Shape::Any(parts(list)),
        Requirement::Leaf(_) => {
            *next += 1;
            Shape::Leaf(*next - 1)
        }
    }
}

/// The leaves of steps that are not asked yet: those behind the first step of an `in_order` that cannot be met together
/// with all before it.
fn not_asked(shape: &Shape, slots: &[Slot], people: usize, distinct: bool) -> Vec<usize> {
    let parts = match shape {
        Shape::Leaf(_) => return Vec::new(),
        Shape::All(parts) | Shape::Any(parts) | Shape::InOrder(parts) => parts,
    };
    let mut later: Vec<usize> = Vec::new();
    if matches!(shape, Shape::InOrder(_)) {
        let met = |steps: usize| {
            let before = Shape::All(parts.iter().take(steps).cloned().collect());
            assign(&before, slots, people, distinct).lacking == 0
        };
        let asked = (1..=parts.len()).find(|steps| !met(*steps)).unwrap_or(parts.len());
        later.extend(parts.iter().skip(asked).flat_map(Shape::leaves));
    }
    later.extend(parts.iter().flat_map(|part| not_asked(part, slots, people, distinct)));
    later
}

/// The requirement with everything that is needed to word it.
struct Ledger<'a, 'f, 'r> {
    scales: &'a Scales<'f, 'r>,
    leaves: &'a [&'a Leaf],
    counting: &'a [&'f Person],
    assignment: Assignment,
    not_asked: Vec<usize>,
}

impl Ledger<'_, '_, '_> {
    fn serves(&self, leaf: usize) -> &[usize] {
        self.assignment.serves.get(leaf).map(Vec::as_slice).unwrap_or_default()
    }

    fn is_chosen(&self, leaf: usize) -> bool {
        self.assignment.chosen.contains(&leaf)
    }

    fn have(&self, leaf: usize) -> u32 {
        u32::try_from(self.serves(leaf).len()).unwrap_or(u32::MAX)
    }

    fn part(&self, requirement: &Requirement, next: &mut usize) -> Part {
        let mut group = |parts: &[Requirement], any: bool| {
            let parts: Vec<Part> = parts.iter().map(|part| self.part(part, next)).collect();
            let met = if any { parts.iter().any(Part::met) } else { parts.iter().all(Part::met) };
            Group { met, applies: Applies::Yes, parts }
        };
        match requirement {
            Requirement::AllOf(parts) => Part::AllOf(group(parts, false)),
            Requirement::InOrder(parts) => Part::InOrder(group(parts, false)),
            Requirement::AnyOf(parts) => Part::AnyOf(group(parts, true)),
            Requirement::Leaf(leaf) => {
                let at = *next;
                *next += 1;
                let have = self.have(at);
                let approved_by = self
                    .serves(at)
                    .iter()
                    .filter_map(|person| self.counting.get(*person))
                    .map(|person| person.login.clone())
                    .collect();
                Part::Quorum(Quorum {
                    name: leaf.name.to_string(),
                    need: leaf.count,
                    have,
                    met: have >= leaf.count,
                    applies: Applies::Yes,
                    source: leaf.source.to_string(),
                    approved_by,
                    can_approve: self.can_approve(leaf),
                })
            }
        }
    }

    fn unmet(&self) -> Vec<Unmet> {
        let lacks = |at: &usize, leaf: &Leaf| self.is_chosen(*at) && self.have(*at) < leaf.count;
        self.leaves
            .iter()
            .enumerate()
            .filter(|(at, leaf)| lacks(at, leaf))
            .map(|(at, leaf)| Unmet {
                name: leaf.name.to_string(),
                need: leaf.count,
                have: self.have(at),
                can_approve: self.can_help(at),
                asked: !self.not_asked.contains(&at),
                unsatisfiable: self.is_unsatisfiable(leaf),
            })
            .collect()
    }

    /// `1 of 2 payments`, for every leaf that was chosen.
    fn names(&self) -> Vec<(String, u32, u32)> {
        let chosen = self.leaves.iter().enumerate().filter(|(at, _)| self.is_chosen(*at));
        chosen
            .map(|(at, leaf)| {
                let counted = leaf.name.strip_prefix(&format!("{} of ", leaf.count));
                let name = counted.or_else(|| leaf.name.strip_prefix("all of ")).unwrap_or(&leaf.name);
                (name.to_owned(), self.have(at), leaf.count)
            })
            .collect()
    }

    /// Everyone the leaf lists, by login, as far as the teams could be read; none of the excluded.
    fn candidates(&self, leaf: &Leaf) -> Vec<Login> {
        let exclusions = &self.scales.exclusions;
        let mut logins: Vec<Login> = Vec::new();
        for user in leaf.of.iter().flat_map(ApproverRef::users).filter(|user| !exclusions.excludes_user(user)) {
            logins.push(user.login.clone());
        }
        for team in leaf.of.iter().flat_map(ApproverRef::teams) {
            for member in self.scales.facts.teams.get(team).into_iter().flatten() {
                if member.kind == AccountKind::User && exclusions.reason(member).is_none() {
                    logins.push(member.login.clone());
                }
            }
        }
        let mut seen: Vec<Login> = Vec::with_capacity(logins.len());
        for login in logins {
            if !seen.contains(&login) {
                seen.push(login);
            }
        }
        seen
    }

    fn can_approve(&self, leaf: &Leaf) -> Vec<Login> {
        if self.scales.exclusions.unknown.is_some() {
            return Vec::new();
        }
        let counts = |login: &Login| {
            self.counting.iter().any(|person| {
                person.login == *login
                    || leaf
                        .of
                        .iter()
                        .flat_map(ApproverRef::users)
                        .any(|user| user.login == *login && is_user(person, user))
            })
        };
        self.candidates(leaf).into_iter().filter(|login| !counts(login)).collect()
    }

    /// Who could give what the leaf lacks: its own people, and with `distinct` also those of leaves that one of its
    /// people serves, since whoever takes over there sets that person free.
    fn can_help(&self, leaf: usize) -> Vec<Login> {
        let mut reached = vec![leaf];
        let mut logins: Vec<Login> = Vec::new();
        let mut next = 0;
        while let Some((at, leaf)) = reached.get(next).and_then(|at| Some((*at, self.leaves.get(*at)?))) {
            next += 1;
            for login in self.can_approve(leaf) {
                if !logins.contains(&login) {
                    logins.push(login);
                }
            }
            if !self.scales.rule.distinct() {
                continue;
            }
            let asked = |person: &Person| is_one_of(person, &leaf.of, &self.scales.facts.teams);
            let movable =
                self.counting.iter().enumerate().filter(|(_, person)| asked(person)).map(|(number, _)| number);
            for person in movable {
                let serving =
                    (0..self.leaves.len()).find(|other| *other != at && self.serves(*other).contains(&person));
                reached.extend(serving.filter(|other| !reached.contains(other)));
            }
        }
        logins
    }

    fn is_unsatisfiable(&self, leaf: &Leaf) -> bool {
        unreadable(&leaf.of, &self.scales.facts.teams).is_empty()
            && usize::try_from(leaf.count).is_ok_and(|count| self.candidates(leaf).len() < count)
    }

    fn outcome(&self, weighed: &Weighed<'_>) -> ReviewOutcome {
        let review = weighed.review;
        ReviewOutcome {
            id: review.id,
            user: review.user.as_ref().map(|user| user.login.clone()),
            state: review.state,
            verdict: weighed.verdict,
            reason: weighed.reason,
            text: self.text(weighed),
        }
    }

    /// The reason in words, made to be read by the person whose review it is.
    fn text(&self, weighed: &Weighed<'_>) -> String {
        let review = weighed.review;
        let user = review.user.as_ref().map_or("someone", |user| user.login.as_str());
        let target = &self.scales.facts.target;
        let head = self.scales.pull_request.head.short();
        match weighed.reason {
            ReviewReason::Counts => format!("counts toward {}", self.counts_toward(user)),
            ReviewReason::Comment if review.state == ReviewState::Pending => "is not submitted yet".to_owned(),
            ReviewReason::Comment => "a comment takes no side".to_owned(),
            ReviewReason::NotNamed => match weighed.detail {
                Detail::MustName => format!("must name the target in its first line: `/approve {target}`"),
                Detail::NamedOnlyByApi => {
                    "names the target in a text that may have been edited since; approve again".to_owned()
                }
                Detail::Broken(why) => format!("its first line does not parse: {why}; write `/approve {target}`"),
                Detail::OtherTargets
                | Detail::None
                | Detail::OtherCommit
                | Detail::BeforeHead
                | Detail::HeadUnknown
                | Detail::BeforeBase
                | Detail::NoTime
                | Detail::DismissalDoesNotCount => format!("names other targets than {target}"),
            },
            ReviewReason::NoUser => "its account is gone".to_owned(),
            ReviewReason::Superseded => format!("{user} gave a later review"),
            ReviewReason::Dismissed => match &review.dismissed_by {
                Some(by) => format!("was dismissed by {}", by.login),
                None => "was dismissed".to_owned(),
            },
            ReviewReason::Stale => self.stale_text(weighed),
            ReviewReason::Author => format!("{user} opened the pull request"),
            ReviewReason::Committer => format!("{user} wrote or committed part of the pull request"),
            ReviewReason::Pusher => format!("{user} pushed to the branch"),
            ReviewReason::Requester => format!("{user} requested the deployment"),
            ReviewReason::ExclusionUnknown => self.scales.exclusions.unknown.clone().unwrap_or_default(),
            ReviewReason::Bot => format!("{user} is not a person, and the policy does not list it"),
            ReviewReason::NotEligible => format!("{user} is asked for nowhere in this rule"),
            ReviewReason::TooOld => match self.scales.rule.max_age() {
                Some(age) => format!("is older than {age}: approve again"),
                None => "is too old: approve again".to_owned(),
            },
            ReviewReason::ChangesRequested | ReviewReason::EarlierChangesRequested => {
                let earlier = weighed.reason == ReviewReason::EarlierChangesRequested;
                let on = if earlier { format!(" on a commit before {head}") } else { String::new() };
                let despite = match (weighed.detail, &review.dismissed_by) {
                    (Detail::DismissalDoesNotCount, Some(by)) => {
                        format!("; the dismissal by {} does not lift it", by.login)
                    }
                    (Detail::DismissalDoesNotCount, None) => "; its dismissal does not lift it".to_owned(),
                    _ => String::new(),
                };
                format!("{user} requested changes{on}{despite}")
            }
            ReviewReason::NoSay => format!("{user} requested changes, and has no say under this rule"),
            ReviewReason::ChangesIgnored => "the rule ignores requests for changes".to_owned(),
        }
    }

    fn stale_text(&self, weighed: &Weighed<'_>) -> String {
        let head = self.scales.pull_request.head.short();
        match weighed.detail {
            Detail::BeforeHead => format!("was given before {head} became the head"),
            Detail::HeadUnknown => format!("it is not known when {head} became the head: approve again"),
            Detail::BeforeBase => "was given before the base branch was changed".to_owned(),
            Detail::NoTime => "it is not known when it was given: approve again".to_owned(),
            Detail::OtherCommit
            | Detail::None
            | Detail::OtherTargets
            | Detail::MustName
            | Detail::NamedOnlyByApi
            | Detail::Broken(_)
            | Detail::DismissalDoesNotCount => match &weighed.review.revision {
                Some(revision) => format!("was given on {}, and the head is {head}", revision.short()),
                None => format!("was given on a commit that GitHub no longer knows, and the head is {head}"),
            },
        }
    }

    /// The leaf that the person serves, else the first that asks for them.
    fn counts_toward(&self, login: &str) -> String {
        let Some(at) = self.counting.iter().position(|person| person.login.as_str() == login) else {
            return "the requirement".to_owned();
        };
        let serving = (0..self.leaves.len()).find(|leaf| self.serves(*leaf).contains(&at));
        let asked = || {
            let person = self.counting.get(at)?;
            self.leaves.iter().position(|leaf| is_one_of(person, &leaf.of, &self.scales.facts.teams))
        };
        let leaf = serving.or_else(asked).and_then(|leaf| self.leaves.get(leaf));
        leaf.map_or_else(|| "the requirement".to_owned(), |leaf| leaf.name.to_string())
    }
}

impl People {
    /// Whether the requirement is met.
    pub(super) fn met(&self) -> bool {
        self.requirement.met()
    }

    /// Whose request for changes stands.
    pub(super) fn objectors(&self) -> impl Iterator<Item = &Person> {
        self.rejecting.iter().chain(&self.blocking)
    }

    /// Whether the person has approved the head later than the instant.
    pub(super) fn approved_since(&self, person: &Person, at: Timestamp) -> bool {
        self.approvals.iter().any(|(id, submitted_at)| *id == person.id && *submitted_at > at)
    }

    /// The people whose approvals count, for a sentence.
    pub(super) fn approvers(&self) -> String {
        self.counts.iter().map(Login::as_str).collect::<Vec<_>>().join(", ")
    }

    /// The decision in one line.
    pub(super) fn summary(&self, verdict: Verdict) -> String {
        if verdict == Verdict::Approved {
            return format!("approved by {}", self.approvers());
        }
        let part = |(name, have, need): &(String, u32, u32)| {
            format!("{have} of {need} {name}{}", if have >= need { " met" } else { "" })
        };
        self.names.iter().map(part).collect::<Vec<_>>().join("; ")
    }

    /// Why approvals are still waited for.
    pub(super) fn why_pending(&self, requirement: &Requirement) -> Vec<Reason> {
        let leaves = requirement.leaves();
        let source = |name: &str| leaves.iter().find(|leaf| *leaf.name == *name).map(|leaf| leaf.source.to_string());
        let mut reasons: Vec<Reason> = Vec::new();
        for unmet in &self.unmet {
            let missing = unmet.need.saturating_sub(unmet.have);
            let people = if missing == 1 { "approval" } else { "approvals" };
            let text = format!("`{}` lacks {missing} {people}", unmet.name);
            reasons.push(Reason { code: ReasonCode::QuorumUnmet, text, source: source(&unmet.name) });
            if unmet.unsatisfiable {
                let text =
                    format!("`{}` can never be met: too few people are left once the excluded are gone", unmet.name);
                reasons.push(Reason { code: ReasonCode::Unsatisfiable, text, source: source(&unmet.name) });
            }
        }
        for team in &self.unreadable {
            let text = format!("the team {team} could not be read: nobody counts by it, and everyone may object");
            reasons.push(Reason { code: ReasonCode::TeamUnreadable, text, source: None });
        }
        if let Some(why) = &self.exclusion_unknown {
            reasons.push(Reason { code: ReasonCode::ExclusionUnknown, text: why.clone(), source: None });
        }
        reasons
    }
}
