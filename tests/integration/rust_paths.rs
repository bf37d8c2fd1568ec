//! The paths that Rust code names, anywhere in it and not only in `use`, with `self` and `super` resolved. Comments and texts
//! are no code.

use std::collections::BTreeSet;

use crate::rust_tokens::Token;

/// A module, from the crate's root.
pub(crate) type Module = Vec<String>;

/// A path that code names, from the crate's root or from another crate.
pub(crate) struct Named {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// The name behind `as`, or else the last one.
    pub(crate) name: String,
    /// Whether it stands in a `pub use`: nothing is used here, only passed on.
    pub(crate) passed_on: bool,
}

/// Finds paths that begin with a root word, or with a child of the file.
pub(crate) struct Scanner<'t> {
    tokens: &'t [Token],
    /// The module that the file is.
    file: Module,
    children: BTreeSet<String>,
    /// Modules that are open inside it, each with the depth of braces at which it was opened.
    open: Vec<(String, usize)>,
    /// Whether the path being read stands in a `pub use`.
    passed_on: bool,
    found: Vec<Named>,
}

impl<'t> Scanner<'t> {
    pub(crate) fn new(tokens: &'t [Token], file: Module, children: BTreeSet<String>) -> Self {
        Self { tokens, file, children, open: Vec::new(), passed_on: false, found: Vec::new() }
    }

    fn text(&self, i: usize) -> &str {
        self.tokens.get(i).map_or("", |token| token.text.as_str())
    }

    fn line(&self, i: usize) -> usize {
        self.tokens.get(i).map_or(0, |token| token.line)
    }

    fn here(&self) -> Vec<String> {
        self.file.iter().cloned().chain(self.open.iter().map(|(name, _)| name.clone())).collect()
    }

    pub(crate) fn scan(mut self) -> Vec<Named> {
        let (mut depth, mut i) = (0_usize, 0);
        while i < self.tokens.len() {
            match self.text(i) {
                "{" => depth += 1,
                "}" => {
                    depth = depth.saturating_sub(1);
                    self.open.retain(|(_, opened)| *opened <= depth);
                }
                "mod" if self.text(i + 2) == "{" => {
                    let name = self.text(i + 1).to_owned();
                    self.open.push((name, depth + 1));
                }
                _ => {}
            }
            i = self.path_at(i).unwrap_or(i + 1);
        }
        self.found
    }

    /// Reads the path that begins here, if one does, and returns where it ends.
    fn path_at(&mut self, i: usize) -> Option<usize> {
        let behind_colons = i > 0 && self.text(i - 1) == "::" && i > 1 && is_word(self.text(i - 2));
        if behind_colons {
            return None;
        }
        let mut base = match self.text(i) {
            "crate" | "countersign" => Vec::new(),
            "self" => self.here(),
            "super" => {
                let mut here = self.here();
                here.pop();
                here
            }
            "std" | "core" => vec![self.text(i).to_owned()],
            child if self.children.contains(child) && self.text(i + 1) == "::" => {
                self.file.iter().cloned().chain([child.to_owned()]).collect()
            }
            _ => return None,
        };
        let behind_use = i > 0 && self.text(i - 1) == "use";
        // `pub(crate)`, `pub(super)`, `pub(in …)`: how far something is visible, not what it names.
        let visibility = (i > 1 && self.text(i - 1) == "(" && self.text(i - 2) == "pub" && self.text(i + 1) == ")")
            || (i > 1 && self.text(i - 1) == "in" && self.text(i - 2) == "(");
        let begins = self.text(i + 1) == "::" || self.text(i + 1) == "as" || behind_use;
        if visibility || !begins {
            return None;
        }
        self.passed_on = behind_use && i > 1 && matches!(self.text(i - 2), "pub" | ")");
        let mut end = i + 1;
        while self.text(end) == "::" && self.text(end + 1) == "super" {
            base.pop();
            end += 2;
        }
        Some(self.tree(base, end))
    }

    /// Follows `::a::b`, `::{…}` and `::*` after a path, and keeps each path that results.
    fn tree(&mut self, mut path: Vec<String>, mut i: usize) -> usize {
        while self.text(i) == "::" {
            match self.text(i + 1) {
                "{" => return self.group(&path, i + 2),
                "*" => {
                    path.push("*".to_owned());
                    i += 2;
                }
                word if is_word(word) => {
                    path.push(word.to_owned());
                    i += 2;
                }
                _ => break,
            }
        }
        self.keep(path, i);
        i
    }

    /// Keeps a path that ends before this token.
    fn keep(&mut self, path: Vec<String>, end: usize) {
        let last = path.last().cloned().unwrap_or_default();
        let name = if self.text(end) == "as" { self.text(end + 1).to_owned() } else { last };
        self.found.push(Named { path, line: self.line(end.saturating_sub(1)), name, passed_on: self.passed_on });
    }

    /// The paths in `{…}`. Begins after the opening brace, and ends after the closing one.
    fn group(&mut self, path: &[String], mut i: usize) -> usize {
        while i < self.tokens.len() {
            match self.text(i) {
                "}" => return i + 1,
                "self" => {
                    self.keep(path.to_vec(), i + 1);
                    i += 1;
                }
                "{" => i = self.group(path, i + 1),
                word if is_word(word) || word == "*" => {
                    let below: Vec<String> = path.iter().cloned().chain([word.to_owned()]).collect();
                    i = self.tree(below, i + 1);
                    if self.text(i) == "as" {
                        i += 2;
                    }
                }
                _ => i += 1,
            }
        }
        i
    }
}

fn is_word(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// The module that a file is: `src/policy/mod.rs` is `policy`, `src/policy/read.rs` is `policy::read`.
pub(crate) fn module(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}
