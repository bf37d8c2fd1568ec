//! Reads lines of bounded length from a stream of any length.

use std::io::{self, BufRead, BufReader, Read};

const BUFFER_BYTES: usize = 64 << 10;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The line is in the buffer, without its line feed.
    Read,
    /// The line was longer than allowed, and was skipped.
    TooLong,
    /// There are no more lines.
    End,
}

/// Reads line by line, and never holds more than `longest` bytes of a line.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    longest: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R, longest: u64) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER_BYTES, reader), longest }
    }

    /// Replaces the content of `line` with the next line.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Line> {
        line.clear();
        let read = self.reader.by_ref().take(self.longest.saturating_add(1)).read_until(b'\n', line)?;
        if read == 0 {
            return Ok(Line::End);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            return Ok(Line::Read);
        }
        if u64::try_from(read).unwrap_or(u64::MAX) <= self.longest {
            return Ok(Line::Read);
        }
        line.clear();
        line.shrink_to(BUFFER_BYTES);
        self.skip_line()?;
        Ok(Line::TooLong)
    }

    /// Whether another whole line is buffered, so that reading it does not wait.
    pub(super) fn has_another(&self) -> bool {
        self.reader.buffer().contains(&b'\n')
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let (length, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), false),
            };
            self.reader.consume(length);
            if ended {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines};

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_is_read() {
        let mut lines = Lines::new("12345\n123456\nab\n\nlast".as_bytes(), 5);
        let mut line = Vec::new();
        let mut seen = Vec::new();
        loop {
            match lines.next(&mut line).unwrap() {
                Line::Read => seen.push(String::from_utf8(line.clone()).unwrap()),
                Line::TooLong => seen.push("too long".to_owned()),
                Line::End => break,
            }
        }
        assert_eq!(seen, ["12345", "too long", "ab", "", "last"]);
    }

    #[test]
    fn a_buffered_line_is_found_without_reading() {
        let mut lines = Lines::new("a\nb\nc".as_bytes(), 5);
        let mut line = Vec::new();
        assert!(!lines.has_another());
        lines.next(&mut line).unwrap();
        assert!(lines.has_another());
        lines.next(&mut line).unwrap();
        assert!(!lines.has_another());
    }
}
