//! The matrix as a Markdown table, for a comment on a pull request.

use super::super::visible;
use super::{Matrix, Row};

const HEADINGS: [&str; 9] =
    ["service", "environment", "who must approve", "timeout", "explicit", "exclude", "release", "notify", "rule"];

pub(super) fn markdown(matrix: &Matrix<'_>) -> String {
    let mut out = String::with_capacity(matrix.rows.len() * 120 + 200);
    for heading in HEADINGS {
        out.push_str("| ");
        out.push_str(heading);
        out.push(' ');
    }
    out.push_str("|\n");
    out.push_str(&"|---".repeat(HEADINGS.len()));
    out.push_str("|\n");
    for row in &matrix.rows {
        line(&mut out, row);
    }
    out
}

fn line(out: &mut String, row: &Row<'_>) {
    let texts = [
        row.service.to_owned(),
        row.environment.to_owned(),
        row.who(),
        row.deadline(),
        row.by_name().to_owned(),
        row.excluded(),
        row.release(),
        row.channels(),
        row.place(),
    ];
    for text in texts {
        out.push_str("| ");
        cell(out, &text);
        out.push(' ');
    }
    out.push_str("|\n");
}

/// Text as it is, or as code if a character has a meaning in Markdown or on GitHub. In the code no pipe ends the cell,
/// and `@sre` and `#12` link and notify nobody.
fn cell(out: &mut String, text: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ,.:/()=-".contains(c);
    if text.chars().all(plain) {
        out.push_str(text);
        return;
    }
    out.push_str("<code>");
    for c in visible(text).chars() {
        if plain(c) || !c.is_ascii() {
            out.push(c);
        } else {
            out.push_str(&format!("&#{};", u32::from(c)));
        }
    }
    out.push_str("</code>");
}

#[cfg(test)]
mod tests {
    use super::cell;

    fn in_a_cell(text: &str) -> String {
        let mut out = String::new();
        cell(&mut out, text);
        out
    }

    #[test]
    fn special_characters_of_markdown_become_entities_in_code() {
        assert_eq!(in_a_cell("2 of payments and (1 of sre)"), "2 of payments and (1 of sre)");
        assert_eq!(in_a_cell("/a\\|b/"), "<code>/a&#92;&#124;b/</code>");
        assert_eq!(in_a_cell("@dana"), "<code>&#64;dana</code>");
        assert_eq!(in_a_cell("</code>`"), "<code>&#60;/code&#62;&#96;</code>");
    }
}
