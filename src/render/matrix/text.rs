//! The matrix for a terminal: a table if it fits, otherwise a block for each service.

use std::fmt::Write as _;

use super::super::visible;
use super::{Matrix, Row};

/// The widest line, in characters.
const WIDTH: usize = 100;
/// The spaces between two columns.
const GAP: usize = 2;

const HEADINGS: [&str; 5] = ["service", "environment", "who must approve", "rest of the rule", "rule"];
/// The least width of the two columns of prose together. They are wrapped to fit.
const LEAST: usize = 44;

type Cells = [String; 5];

pub(super) fn text(matrix: &Matrix<'_>) -> String {
    if matrix.rows.is_empty() {
        return "there are no services, or no environments: every request is denied\n".to_owned();
    }
    let rows: Vec<Cells> = matrix.rows.iter().map(cells).collect();
    let mut widths = HEADINGS.map(width);
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }
    let [service, environment, who, rest, rule] = widths;
    let room = WIDTH.saturating_sub(service + environment + rule + GAP * (HEADINGS.len() - 1));
    if who + rest <= room {
        return table(matrix, &rows, widths);
    }
    if room < LEAST {
        return blocks(matrix, &rows);
    }
    // A column that needs less than half leaves the rest to the other.
    let who = who.min(room.saturating_sub(rest).max(room / 2));
    table(matrix, &rows, [service, environment, who, room - who, rule])
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn cells(row: &Row<'_>) -> Cells {
    let texts = [row.service.to_owned(), row.environment.to_owned(), row.who(), row.rest(), row.place()];
    texts.map(|text| visible(&text))
}

/// The text in lines of at most `most` characters, broken at spaces. A longer word has a line of its own.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        match lines.last_mut() {
            Some(line) if line.is_empty() || length + 1 + width <= most => {
                if !line.is_empty() {
                    line.push(' ');
                    length += 1;
                }
                line.push_str(word);
                length += width;
            }
            Some(_) | None => {
                lines.push(word.to_owned());
                length = width;
            }
        }
    }
    lines
}

fn table(matrix: &Matrix<'_>, rows: &[Cells], widths: [usize; 5]) -> String {
    let mut out = String::with_capacity(rows.len() * WIDTH);
    line(&mut out, HEADINGS, widths);
    let rules = widths.map(|width| "-".repeat(width));
    line(&mut out, rules.each_ref().map(String::as_str), widths);
    let each = matrix.environments.len().max(1);
    for (n, [service, environment, who, rest, rule]) in rows.iter().enumerate() {
        let [_, _, most_who, most_rest, _] = widths;
        let (who, rest) = (wrapped(who, most_who), wrapped(rest, most_rest));
        for at in 0..who.len().max(rest.len()) {
            let of = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
            let once = |text: &'_ str| if at == 0 { text.to_owned() } else { String::new() };
            // The service is printed on its first row only.
            let service = if n % each == 0 { once(service) } else { String::new() };
            let cells = [service, once(environment), of(&who), of(&rest), once(rule)];
            line(&mut out, cells.each_ref().map(String::as_str), widths);
        }
    }
    out
}

fn line(out: &mut String, cells: [&str; 5], widths: [usize; 5]) {
    let mut spaces = 0;
    for (cell, most) in cells.into_iter().zip(widths) {
        if !cell.is_empty() {
            // Spaces are added only before a cell, so that no line ends in one.
            out.extend(std::iter::repeat_n(' ', spaces));
            out.push_str(cell);
            spaces = 0;
        }
        spaces += (most + GAP).saturating_sub(width(cell));
    }
    out.push('\n');
}

/// A block for each service: its environments, each with who must approve and the other fields below.
fn blocks(matrix: &Matrix<'_>, rows: &[Cells]) -> String {
    let mut out = String::with_capacity(rows.len() * 2 * WIDTH);
    let indent = rows.iter().map(|[_, environment, ..]| width(environment)).max().unwrap_or(0).min(24) + 4;
    for (n, [service, environment, who, rest, rule]) in rows.iter().enumerate() {
        if n % matrix.environments.len().max(1) == 0 {
            let _ = writeln!(out, "{}{service}", if n == 0 { "" } else { "\n" });
        }
        let mut name = format!("  {environment}");
        if width(&name) + GAP > indent {
            // A long name has a line of its own.
            let _ = writeln!(out, "{name}");
            name.clear();
        }
        let lines = [who, rest, rule].into_iter().filter(|text| !text.is_empty() && *text != "-");
        for line in lines.flat_map(|text| wrapped(text, WIDTH - indent)) {
            let _ = writeln!(out, "{name:indent$}{line}");
            name.clear();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn text_is_broken_at_spaces_and_a_long_word_has_its_own_line() {
        assert_eq!(wrapped("1 of payments and 2 of sre", 13), ["1 of payments", "and 2 of sre"]);
        assert_eq!(wrapped("a extraordinarily b", 5), ["a", "extraordinarily", "b"]);
        assert_eq!(wrapped("-", 5), ["-"]);
    }
}
