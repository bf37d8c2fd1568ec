//! Rust code as words and marks, without comments and texts: the part of a lexer that finding paths needs.

/// A word or a mark, and the line that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// Code without comments, texts and characters. `::` is one mark.
pub(crate) fn tokens(code: &str) -> Vec<Token> {
    let chars: Vec<char> = code.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut found, mut line, mut i) = (Vec::new(), 1, 0);
    while i < chars.len() {
        let start = i;
        let begun = line;
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            i = behind_block_comment(&chars, i);
        } else if let Some(end) = behind_raw_text(&chars, i) {
            i = end;
        } else if c == '"' {
            i = behind_text(&chars, i);
        } else if c == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < chars.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
        } else if c.is_alphanumeric() || c == '_' {
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            found.push(Token { text: chars.get(start..i).unwrap_or_default().iter().collect(), line: begun });
        } else if c == ':' && at(i + 1) == ':' {
            i += 2;
            found.push(Token { text: "::".to_owned(), line: begun });
        } else {
            i += 1;
            if !c.is_whitespace() {
                found.push(Token { text: c.to_string(), line: begun });
            }
        }
        line += chars.get(start..i).unwrap_or_default().iter().filter(|c| **c == '\n').count();
    }
    found
}

fn behind_block_comment(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i < chars.len() {
        match (chars.get(i), chars.get(i + 1)) {
            (Some('/'), Some('*')) => (depth, i) = (depth + 1, i + 2),
            (Some('*'), Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

/// The end of `r"…"`, `br#"…"#` and the like, if one begins here.
fn behind_raw_text(chars: &[char], start: usize) -> Option<usize> {
    let mut i = start;
    if matches!(chars.get(i), Some('b' | 'c')) {
        i += 1;
    }
    if chars.get(i) != Some(&'r') {
        return None;
    }
    i += 1;
    let hashes = chars.get(i..)?.iter().take_while(|c| **c == '#').count();
    i += hashes;
    if chars.get(i) != Some(&'"') {
        return None;
    }
    i += 1;
    while i < chars.len() {
        let closes = chars.get(i) == Some(&'"')
            && chars.get(i + 1..i + 1 + hashes).is_some_and(|behind| behind.iter().all(|c| *c == '#'));
        i += 1;
        if closes {
            return Some(i + hashes);
        }
    }
    Some(i)
}

fn behind_text(chars: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < chars.len() {
        match chars.get(i) {
            Some('\\') => i += 2,
            Some('"') => return i + 1,
            _ => i += 1,
        }
    }
    i
}

/// The code without its `#[cfg(test)] mod … { … }`.
pub(crate) fn without_tests(tokens: &[Token]) -> Vec<Token> {
    const TESTS: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut kept = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let is_test = TESTS.iter().enumerate().all(|(n, text)| tokens.get(i + n).is_some_and(|t| t.text == *text));
        if is_test && tokens.get(i + TESTS.len() + 1).is_some_and(|t| t.text == "{") {
            i = behind_braces(tokens, i + TESTS.len() + 1);
            continue;
        }
        kept.extend(tokens.get(i).cloned());
        i += 1;
    }
    kept
}

fn behind_braces(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (n, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return n + 1;
        }
    }
    tokens.len()
}
