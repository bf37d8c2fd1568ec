//! The matrix as a Markdown table, for a comment on a pull request.

use super::super::visible;
use super::{Matrix, Row};

const HEADINGS: [&str; 8] =
    ["service", "environment", "who must approve", "timeout", "explicit", "exclude", "notify", "rule"];

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

/// A text as it is, and as code where a character in it means something to Markdown or to GitHub: inside of it no pipe
/// ends the cell, and `@sre` and `#12` tell nobody.
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

    fn shown(text: &str) -> String {
        let mut out = String::new();
        cell(&mut out, text);
        out
    }

    #[test]
    fn what_means_something_to_markdown_is_code_made_of_entities() {
        assert_eq!(shown("2 of payments and (1 of sre)"), "2 of payments and (1 of sre)");
        assert_eq!(shown("/a\\|b/"), "<code>/a&#92;&#124;b/</code>");
        assert_eq!(shown("@dana"), "<code>&#64;dana</code>");
        assert_eq!(shown("</code>`"), "<code>&#60;/code&#62;&#96;</code>");
    }
}
