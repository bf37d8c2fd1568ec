//! What the text of an approving review says about targets: commands, and lines that only look like one.
//!
//! A line that looks like a command and is none approves nothing, since a slip must not turn an approval of one target into
//! an approval of all. The rules are those of the policy reference, "What a review's text says".

mod kept;

use std::fmt;

use super::text::{Written, is_blank, is_invisible, lines};
use crate::ident::{EnvironmentName, ServiceName, Target, printable};

pub use self::kept::kept;

/// A review's text, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReviewText {
    command: Command,
    /// The first line, if it is `approve TARGET` or `override TARGET` without the slash.
    without_slash: Option<(NamedTarget, Unclear)>,
}

/// What a review's text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// No command: a plain approval.
    Plain,
    /// `/approve TARGET[, TARGET…]`, of all such lines together.
    Approve(Vec<NamedTarget>),
    /// `/override TARGET reason…`, the reason without hidden characters. It also reads as an approval of its target.
    Override(NamedTarget, String),
    /// Something looks like a command and is none.
    Unclear(Unclear),
}

/// A target as a review names it: `production`, for every service, or `checkout:production`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedTarget {
    pub(super) service: Option<ServiceName>,
    pub(super) environment: EnvironmentName,
}

/// A line that looks like a command and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclear {
    /// See [`Written::excerpt`].
    pub(super) line: String,
    pub(super) slip: Slip,
    /// Whether an override was meant.
    pub(super) is_override: bool,
}

/// Why a line that looks like a command is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slip {
    /// Nothing stands behind the command.
    NoTarget,
    /// What follows is no list of targets, or other words follow the targets.
    BadTarget,
    /// An override gives no reason.
    NoReason,
    /// A letter is off, or is one of another alphabet.
    Misspelt,
    /// It stands in a quote, code or an HTML comment.
    Quoted,
    /// Other text stands before it on its line.
    NotAlone,
    /// The slash is missing, or is another character.
    NoSlash,
    /// An override stands beside another command.
    SeveralCommands,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Approve,
    Override,
}

impl Word {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Override => "override",
        }
    }
}

const WORDS: [(&str, Word); 2] = [(Word::Approve.as_str(), Word::Approve), (Word::Override.as_str(), Word::Override)];

impl NamedTarget {
    fn new(text: &str) -> Option<Self> {
        let (service, environment) = match text.split_once(':') {
            Some((service, environment)) => (Some(ServiceName::new(service).ok()?), environment),
            None => (None, text),
        };
        Some(Self { service, environment: EnvironmentName::new(environment).ok()? })
    }

    /// Whether the target is meant.
    pub(super) fn names(&self, target: &Target) -> bool {
        self.environment == target.environment && self.service.as_ref().is_none_or(|service| *service == target.service)
    }
}

impl fmt::Display for NamedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(service) = &self.service {
            write!(f, "{service}:")?;
        }
        write!(f, "{}", self.environment)
    }
}

impl ReviewText {
    pub(super) fn read(body: &str) -> Self {
        if is_surely_plain(body) {
            return Self { command: Command::Plain, without_slash: None };
        }
        let (mut targets, mut overriding, mut without_slash) = (Vec::new(), None, None);
        for (at, line) in lines(body).into_iter().enumerate() {
            match line.read() {
                Line::Unclear(unclear) => return Self { command: Command::Unclear(unclear), without_slash },
                Line::WithoutSlash(target, unclear) if at == 0 => without_slash = Some((target, unclear)),
                Line::Approve(named) => targets.extend(named),
                Line::Override(target, reason) if overriding.is_none() => overriding = Some((target, reason, line)),
                Line::Override(..) => {
                    let unclear = line.unclear(Word::Override, Slip::SeveralCommands);
                    return Self { command: Command::Unclear(unclear), without_slash };
                }
                Line::Other | Line::WithoutSlash(..) => {}
            }
        }
        let command = match overriding {
            Some((_, _, line)) if !targets.is_empty() => {
                Command::Unclear(line.unclear(Word::Override, Slip::SeveralCommands))
            }
            Some((target, reason, _)) => Command::Override(target, reason),
            None if targets.is_empty() => Command::Plain,
            None => Command::Approve(targets),
        };
        Self { command, without_slash }
    }

    /// What it says to a policy that knows these targets: a first line that names one of them without the slash is a slip.
    pub(super) fn command(self, knows: impl Fn(&NamedTarget) -> bool) -> Command {
        match self.without_slash.filter(|(target, _)| knows(target)) {
            Some((_, unclear)) => Command::Unclear(unclear),
            None => self.command,
        }
    }
}

/// What a line of the text is.
enum Line {
    Other,
    Approve(Vec<NamedTarget>),
    Override(NamedTarget, String),
    WithoutSlash(NamedTarget, Unclear),
    Unclear(Unclear),
}

impl Written<'_> {
    fn unclear(&self, word: Word, slip: Slip) -> Unclear {
        Unclear { line: self.excerpt(), slip, is_override: word == Word::Override }
    }

    fn read(&self) -> Line {
        let text = self.trimmed();
        let characters: Vec<char> = text.chars().collect();
        for at in 0..characters.len() {
            let Some(found) = command_at(&characters, at) else { continue };
            let slip = match found.form {
                _ if self.is_apart => Slip::Quoted,
                _ if at > 0 => Slip::NotAlone,
                Form::Exact => return self.command(found.word, &characters, found.end),
                Form::OtherSlash => Slip::NoSlash,
                Form::OtherLetters | Form::Misspelt => Slip::Misspelt,
            };
            return Line::Unclear(self.unclear(found.word, slip));
        }
        self.without_slash(&characters)
    }

    /// A line that begins with a command word.
    fn command(&self, word: Word, characters: &[char], end: usize) -> Line {
        let rest: String = characters.iter().skip(end).collect();
        let unclear = |slip| Line::Unclear(self.unclear(word, slip));
        if rest.trim_matches(is_blank).is_empty() {
            return unclear(Slip::NoTarget);
        }
        if !rest.starts_with(char::is_whitespace) {
            return unclear(Slip::BadTarget);
        }
        let rest = rest.trim_matches(is_blank);
        match word {
            Word::Approve => targets_of(rest).map_or_else(|| unclear(Slip::BadTarget), Line::Approve),
            Word::Override => {
                let (target, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                let reason = reason.trim_matches(is_blank);
                match NamedTarget::new(target.trim_end_matches(PUNCTUATION)) {
                    None => unclear(Slip::BadTarget),
                    Some(_) if !reason.chars().any(char::is_alphanumeric) => unclear(Slip::NoReason),
                    Some(target) => {
                        Line::Override(target, printable(&reason.replace(char::is_whitespace, " "), usize::MAX))
                    }
                }
            }
        }
    }

    /// A line that begins with `approve TARGET` or `override TARGET`.
    fn without_slash(&self, characters: &[char]) -> Line {
        if self.is_apart {
            return Line::Other;
        }
        let dressed: String = characters.iter().collect();
        let text = dressed.trim_start_matches(|c: char| !c.is_alphanumeric());
        let Some((first, rest)) = text.split_once(char::is_whitespace) else { return Line::Other };
        let first = first.trim_end_matches(PUNCTUATION);
        let Some((_, word)) = WORDS.into_iter().find(|(name, _)| first.eq_ignore_ascii_case(name)) else {
            return Line::Other;
        };
        let target = rest.trim_start().split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default();
        let target = target.trim_matches(|c: char| !c.is_alphanumeric());
        match NamedTarget::new(target) {
            Some(target) => Line::WithoutSlash(target, self.unclear(word, Slip::NoSlash)),
            None => Line::Other,
        }
    }
}

/// What may stand behind a target and is no part of it.
const PUNCTUATION: [char; 4] = ['.', ',', ';', ':'];

fn targets_of(rest: &str) -> Option<Vec<NamedTarget>> {
    let listed = rest.trim_end_matches(|c: char| PUNCTUATION.contains(&c) || is_blank(c));
    listed
        .split(',')
        .map(|target| NamedTarget::new(target.trim_matches(is_blank).trim_end_matches(PUNCTUATION)))
        .collect()
}

/// A command word behind a slash.
struct Found {
    word: Word,
    form: Form,
    /// The index behind the word.
    end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Exact,
    /// The slash is another character that looks like one, or spaces follow it.
    OtherSlash,
    /// Some letters only look like the word's, or characters that are not shown stand among them.
    OtherLetters,
    /// One letter is missing, too many, or another, or two neighbours are swapped.
    Misspelt,
}

/// The command, or what looks like one, whose slash stands at this place of a line. What is misspelt looks like one at the
/// beginning of a line only, behind marks that are no letters or digits.
fn command_at(line: &[char], at: usize) -> Option<Found> {
    let slash = *line.get(at)?;
    if !is_slash(slash) {
        return None;
    }
    let before = line.get(..at)?.iter().rev().find(|c| !is_invisible(**c));
    if before.is_some_and(|c| c.is_alphanumeric() || *c == '.') {
        return None;
    }
    let spaces = line.get(at + 1..)?.iter().take_while(|c| is_blank(**c)).count();
    let start = at + 1 + spaces;
    let length = line.get(start..)?.iter().take_while(|c| is_of_word(**c)).count();
    let end = start + length;
    let given = line.get(start..end)?;
    if leads_on(line.get(end..)?) {
        return None;
    }
    let exact = slash == '/' && spaces == 0;
    let plain: String = given.iter().map(char::to_ascii_lowercase).collect();
    if let Some((_, word)) = WORDS.into_iter().find(|(name, _)| *name == plain) {
        return Some(Found { word, form: if exact { Form::Exact } else { Form::OtherSlash }, end });
    }
    let letters: Vec<char> = given.iter().filter(|c| !is_invisible(**c)).map(char::to_ascii_lowercase).collect();
    if let Some((_, word)) = WORDS.into_iter().find(|(name, _)| is_alike(&letters, name)) {
        return Some(Found { word, form: Form::OtherLetters, end });
    }
    let (_, word) = WORDS.into_iter().find(|(name, _)| is_one_off(&letters, name))?;
    // Last: a line may have very many slashes.
    let begins = line.get(..at)?.iter().all(|c| !c.is_alphanumeric());
    begins.then_some(Found { word, form: Form::Misspelt, end })
}

/// Whether what follows a word makes it part of a path or a longer name: `/approve/index.html`, `/approve-all`.
fn leads_on(rest: &[char]) -> bool {
    matches!(rest, ['/' | '-' | '.', next, ..] if next.is_alphabetic())
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_invisible(c)
}

/// Whether every letter is the word's, or may look like it: one of another alphabet may stand for any.
fn is_alike(letters: &[char], word: &str) -> bool {
    letters.len() == word.len()
        && letters.iter().zip(word.chars()).all(|(given, wanted)| *given == wanted || !given.is_ascii())
}

/// Whether one letter is missing, added or replaced, or two neighbours are swapped.
fn is_one_off(letters: &[char], word: &str) -> bool {
    let wanted: Vec<char> = word.chars().collect();
    let same = |a: &[char], b: &[char]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || !a.is_ascii());
    let prefix = letters.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let (given, wanted) = (letters.get(prefix..).unwrap_or_default(), wanted.get(prefix..).unwrap_or_default());
    let (less_given, less_wanted) = (given.get(1..).unwrap_or_default(), wanted.get(1..).unwrap_or_default());
    let swapped = matches!((given, wanted), ([a, b, given @ ..], [c, d, wanted @ ..])
        if a == d && b == c && same(given, wanted));
    let added = !given.is_empty() && same(less_given, wanted);
    let missing = !wanted.is_empty() && same(given, less_wanted);
    let replaced = !given.is_empty() && !wanted.is_empty() && same(less_given, less_wanted);
    added || missing || replaced || swapped
}

/// The characters that look like a slash: those that Unicode's confusables list for it, and the full-width one.
fn is_slash(c: char) -> bool {
    matches!(
        c,
        '/' | '\u{1735}'
            | '\u{2041}'
            | '\u{2044}'
            | '\u{2215}'
            | '\u{2571}'
            | '\u{27cb}'
            | '\u{29f8}'
            | '\u{2cc6}'
            | '\u{2f03}'
            | '\u{3033}'
            | '\u{30ce}'
            | '\u{31d3}'
            | '\u{4e3f}'
            | '\u{ff0f}'
            | '\u{1d23a}'
    )
}

/// Whether a text has neither a command nor anything that looks like one: the usual one, found out at little cost.
fn is_surely_plain(body: &str) -> bool {
    let has_letters =
        |word: &str| body.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()));
    body.is_ascii() && !body.contains('/') && !WORDS.iter().any(|(word, _)| has_letters(word))
}

#[cfg(test)]
mod tests;
