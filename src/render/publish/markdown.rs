//! Markdown for GitHub that is safe by construction: what others wrote is text, and never a table row, a link, a heading
//! or a mention.
//!
//! An entity keeps a character from being markup. But GitHub looks for `@name`, `#12` and addresses in the rendered text.
//! Words with these stand in `<code>`, where GitHub does not look.

use super::super::visible;

/// The longest text of one piece that others wrote, in characters.
const LONGEST: usize = 1_000;

/// Escapes a text. What stands between backticks becomes code.
pub(super) fn words(text: &str) -> String {
    let text = truncated(&visible(text), LONGEST);
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return prose(&text, false);
    }
    let piece = |(n, piece): (usize, &&str)| if n % 2 == 1 { code(piece) } else { prose(piece, n > 0) };
    pieces.iter().enumerate().map(piece).collect()
}

/// Escapes a text as code.
pub(super) fn code(text: &str) -> String {
    let text = truncated(&visible(text), LONGEST);
    let escaped: String = text.chars().map(in_code).collect();
    // GitHub links an address in an HTML element as anywhere else.
    format!("<code>{}</code>", escaped.replace("://", "&#58;//").replace("www.", "www&#46;"))
}

/// Returns at most so many characters, the last of them `…` if that is not all.
pub(super) fn truncated(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// `inside`: the text directly follows other text.
fn prose(text: &str, inside: bool) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (n, word) in text.split(' ').enumerate() {
        if n > 0 {
            out.push(' ');
        }
        if is_reference(word) {
            out.push_str(&code(word));
        } else {
            push_escaped(word, inside && n == 0, &mut out);
        }
    }
    out
}

/// Whether GitHub would make a mention or a link of the word, wherever it stands in prose.
fn is_reference(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let issue = lower.split_once("gh-").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    word.contains(['@', '#']) || lower.contains("://") || lower.contains("www.") || issue
}

/// Appends a word with its ASCII marks as entities, except those that mean nothing inside a word. A number with `.` or `)`
/// after it would begin a list.
fn push_escaped(word: &str, mut inside: bool, out: &mut String) {
    let mut number = !inside;
    for c in word.chars() {
        let harmless = match c {
            '(' => true,
            ',' | ';' | ':' | '/' | '-' | '\'' => inside,
            '.' | ')' => inside && !number,
            _ => c.is_alphanumeric() || !c.is_ascii(),
        };
        if harmless {
            out.push(c);
        } else {
            out.push_str(&format!("&#{};", u32::from(c)));
        }
        inside |= c.is_alphanumeric();
        number &= c.is_ascii_digit();
    }
}

fn in_code(c: char) -> String {
    let harmless = matches!(c, ' ' | ',' | '.' | ':' | '/' | '-' | '(' | ')' | '=');
    if c.is_alphanumeric() || !c.is_ascii() || harmless { c.to_string() } else { format!("&#{};", u32::from(c)) }
}

#[cfg(test)]
mod tests {
    use super::{code, truncated, words};

    #[test]
    fn a_sentence_reads_as_it_is_written() {
        let text = "pia opened the pull request (twice); Grüße, 世界. 1 of 2, it's half-way";
        assert_eq!(words(text), text);
        assert_eq!(
            words("write `/approve checkout:production`: now"),
            "write <code>/approve checkout:production</code>: now"
        );
    }

    #[test]
    fn nobody_is_called_and_nothing_is_linked() {
        assert_eq!(words("ask @dana or acme/sre#12"), "ask <code>&#64;dana</code> or <code>acme/sre&#35;12</code>");
        for text in ["see https://evil.example", "see WWW.evil.example", "see gh-12", "see a@b.example", "`@dana"] {
            let escaped = words(text);
            assert!(!escaped.contains("://") && !escaped.contains("www."), "{escaped}");
            assert!(
                escaped.contains("<code>") && !escaped.contains(['@', '#', '`']) || escaped.contains("&#"),
                "{escaped}"
            );
            let outside: Vec<&str> = escaped.split("<code>").map(|p| p.rsplit("</code>").next().unwrap_or(p)).collect();
            let bare = outside.concat().to_ascii_lowercase();
            assert!(!bare.contains("evil") && !bare.contains("gh-") && !bare.contains("dana"), "{escaped}");
        }
    }

    #[test]
    fn no_row_list_heading_or_tag_is_forged() {
        let escaped = words("| x | <img src=x> **b** _i_ [a](b) ![c](d)\n# h \\| <!-- c -->");
        for mark in ["|", "<img", "**", "_", "[", "]", "!", "\n", "\\", "<!--"] {
            assert!(!escaped.contains(mark), "{mark} in {escaped}");
        }
        assert_eq!(words("1. one"), "1&#46; one");
        assert_eq!(words("- one"), "&#45; one");
        assert_eq!(words("+ one"), "&#43; one");
        assert_eq!(words("---"), "&#45;&#45;&#45;");
        assert_eq!(code("</code>`|"), "<code>&#60;/code&#62;&#96;&#124;</code>");
    }

    #[test]
    fn a_text_is_truncated_between_characters() {
        assert_eq!(truncated("äöü", 3), "äöü");
        assert_eq!(truncated("äöüß", 3), "äö…");
        assert!(words(&"ß".repeat(5_000)).chars().count() == 1_000);
    }
}
