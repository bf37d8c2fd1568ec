//! Markdown within a size limit: lines that may be left out, each with a cost, and a note of how many were left out.

/// What leaving a line out costs. Cheap lines are left out first; among equals, the earlier line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    Superseded,
    /// A review that does not count for another reason, or a request that is over.
    Passed,
    /// A part of the requirement that is met or does not apply. Deeper parts have lower values.
    Met(u8),
    /// A request that still waits.
    Waiting,
    /// Never left out.
    Never,
}

#[derive(Debug)]
struct Line {
    text: String,
    cost: Cost,
    section: usize,
}

/// Says how many lines of a section were left out.
type Note = fn(usize) -> String;

#[derive(Debug, Default)]
pub(super) struct Sheet {
    lines: Vec<Line>,
    notes: Vec<Note>,
}

impl Sheet {
    /// Begins a section. If lines of it are left out, its note stands at its end.
    pub(super) fn section(&mut self, note: Note) {
        self.notes.push(note);
    }

    pub(super) fn line(&mut self, text: impl Into<String>) {
        self.droppable(Cost::Never, text);
    }

    pub(super) fn droppable(&mut self, cost: Cost, text: impl Into<String>) {
        self.lines.push(Line { text: text.into(), cost, section: self.notes.len() });
    }

    /// Returns the text in at most so many bytes.
    pub(super) fn truncated(&self, limit: usize) -> String {
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

    /// The note of a section as a line. Empty if nothing was left out.
    fn note(&self, section: usize, count: usize) -> String {
        let note = section.checked_sub(1).and_then(|section| self.notes.get(section));
        note.filter(|_| count > 0).map(|note| format!("{}\n", note(count))).unwrap_or_default()
    }
}

/// Cuts what may not be left out, between characters.
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
        sheet.droppable(Cost::Superseded, "replaced 1");
        sheet.droppable(Cost::Superseded, "replaced 2");
        sheet.line("counts");
        sheet.section(note);
        sheet.droppable(Cost::Met(1), "shallow, met");
        sheet.droppable(Cost::Met(0), "deep down, met");
        sheet.line("tail");
        sheet
    }

    #[test]
    fn a_text_within_the_limit_is_whole() {
        let whole = "head\npassed\nreplaced 1\nreplaced 2\ncounts\nshallow, met\ndeep down, met\ntail\n";
        assert_eq!(sheet().truncated(whole.len()), whole);
    }

    #[test]
    fn the_cheapest_lines_are_left_out_first_and_counted() {
        let sheet = sheet();
        let mut seen = Vec::new();
        for limit in (50..74).rev() {
            let text = sheet.truncated(limit);
            assert!(text.len() <= limit, "{limit}: {text}");
            seen.push(text);
        }
        assert_eq!(seen.first().unwrap(), "head\npassed\ncounts\n(2 left out)\nshallow, met\ndeep down, met\ntail\n");
        assert_eq!(sheet.truncated(59), "head\ncounts\n(3 left out)\nshallow, met\ndeep down, met\ntail\n");
        assert_eq!(sheet.truncated(57), "head\ncounts\n(3 left out)\nshallow, met\ntail\n(1 left out)\n");
        assert_eq!(sheet.truncated(50), "head\ncounts\n(3 left out)\ntail\n(2 left out)\n");
    }

    #[test]
    fn a_line_that_may_not_be_left_out_is_cut_between_characters() {
        let mut sheet = Sheet::default();
        sheet.line("ä".repeat(20));
        for limit in 3..41 {
            let text = sheet.truncated(limit);
            assert!(text.len() <= limit && text.ends_with('…'), "{limit}: {text}");
        }
        assert_eq!(sheet.truncated(41), format!("{}\n", "ä".repeat(20)));
    }
}
