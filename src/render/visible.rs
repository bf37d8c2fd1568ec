//! Text that others wrote, made safe to print: nothing in it moves the cursor, changes colours or reorders characters.

/// The text with every control and reordering character replaced by something that can be seen.
///
/// A policy and a review are written by strangers, and a terminal obeys escape sequences. Line feeds and tabs are
/// replaced as well: what is given is taken to be one line.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\x1f' => shown.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
            '\x7f' => shown.push('␡'),
            // C1 controls, marks of direction, and what has no width: escaped as Rust and JavaScript write it.
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => shown.extend(c.escape_unicode()),
            _ => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn an_escape_sequence_is_shown_and_not_obeyed() {
        assert_eq!(visible("a\u{1b}[31mb\0\n"), "a␛[31mb␀␊");
        assert_eq!(visible("\u{9b}31m \u{202e}x\u{2069}"), "\\u{9b}31m \\u{202e}x\\u{2069}");
        assert_eq!(visible("Grüße, 世界"), "Grüße, 世界");
    }
}
