//! The lines of a review's text: what stands in a quote, in code or in a comment, and what is not shown. Knows no commands.

/// How much of a line a reason quotes.
const LONGEST_EXCERPT: usize = 80;

/// A line that is not empty.
pub(super) struct Written<'b> {
    text: &'b str,
    /// Whether a part of it is in a quote, in a code block or in a comment.
    pub(super) is_apart: bool,
}

impl<'b> Written<'b> {
    pub(super) fn trimmed(&self) -> &'b str {
        self.text.trim_matches(is_blank)
    }

    /// The line without control characters, at most [`LONGEST_EXCERPT`] characters.
    pub(super) fn excerpt(&self) -> String {
        let visible = self.trimmed().chars().map(|c| match c {
            _ if c.is_control() || is_invisible(c) => '\u{fffd}',
            _ if c.is_whitespace() => ' ',
            _ => c,
        });
        visible.take(LONGEST_EXCERPT).collect()
    }
}

/// The lines that are not empty, each with whether a part of it stands apart from the text.
///
/// A line ends with a line feed. GitHub also shows a lone carriage return as an end of line; here it does not end one, so
/// that what follows it is other text on the same line.
pub(super) fn lines(body: &str) -> Vec<Written<'_>> {
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

/// Characters that are not shown, and are no white space.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}'
    ) || matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}')
        || (c.is_control() && !c.is_whitespace())
}

pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}
