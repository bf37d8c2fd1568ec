//! What the text of an approving review says about targets: commands, and lines that only look like one.
//!
//! A line that looks like a command and is none approves nothing, since a slip must not turn an approval of one target into
//! an approval of all. The rules are those of the policy reference, "What a review's text says".

mod kept;

use std::fmt;

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
    /// The line as it was read, without control characters, at most [`LONGEST_EXCERPT`] characters.
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

/// How much of a line a reason quotes.
const LONGEST_EXCERPT: usize = 80;

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

/// A line with how its characters are shown.
struct Written<'b> {
    text: &'b str,
    /// Whether a part of it stands apart from the text.
    is_apart: bool,
}

impl<'b> Written<'b> {
    fn trimmed(&self) -> &'b str {
        self.text.trim_matches(is_blank)
    }

    fn unclear(&self, word: Word, slip: Slip) -> Unclear {
        Unclear { line: excerpt(self.trimmed()), slip, is_override: word == Word::Override }
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

/// Characters that are not shown, and are no white space.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}'
    ) || matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}')
        || (c.is_control() && !c.is_whitespace())
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// Whether a text has neither a command nor anything that looks like one: the usual one, found out at little cost.
fn is_surely_plain(body: &str) -> bool {
    let has_letters =
        |word: &str| body.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes()));
    body.is_ascii() && !body.contains('/') && !WORDS.iter().any(|(word, _)| has_letters(word))
}

/// The lines that are not empty, each with whether a part of it stands apart from the text.
///
/// A line ends with a line feed. GitHub also shows a lone carriage return as an end of line; here it does not end one, so
/// that what follows it is other text on the same line.
fn lines(body: &str) -> Vec<Written<'_>> {
    let mut open: Option<Open> = None;
    let mut written: Vec<Written<'_>> = Vec::new();
    let mut code = Spans::default();
    for text in body.split('\n') {
        let trimmed = text.trim_matches(is_blank);
        let before = open;
        open = match open {
            Some(Open::Fence(mark, length)) => (!closes(trimmed, mark, length)).then_some(Open::Fence(mark, length)),
            Some(Open::Comment) => after(text, true),
            None => fence(trimmed).or_else(|| after(text, false)),
        };
        if trimmed.is_empty() {
            code = Spans::default();
            continue;
        }
        let touches = before.is_some() || open.is_some() || text.contains("<!--") || trimmed.starts_with('>');
        let index = written.len();
        written.push(Written { text, is_apart: touches });
        if !touches {
            for first in code.add(text, index) {
                written.iter_mut().skip(first).take(index - first + 1).for_each(|line| line.is_apart = true);
            }
        }
    }
    written
}

/// What stays open behind a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// A code fence, by its character and how many of them open it.
    Fence(char, usize),
    Comment,
}

/// The fence that a line opens.
fn fence(line: &str) -> Option<Open> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == mark).count();
    let info = line.get(length..).unwrap_or_default();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some(Open::Fence(mark, length))
}

fn closes(line: &str, mark: char, length: usize) -> bool {
    line.len() >= length && !line.is_empty() && line.chars().all(|c| c == mark)
}

/// What stays open behind a line, which begins inside a comment or not.
fn after(line: &str, mut inside: bool) -> Option<Open> {
    let mut rest = line;
    while let Some((_, behind)) = rest.split_once(if inside { "-->" } else { "<!--" }) {
        (rest, inside) = (behind, !inside);
    }
    inside.then_some(Open::Comment)
}

/// The lengths of a line's runs of backticks.
fn runs(line: &str) -> Vec<usize> {
    let mut runs = Vec::new();
    let mut length = 0;
    for c in line.chars().chain([' ']) {
        match c {
            '`' => length += 1,
            _ if length > 0 => {
                runs.push(length);
                length = 0;
            }
            _ => {}
        }
    }
    runs
}

/// Code spans that go over several lines of a paragraph.
#[derive(Default)]
struct Spans {
    /// The runs of backticks so far, the first of each length, with its line.
    runs: Vec<(usize, usize)>,
}

impl Spans {
    /// Adds a line. Returns the lines at which the spans begin that end on it.
    fn add(&mut self, line: &str, index: usize) -> Vec<usize> {
        let mut begun = Vec::new();
        for length in runs(line) {
            if let Some(at) = self.runs.iter().position(|(of, at)| *of == length && *at < index) {
                begun.extend(self.runs.get(at).map(|(_, first)| *first));
                self.runs.truncate(at);
            } else if self.runs.iter().all(|(of, _)| *of != length) {
                self.runs.push((length, index));
            }
        }
        begun
    }
}

fn excerpt(line: &str) -> String {
    let visible = line.chars().map(|c| match c {
        _ if c.is_control() || is_invisible(c) => '\u{fffd}',
        _ if c.is_whitespace() => ' ',
        _ => c,
    });
    shortened(&visible.collect::<String>(), LONGEST_EXCERPT)
}

fn shortened(text: &str, longest: usize) -> String {
    text.chars().take(longest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            service: ServiceName::new("checkout").unwrap(),
            environment: EnvironmentName::new("production").unwrap(),
        }
    }

    /// A policy that knows the environments `production` and `staging`, and the service `checkout`.
    fn read(body: &str) -> Command {
        let environments = ["production", "staging"].map(|name| EnvironmentName::new(name).unwrap());
        ReviewText::read(body).command(|named| {
            environments.contains(&named.environment)
                && named.service.as_ref().is_none_or(|service| *service == target().service)
        })
    }

    fn names(body: &str) -> Option<bool> {
        match read(body) {
            Command::Approve(targets) => Some(targets.iter().any(|named| named.names(&target()))),
            Command::Override(named, _) => Some(named.names(&target())),
            Command::Plain | Command::Unclear(_) => None,
        }
    }

    fn slip(body: &str) -> Option<Slip> {
        match read(body) {
            Command::Unclear(unclear) => Some(unclear.slip),
            Command::Plain | Command::Approve(_) | Command::Override(..) => None,
        }
    }

    #[test]
    fn a_command_is_a_line_of_its_own_anywhere_in_the_text() {
        for body in [
            "/approve production",
            "Looks good.\n\n/approve checkout:production\n\nThanks",
            "  \t/Approve Staging, CHECKOUT:Production.  ",
            "\u{feff}/approve production\u{200b}",
            "/approve\u{a0}production",
            "/approve production,",
            "/approve staging\r\n/approve production\r\n",
            "> fine by me\n/approve production",
            "<!-- a note -->\n/approve production",
            "```\nlet a = 1;\n```\n/approve production",
            "~~~~\n```\n~~~~\n/approve production",
            "see src/approve.rs, /approve-all and https://x.example/approve/index.html\n/approve production",
            "/override production the site is down",
            "/override production see `main.rs`",
            "because:\n/override checkout:production: the site is down",
        ] {
            assert_eq!(names(body), Some(true), "{body:?}");
        }
        for body in
            ["/approve staging", "/approve billing:production", "/override staging down", "hi\n/approve staging"]
        {
            assert_eq!(names(body), Some(false), "{body:?}");
        }
    }

    #[test]
    fn a_reason_has_no_hidden_characters() {
        let Command::Override(_, reason) =
            read("/override production a\u{202e}b\u{1b}[31m\tc\u{2066}\rd \u{26a0}\u{fe0f}")
        else {
            panic!("an override");
        };
        assert_eq!(reason, "ab[31m c d \u{26a0}");
    }

    #[test]
    fn a_text_without_anything_like_a_command_is_plain() {
        for body in [
            "",
            "LGTM",
            "/lgtm",
            "/etc is touched",
            "a/b, and/or",
            "src/approve.rs, ../approve, v1/override",
            "/approve/index.html",
            "/approve-all",
            "/approve.rs",
            "https://acme.example/approve",
            "I approve production",
            "approve of this",
            "approve billing:elsewhere",
            "nothing\napprove production",
            "/improve this",
            "we should /aproove it",
            "/部署",
        ] {
            assert_eq!(read(body), Command::Plain, "{body:?}");
        }
    }

    #[test]
    fn what_looks_like_a_command_and_is_none_approves_nothing() {
        for (body, expected) in [
            ("/approve", Slip::NoTarget),
            ("/approve production please", Slip::BadTarget),
            ("/approve staging production", Slip::BadTarget),
            ("/approve a,,b", Slip::BadTarget),
            ("/approve: production", Slip::BadTarget),
            ("/approve a:b:c", Slip::BadTarget),
            ("/approve checkout\u{ff1a}production", Slip::BadTarget),
            ("/approve staging\r/approve production", Slip::BadTarget),
            ("/approve staging\u{2028}/approve production", Slip::BadTarget),
            ("/override", Slip::NoTarget),
            ("/override production", Slip::NoReason),
            ("/override production \u{200b}\nbecause", Slip::NoReason),
            ("/aprove production", Slip::Misspelt),
            ("/approved production", Slip::Misspelt),
            ("/apporve production", Slip::Misspelt),
            ("/appruve production", Slip::Misspelt),
            ("/overide production down", Slip::Misspelt),
            ("- /aprove production", Slip::NotAlone),
            ("fine\n/aprove production", Slip::Misspelt),
            ("/\u{430}pprove staging", Slip::Misspelt),
            ("/\u{430}\u{440}\u{440}r\u{43e}v\u{435} staging", Slip::Misspelt),
            ("/app\u{200b}rove staging", Slip::Misspelt),
            ("/ａｐｐｒｏｖｅ staging", Slip::Misspelt),
            ("\u{ff0f}approve staging", Slip::NoSlash),
            ("\u{2044}approve staging", Slip::NoSlash),
            ("\u{2215}override staging x", Slip::NoSlash),
            ("/ approve production", Slip::NoSlash),
            ("approve production", Slip::NoSlash),
            ("\n  Approve checkout:production, please\n/approve production", Slip::NoSlash),
            ("**override staging** because", Slip::NoSlash),
            ("> /approve production", Slip::Quoted),
            ("> quoted\n  > /approve staging\n/approve production", Slip::Quoted),
            ("```\n/approve staging\n```", Slip::Quoted),
            ("```\n/approve staging", Slip::Quoted),
            ("~~~ sh\n```\n/approve staging\n~~~", Slip::Quoted),
            ("    ```\n/approve staging\n    ```", Slip::Quoted),
            ("`/approve production`", Slip::NotAlone),
            ("/approve `production`", Slip::BadTarget),
            ("`\n/approve production\n`", Slip::Quoted),
            ("``a\n/approve production\nb``", Slip::Quoted),
            ("<!-- /approve staging -->", Slip::Quoted),
            ("<!--\n/approve staging\n-->", Slip::Quoted),
            ("<!-- x\n--> /approve staging", Slip::Quoted),
            ("**/approve staging**", Slip::NotAlone),
            ("- /approve staging", Slip::NotAlone),
            ("1. /approve staging", Slip::NotAlone),
            ("@pia /approve staging", Slip::NotAlone),
            ("[/approve staging](x)", Slip::NotAlone),
            ("looks good (/approve staging)", Slip::NotAlone),
            ("\\/approve staging", Slip::NotAlone),
            ("//approve staging", Slip::NotAlone),
            ("\u{202e}x /approve staging", Slip::NotAlone),
            ("/override production down\n/approve production", Slip::SeveralCommands),
            ("/approve staging\n/override production down", Slip::SeveralCommands),
            ("/override staging down\n/override production down", Slip::SeveralCommands),
        ] {
            assert_eq!(slip(body), Some(expected), "{body:?}");
        }
    }
}
