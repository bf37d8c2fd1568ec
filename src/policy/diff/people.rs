//! The people in play between two requirements: who could serve what in the one and in the other.
//!
//! People who count for the same are one kind. A team is any number of unknown people; a listed login or pinned id is
//! one person, who may be in any team as well.

use std::collections::BTreeMap;

use crate::ident::{Login, TeamSlug, UserId};
use crate::policy::approver::{ApproverRef, UserRef};

/// Somebody or some people by what the policy calls them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Named {
    /// A login.
    Login(Login),
    /// A numeric id: of a pinned ref only that decides.
    Pinned(UserId),
    /// A team's members.
    Team(TeamSlug),
}

impl Named {
    /// All that some refs name, as written.
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

    /// As part of a sentence.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Login(login) => login.to_string(),
            Self::Pinned(id) => format!("the account with the id {id}"),
            Self::Team(team) => format!("the team {team}"),
        }
    }
}

/// For which leaves somebody counts, in the requirement that is to be met and in the one that is not to be.
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

/// Names that count for the same.
#[derive(Debug)]
struct Class {
    serves: Serves,
    named: Vec<Named>,
}

/// A kind of person.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) serves: Serves,
    /// The classes that it is made of, by number: one person is of all of them at once.
    classes: Vec<usize>,
}

/// The people in play.
#[derive(Debug)]
pub(super) struct InPlay {
    classes: Vec<Class>,
    pub(super) kinds: Vec<Kind>,
}

/// The most kinds of people that are told apart.
const MOST_KINDS: usize = 64;

impl InPlay {
    /// The kinds of people. `named` says who is named for which leaves; `together` is whether one person may serve several
    /// leaves of the requirement that is to be met, so that it matters who is of several names at once. None: too many.
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
        in_play.drop_the_needless();
        (in_play.kinds.len() <= MOST_KINDS).then_some(in_play)
    }

    /// Drops the kinds in whose place one can take any number of people of another, who count for no less in the one
    /// requirement and for no more in the other.
    fn drop_the_needless(&mut self) {
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
        // Those who are named one by one make the plainer example.
        kept.sort_by(|a, b| a.classes.cmp(&b.classes));
        self.kinds = kept;
    }

    fn is_team(&self, class: usize) -> bool {
        self.classes.get(class).is_some_and(|class| class.form() == Form::Team)
    }

    /// Whether there can be so many people of each kind, by the kind of each.
    pub(super) fn can_be(&self, people: &[usize]) -> bool {
        self.classes.iter().enumerate().all(|(number, class)| {
            let taken = people.iter().filter(|kind| self.is_of(**kind, number)).count();
            class.form() == Form::Team || taken <= class.named.len()
        })
    }

    fn is_of(&self, kind: usize, class: usize) -> bool {
        self.kinds.get(kind).is_some_and(|kind| kind.classes.contains(&class))
    }

    /// The people in words, each person once.
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
        listed(&words)
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
            (true, _) => format!("someone of {}", listed(&teams)),
            (false, true) => login.join(" who is "),
            (false, false) => format!("{} who is of {} too", login.join(" who is "), listed(&teams)),
        }
    }
}

fn several(word: &str, number: usize) -> String {
    word.strip_prefix("someone of ").map_or_else(|| word.to_owned(), |team| format!("{number} of {team}"))
}

/// `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
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

/// Everyone who is of several names at once: at most one login, one pinned id, and any teams.
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
