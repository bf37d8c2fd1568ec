//! HTML that is safe by construction: markup can only be a literal of this program, and everything else is escaped.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::visible;

/// An HTML page under construction. Text that is not a literal can only be added escaped.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Markup {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Adds markup.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Adds text, escaped for use between tags or in an attribute with quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        let plain = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b'&' | b'<' | b'>' | b'"' | b'\'');
        if text.bytes().all(plain) {
            self.0.push_str(text);
            return self;
        }
        for c in visible(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                _ => self.0.push(c),
            }
        }
        self
    }

    /// Adds a value as escaped text.
    pub(super) fn display(&mut self, value: impl fmt::Display) -> &mut Self {
        self.text(&value.to_string())
    }

    /// Adds the hash that allows a script or style in the page's content security policy.
    pub(super) fn hash_of(&mut self, source: &'static str) -> &mut Self {
        self.0.push_str("'sha256-");
        base64(&Sha256::digest(source.as_bytes()), &mut self.0);
        self.0.push('\'');
        self
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

/// With the standard alphabet and padding.
fn base64(bytes: &[u8], out: &mut String) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |group, n| (group << 8) | chunk.get(n).copied().map_or(0, u32::from));
        for n in 0..4 {
            let index = usize::try_from((group >> (18 - 6 * n)) & 63).unwrap_or(0);
            let digit = if n > chunk.len() { b'=' } else { ALPHABET.get(index).copied().unwrap_or(b'=') };
            out.push(char::from(digit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Markup, base64};

    #[test]
    fn text_is_never_markup() {
        let mut page = Markup::default();
        page.raw("<p title=\"").text("\" onclick='x'").raw("\">").text("<script>&\u{202e}\u{1b}</script>").raw("</p>");
        let expected = "<p title=\"&quot; onclick=&#39;x&#39;\">&lt;script&gt;&amp;\\u{202e}␛&lt;/script&gt;</p>";
        assert_eq!(page.into_string(), expected);
    }

    #[test]
    fn base64_follows_rfc_4648() {
        for (plain, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            let mut out = String::new();
            base64(plain.as_bytes(), &mut out);
            assert_eq!(out, encoded);
        }
    }
}
