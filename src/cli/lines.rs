//! Lines of bounded length from a stream of unknown length.

use std::io::{self, BufRead, BufReader, Read};

/// How much is read at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// What came of asking for the next line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It is in the buffer, without its line feed.
    Read,
    /// It has more bytes than allowed; it was skipped.
    TooLong,
    /// There is none.
    End,
}

/// Reads line by line. A line has at most so many bytes, and no more than that is ever held.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    longest: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R, longest: u64) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER_BYTES, reader), longest }
    }

    /// Reads the next line into `line`, which is emptied first.
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

    /// Whether another whole line is here already, so that asking for it does not wait.
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
    fn a_line_that_is_too_long_is_skipped_and_the_next_one_read() {
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
    fn whether_another_line_is_here_is_known_without_reading() {
        let mut lines = Lines::new("a\nb\nc".as_bytes(), 5);
        let mut line = Vec::new();
        assert!(!lines.has_another());
        lines.next(&mut line).unwrap();
        assert!(lines.has_another());
        lines.next(&mut line).unwrap();
        assert!(!lines.has_another());
    }
}
