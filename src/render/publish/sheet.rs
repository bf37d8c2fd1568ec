//! Markdown that fits: lines that can be left out, each with what that costs, and a note of how many were.
//!
//! Knows nothing of what the lines say.

/// What leaving a line out costs. The first are left out first; among equals, those that stand first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    /// A review that a later one of the same person has replaced.
    Replaced,
    /// A review that does not count for another reason, or a request that is over.
    Passed,
    /// A part of the requirement that is met or does not apply; the deeper, the sooner.
    Met(u8),
    /// One of many that still wait.
    Waiting,
    /// Everything else: never left out.
    Never,
}

#[derive(Debug)]
struct Line {
    text: String,
    cost: Cost,
    section: usize,
}

/// How a section says that lines of it are left out.
type Note = fn(usize) -> String;

/// A text as far as it is written.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    lines: Vec<Line>,
    notes: Vec<Note>,
}

impl Sheet {
    /// Begins a section. Its note stands at its end, where lines of it are left out.
    pub(super) fn section(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// Adds a line that is never left out.
    pub(super) fn line(&mut self, text: impl Into<String>) {
        self.droppable(Cost::Never, text);
    }

    /// Adds a line that may be left out.
    pub(super) fn droppable(&mut self, cost: Cost, text: impl Into<String>) {
        self.lines.push(Line { text: text.into(), cost, section: self.notes.len() });
    }

    /// The text in at most so many bytes.
    pub(super) fn fit(&self, limit: usize) -> String {
        let mut dropped = vec![false; self.lines.len()];
        let mut left_out = vec![0_usize; self.notes.len() + 1];
        let mut size: usize = self.lines.iter().map(|line| line.text.len() + 1).sum();
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by_key(|n| self.lines.get(*n).map(|line| line.cost));
        for n in order {
            let Some(line) = self.lines.get(n).filter(|line| line.cost != Cost::Never) else { break };
            if size <= limit {
                break;
            }
            if let (Some(dropped), Some(count)) = (dropped.get_mut(n), left_out.get_mut(line.section)) {
                size += self.note(line.section, *count + 1).len();
                size -= self.note(line.section, *count).len() + line.text.len() + 1;
                (*dropped, *count) = (true, *count + 1);
            }
        }
        cut(&self.written(&dropped, &left_out), limit)
    }

    fn written(&self, dropped: &[bool], left_out: &[usize]) -> String {
        let mut text = String::new();
        let mut section = 0;
        for (line, dropped) in self.lines.iter().zip(dropped) {
            while section < line.section {
                text.push_str(&self.note(section, left_out.get(section).copied().unwrap_or(0)));
                section += 1;
            }
            if !dropped {
                text.push_str(&line.text);
                text.push('\n');
            }
        }
        for (section, count) in left_out.iter().enumerate().skip(section) {
            text.push_str(&self.note(section, *count));
        }
        text
    }

    /// The note of a section, with its line's end; nothing where nothing was left out.
    fn note(&self, section: usize, count: usize) -> String {
        let note = section.checked_sub(1).and_then(|section| self.notes.get(section));
        note.filter(|_| count > 0).map(|note| format!("{}\n", note(count))).unwrap_or_default()
    }
}

/// What cannot be left out is cut off, between characters.
fn cut(text: &str, limit: usize) -> String {
    const SIGN: &str = "…";
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if kept.len() + c.len_utf8() + SIGN.len() > limit {
            break;
        }
        kept.push(c);
    }
    kept.push_str(SIGN);
    kept
}

#[cfg(test)]
mod tests {
    use super::{Cost, Sheet};

    fn note(count: usize) -> String {
        format!("({count} left out)")
    }

    fn sheet() -> Sheet {
        let mut sheet = Sheet::default();
        sheet.line("head");
        sheet.section(note);
        sheet.droppable(Cost::Passed, "passed");
        sheet.droppable(Cost::Replaced, "replaced 1");
        sheet.droppable(Cost::Replaced, "replaced 2");
        sheet.line("counts");
        sheet.section(note);
        sheet.droppable(Cost::Met(1), "shallow, met");
        sheet.droppable(Cost::Met(0), "deep down, met");
        sheet.line("tail");
        sheet
    }

    #[test]
    fn what_fits_is_whole() {
        let whole = "head\npassed\nreplaced 1\nreplaced 2\ncounts\nshallow, met\ndeep down, met\ntail\n";
        assert_eq!(sheet().fit(whole.len()), whole);
    }

    #[test]
    fn the_cheapest_lines_are_left_out_first_and_counted() {
        let sheet = sheet();
        let mut seen = Vec::new();
        for limit in (50..74).rev() {
            let text = sheet.fit(limit);
            assert!(text.len() <= limit, "{limit}: {text}");
            seen.push(text);
        }
        assert_eq!(seen.first().unwrap(), "head\npassed\ncounts\n(2 left out)\nshallow, met\ndeep down, met\ntail\n");
        assert_eq!(sheet.fit(59), "head\ncounts\n(3 left out)\nshallow, met\ndeep down, met\ntail\n");
        assert_eq!(sheet.fit(57), "head\ncounts\n(3 left out)\nshallow, met\ntail\n(1 left out)\n");
        assert_eq!(sheet.fit(50), "head\ncounts\n(3 left out)\ntail\n(2 left out)\n");
    }

    #[test]
    fn what_can_never_be_left_out_is_cut_between_characters() {
        let mut sheet = Sheet::default();
        sheet.line("ä".repeat(20));
        for limit in 3..41 {
            let text = sheet.fit(limit);
            assert!(text.len() <= limit && text.ends_with('…'), "{limit}: {text}");
        }
        assert_eq!(sheet.fit(41), format!("{}\n", "ä".repeat(20)));
    }
}
