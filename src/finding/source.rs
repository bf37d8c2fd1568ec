//! Files by name and content, and places in them.

/// A file, or what stands for one.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path relative to what was asked for, with `/` between folders.
    pub name: String,
    /// What is in it.
    pub content: SourceContent,
}

/// What a file holds, or why that is not known.
#[derive(Debug, Clone)]
pub enum SourceContent {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It was not read, for its size in bytes.
    TooLarge(u64),
    /// It could not be read, for this reason.
    Unreadable(String),
}

/// A file, by its place in a [`SourceMap`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A stretch of a file's text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which file.
    pub source: SourceId,
    /// The first line, from 1.
    pub line: u32,
    /// The first character in that line, from 1.
    pub column: u32,
    /// The first byte, from 0.
    pub start: u32,
    /// Its length in bytes.
    pub len: u32,
}

/// A span's two ends in lines and columns, from 1; the end is one past the last character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// First line.
    pub line: u32,
    /// First character.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// One past the last character.
    pub end_column: u32,
}

/// The texts that spans point into.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    files: Vec<(String, String)>,
}

impl SourceMap {
    /// Adds a file.
    pub fn add(&mut self, name: String, text: String) -> SourceId {
        let id = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.push((name, text));
        SourceId(id)
    }

    /// The files, in the order in which they were added.
    pub fn ids(&self) -> impl Iterator<Item = SourceId> {
        (0..self.files.len()).map_while(|at| u32::try_from(at).ok()).map(SourceId)
    }

    /// A file's name.
    #[must_use]
    pub fn name(&self, id: SourceId) -> &str {
        self.file(id).map_or("", |(name, _)| name)
    }

    /// A file's text.
    #[must_use]
    pub fn text(&self, id: SourceId) -> &str {
        self.file(id).map_or("", |(_, text)| text)
    }

    fn file(&self, id: SourceId) -> Option<&(String, String)> {
        self.files.get(usize::try_from(id.0).ok()?)
    }

    /// The span's bytes as a range that lies within the text, on character boundaries.
    #[must_use]
    pub fn range(&self, span: Span) -> std::ops::Range<usize> {
        let text = self.text(span.source);
        let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let start = usize::try_from(span.start).unwrap_or(usize::MAX);
        let end = start.saturating_add(usize::try_from(span.len).unwrap_or(usize::MAX));
        floor(start)..floor(end)
    }

    /// Both ends of the span.
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
