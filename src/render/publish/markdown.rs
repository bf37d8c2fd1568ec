//! Markdown as GitHub reads it, that is safe by construction: what others wrote is text, and never a row, a link, a
//! heading or a call for anyone's attention.
//!
//! Entities keep a character from being markup, but GitHub looks for `@name`, `#12` and addresses in what is rendered:
//! words that hold such stand in `<code>`, where it does not look. Knows nothing of what is shown.

use super::super::visible;

/// The longest text of one piece that others wrote, in characters.
const LONGEST: usize = 1_000;

/// A text as words. What stands between backticks is code.
pub(super) fn words(text: &str) -> String {
    let text = clipped(&visible(text), LONGEST);
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        return prose(&text, false);
    }
    let piece = |(n, piece): (usize, &&str)| if n % 2 == 1 { code(piece) } else { prose(piece, n > 0) };
    pieces.iter().enumerate().map(piece).collect()
}

/// A text as code, as it is.
pub(super) fn code(text: &str) -> String {
    let text = clipped(&visible(text), LONGEST);
    let shown: String = text.chars().map(in_code).collect();
    // In an element of HTML an address is made a link as anywhere else.
    format!("<code>{}</code>", shown.replace("://", "&#58;//").replace("www.", "www&#46;"))
}

/// At most so many characters of a text, and a sign where that is not all.
pub(super) fn clipped(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// `inside`: it stands right behind other text.
fn prose(text: &str, inside: bool) -> String {
    let mut shown = String::with_capacity(text.len() + 16);
    for (n, word) in text.split(' ').enumerate() {
        if n > 0 {
            shown.push(' ');
        }
        if is_looked_for(word) {
            shown.push_str(&code(word));
        } else {
            plain(word, inside && n == 0, &mut shown);
        }
    }
    shown
}

/// Whether GitHub would make more of the word than text, wherever it stands in prose.
fn is_looked_for(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let issue = lower.split_once("gh-").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    word.contains(['@', '#']) || lower.contains("://") || lower.contains("www.") || issue
}

/// A word whose characters cannot be markup: ASCII marks are entities but for those that mean nothing inside of a word.
/// A number with a point or bracket behind it would begin a list.
fn plain(word: &str, mut inside: bool, out: &mut String) {
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
    use super::{clipped, code, words};

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
            let shown = words(text);
            assert!(!shown.contains("://") && !shown.contains("www."), "{shown}");
            assert!(shown.contains("<code>") && !shown.contains(['@', '#', '`']) || shown.contains("&#"), "{shown}");
            let outside: Vec<&str> = shown.split("<code>").map(|p| p.rsplit("</code>").next().unwrap_or(p)).collect();
            let bare = outside.concat().to_ascii_lowercase();
            assert!(!bare.contains("evil") && !bare.contains("gh-") && !bare.contains("dana"), "{shown}");
        }
    }

    #[test]
    fn no_row_list_heading_or_tag_is_forged() {
        let shown = words("| x | <img src=x> **b** _i_ [a](b) ![c](d)\n# h \\| <!-- c -->");
        for mark in ["|", "<img", "**", "_", "[", "]", "!", "\n", "\\", "<!--"] {
            assert!(!shown.contains(mark), "{mark} in {shown}");
        }
        assert_eq!(words("1. one"), "1&#46; one");
        assert_eq!(words("- one"), "&#45; one");
        assert_eq!(words("+ one"), "&#43; one");
        assert_eq!(words("---"), "&#45;&#45;&#45;");
        assert_eq!(code("</code>`|"), "<code>&#60;/code&#62;&#96;&#124;</code>");
    }

    #[test]
    fn a_text_is_clipped_between_characters() {
        assert_eq!(clipped("äöü", 3), "äöü");
        assert_eq!(clipped("äöüß", 3), "äö…");
        assert!(words(&"ß".repeat(5_000)).chars().count() == 1_000);
    }
}
