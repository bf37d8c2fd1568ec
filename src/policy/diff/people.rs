//! The people who matter to two requirements, by the leaves that they count for in each.
//!
//! People who count for the same leaves are one kind. A team stands for any number of unknown people. A listed login or
//! pinned id is one person, who may also be in any team.

use std::collections::BTreeMap;

use crate::ident::{Login, TeamSlug, UserId};
use crate::policy::approver::{ApproverRef, UserRef};
use crate::policy::words::joined;

/// Whom an entry of the policy names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Named {
    Login(Login),
    /// A numeric id. Of a pinned entry, only the id decides.
    Pinned(UserId),
    Team(TeamSlug),
}

impl Named {
    pub(super) fn all<'r>(refs: impl IntoIterator<Item = &'r ApproverRef>) -> Vec<Self> {
        let mut named = Vec::new();
        for entry in refs {
            named.extend(entry.users().iter().map(Self::user));
            named.extend(entry.teams().iter().cloned().map(Self::Team));
        }
        named
    }

    fn user(user: &UserRef) -> Self {
        user.id.map_or_else(|| Self::Login(user.login.clone()), Self::Pinned)
    }

    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Login(login) => login.to_string(),
            Self::Pinned(id) => format!("the account with the id {id}"),
            Self::Team(team) => format!("the team {team}"),
        }
    }
}

/// The leaves that somebody counts for, as bits. `one` is the requirement that must be met, `other` the one that must
/// not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Serves {
    pub(super) one: u32,
    pub(super) other: u32,
}

impl Serves {
    const fn and(self, also: Self) -> Self {
        Self { one: self.one | also.one, other: self.other | also.other }
    }
}

/// Names of one form that count for the same leaves.
#[derive(Debug)]
struct Class {
    serves: Serves,
    named: Vec<Named>,
}

#[derive(Debug)]
pub(super) struct Kind {
    pub(super) serves: Serves,
    /// The numbers of its classes. A person of this kind belongs to all of them.
    classes: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct InPlay {
    classes: Vec<Class>,
    pub(super) kinds: Vec<Kind>,
}

/// The most kinds of people that are tried.
const MOST_KINDS: usize = 64;

impl InPlay {
    /// `named` says who is named for which leaves. `together` says whether one person may count for several leaves of
    /// the requirement that must be met, so that people with several names matter. `None` if there are too many kinds.
    pub(super) fn new(named: &BTreeMap<Named, Serves>, together: bool) -> Option<Self> {
        let mut classes: Vec<Class> = Vec::new();
        for (name, serves) in named.iter().filter(|(_, serves)| serves.one != 0) {
            let same = |class: &&mut Class| class.serves == *serves && class.form() == form(name);
            match classes.iter_mut().find(same) {
                Some(class) => class.named.push(name.clone()),
                None => classes.push(Class { serves: *serves, named: vec![name.clone()] }),
            }
        }
        let mut kinds: Vec<Kind> =
            classes.iter().enumerate().map(|(at, class)| Kind { serves: class.serves, classes: vec![at] }).collect();
        if together {
            kinds = combined(&classes, kinds)?;
        }
        let mut in_play = Self { classes, kinds };
        in_play.drop_replaceable();
        (in_play.kinds.len() <= MOST_KINDS).then_some(in_play)
    }

    /// Drops each kind that people of another, unlimited kind can replace: they count for at least as much in `one`,
    /// and for at most as much in `other`.
    fn drop_replaceable(&mut self) {
        let kinds = std::mem::take(&mut self.kinds);
        let within = |a: u32, b: u32| a & b == a;
        let unlimited = |kind: &Kind| kind.classes.iter().all(|class| self.is_team(*class));
        let mut kept: Vec<Kind> = Vec::new();
        let (free, bound): (Vec<Kind>, Vec<Kind>) = kinds.into_iter().partition(|kind| unlimited(kind));
        for kind in free.into_iter().chain(bound) {
            let better = |other: &Kind| {
                unlimited(other)
                    && within(kind.serves.one, other.serves.one)
                    && within(other.serves.other, kind.serves.other)
            };
            if !kept.iter().any(better) {
                kept.push(kind);
            }
        }
        // Named people make a simpler example than members of a team.
        kept.sort_by(|a, b| a.classes.cmp(&b.classes));
        self.kinds = kept;
    }

    fn is_team(&self, class: usize) -> bool {
        self.classes.get(class).is_some_and(|class| class.form() == Form::Team)
    }

    /// Whether there can be people of these kinds together.
    pub(super) fn can_be(&self, people: &[usize]) -> bool {
        self.classes.iter().enumerate().all(|(number, class)| {
            let taken = people.iter().filter(|kind| self.is_of(**kind, number)).count();
            class.form() == Form::Team || taken <= class.named.len()
        })
    }

    fn is_of(&self, kind: usize, class: usize) -> bool {
        self.kinds.get(kind).is_some_and(|kind| kind.classes.contains(&class))
    }

    pub(super) fn in_words(&self, people: &[usize]) -> String {
        let mut taken = vec![0_usize; self.classes.len()];
        let mut words: Vec<(String, usize)> = Vec::new();
        for kind in people.iter().filter_map(|kind| self.kinds.get(*kind)) {
            let word = self.person(kind, &mut taken);
            match words.iter_mut().find(|(other, _)| *other == word) {
                Some((_, number)) => *number += 1,
                None => words.push((word, 1)),
            }
        }
        let words: Vec<String> =
            words.into_iter().map(|(word, number)| if number == 1 { word } else { several(&word, number) }).collect();
        joined(&words, "and")
    }

    fn person(&self, kind: &Kind, taken: &mut [usize]) -> String {
        let (mut login, mut teams) = (Vec::new(), Vec::new());
        for number in &kind.classes {
            let Some(class) = self.classes.get(*number) else { continue };
            let at = taken.get(*number).copied().unwrap_or_default();
            match class.named.get(if class.form() == Form::Team { 0 } else { at }) {
                Some(Named::Team(team)) => teams.push(team.to_string()),
                Some(named @ (Named::Login(_) | Named::Pinned(_))) => login.push(named.in_words()),
                None => {}
            }
            if let Some(taken) = taken.get_mut(*number) {
                *taken += 1;
            }
        }
        match (login.is_empty(), teams.is_empty()) {
            (true, _) => format!("a member of {}", joined(&teams, "and")),
            (false, true) => login.join(" who is "),
            (false, false) => format!("{} (also in {})", login.join(" who is "), joined(&teams, "and")),
        }
    }
}

fn several(word: &str, number: usize) -> String {
    word.strip_prefix("a member of ").map_or_else(|| word.to_owned(), |team| format!("{number} members of {team}"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Login,
    Pinned,
    Team,
}

const fn form(named: &Named) -> Form {
    match named {
        Named::Login(_) => Form::Login,
        Named::Pinned(_) => Form::Pinned,
        Named::Team(_) => Form::Team,
    }
}

impl Class {
    fn form(&self) -> Form {
        self.named.first().map_or(Form::Team, form)
    }
}

/// Adds the kinds of people with several names: at most one login, one pinned id, and any teams.
fn combined(classes: &[Class], alone: Vec<Kind>) -> Option<Vec<Kind>> {
    let mut kinds: Vec<Kind> = Vec::new();
    for kind in alone {
        let own = kind.classes.first().and_then(|number| classes.get(*number)).map(Class::form);
        let mut with = Vec::new();
        for other in &kinds {
            let taken = |number: &usize| {
                let form = classes.get(*number).map(Class::form);
                form == own && form != Some(Form::Team)
            };
            if !other.classes.iter().any(taken) {
                let classes = other.classes.iter().chain(&kind.classes).copied().collect();
                with.push(Kind { serves: other.serves.and(kind.serves), classes });
            }
        }
        kinds.push(kind);
        kinds.extend(with);
        if kinds.len() > 8 * MOST_KINDS {
            return None;
        }
    }
    Some(kinds)
}
