//! The files of a bundle, and places in them.

/// A file, or an entry that could not be read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path relative to the bundle, with `/` between folders.
    pub name: String,
    pub content: SourceContent,
}

#[derive(Debug, Clone)]
pub enum SourceContent {
    Bytes(Vec<u8>),
    /// Not read because of its size, in bytes.
    TooLarge(u64),
    /// Not readable, with the reason.
    Unreadable(String),
}

/// The index of a file in a [`SourceMap`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A range of a file's text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub source: SourceId,
    /// From 1.
    pub line: u32,
    /// The first character in that line, from 1.
    pub column: u32,
    /// The first byte, from 0.
    pub start: u32,
    /// In bytes.
    pub len: u32,
}

/// Both ends of a span in lines and characters, from 1. The end is one past the last character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

/// The texts that spans point into.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<(String, String)>,
}

impl SourceMap {
    pub fn add(&mut self, name: String, text: String) -> SourceId {
        let id = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push((name, text));
        SourceId(id)
    }

    /// In the order in which the files were added.
    pub fn ids(&self) -> impl Iterator<Item = SourceId> {
        (0..self.files.len()).map_while(|at| u32::try_from(at).ok()).map(SourceId)
    }

    #[must_use]
    pub fn name(&self, id: SourceId) -> &str {
        self.file(id).map_or("", |(name, _)| name)
    }

    #[must_use]
    pub fn text(&self, id: SourceId) -> &str {
        self.file(id).map_or("", |(_, text)| text)
    }

    fn file(&self, id: SourceId) -> Option<&(String, String)> {
        self.files.get(usize::try_from(id.0).ok()?)
    }

    /// The span as a range of bytes within the text, on character boundaries.
    #[must_use]
    pub fn range(&self, span: Span) -> std::ops::Range<usize> {
        let text = self.text(span.source);
        let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let start = usize::try_from(span.start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(span.len).unwrap_or(usize::MAX));
        floor(start)..floor(end)
    }

    #[must_use]
    pub fn location(&self, span: Span) -> Location {
        let covered = self.text(span.source).get(self.range(span)).unwrap_or_default();
        let breaks = covered.matches('\n').count();
        let last_line = covered.rsplit('\n').next().unwrap_or_default().chars().count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Location {
            line: span.line,
            column: span.column,
            end_line: span.line.saturating_add(count(breaks)),
            end_column: if breaks == 0 {
                span.column.saturating_add(count(last_line))
            } else {
                count(last_line).saturating_add(1)
            },
        }
    }
}
