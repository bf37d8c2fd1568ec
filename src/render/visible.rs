//! Makes text safe to print: nothing in it moves the cursor, changes colours or reorders characters.

/// Replaces every control and reordering character with a visible one.
///
/// Policies and reviews may be written by strangers, and a terminal obeys escape sequences. Line feeds and tabs are
/// replaced as well: the text becomes one line.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\x1f' => safe.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
            '\x7f' => safe.push('␡'),
            // C1 controls, direction marks and characters without width, escaped as Rust and JavaScript write them.
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => safe.extend(c.escape_unicode()),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn an_escape_sequence_is_made_visible() {
        assert_eq!(visible("a\u{1b}[31mb\0\n"), "a␛[31mb␀␊");
        assert_eq!(visible("\u{9b}31m \u{202e}x\u{2069}"), "\\u{9b}31m \\u{202e}x\\u{2069}");
        assert_eq!(visible("Grüße, 世界"), "Grüße, 世界");
    }
}
