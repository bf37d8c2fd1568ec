//! Reads files of ordinary mappings, lists and scalars, which nearly all policies are. There are two readers because
//! loading 10,000 rules with the full reader alone takes 2.1 times the CPU (144 ms in place of 69 ms, `benches/load.rs`).
//!
//! It walks the events of the full reader's own parser, so that there is one grammar, and builds the tree without serde.
//! It reports nothing: at the first thing that is unusual, it gives up, and the full reader reads the file. Unusual are
//! anchors, aliases, tags, merge keys, numbers other than small whole ones, and every mistake. Tests hold both readers
//! to the same tree.

use serde_yaml::granit_parser::{self, Event, Parser, ScalarStyle, StrInput};

use super::MAX_DEPTH;
use super::tree::{Entry, Node, Value, are_distinct};
use crate::finding::{SourceId, Span};

/// The tree of an ordinary file and how many values it has. `None` if the file is unusual or has more than `room` values.
pub(super) fn read(source: SourceId, text: &str, room: usize) -> Option<(Node, usize)> {
    let options = granit_parser::options! { flow_nesting_limit: MAX_DEPTH, emit_comments: false };
    let mut reader = FastReader { events: Parser::new_from_str_with_options(text, options), source, left: room };
    let (Event::StreamStart, _) = reader.next()? else { return None };
    let (Event::DocumentStart(..), _) = reader.next()? else { return None };
    let (event, span) = reader.next()?;
    let root = reader.node(event, &span, 0)?;
    let (Event::DocumentEnd, _) = reader.next()? else { return None };
    let (Event::StreamEnd, _) = reader.next()? else { return None };
    Some((root, room - reader.left))
}

struct FastReader<'t> {
    events: Parser<'t, StrInput<'t>>,
    source: SourceId,
    /// How many values may still come.
    left: usize,
}

impl<'t> FastReader<'t> {
    fn next(&mut self) -> Option<(Event<'t>, granit_parser::Span)> {
        self.events.next()?.ok()
    }

    /// The value that begins with this event, `depth` levels down.
    fn node(&mut self, event: Event<'t>, span: &granit_parser::Span, depth: usize) -> Option<Node> {
        self.left = self.left.checked_sub(1)?;
        #[expect(clippy::wildcard_enum_match_arm, reason = "the crate's enum is open; all other events are unusual")]
        let value = match event {
            Event::Scalar(text, style, 0, None) => scalar(&text, style)?,
            Event::SequenceStart(_, 0, None) if depth < MAX_DEPTH => Value::List(self.items(depth + 1)?),
            Event::MappingStart(_, 0, None) if depth < MAX_DEPTH => Value::Map(self.entries(depth + 1)?),
            _ => return None,
        };
        Some(Node { span: self.place(span), value })
    }

    fn items(&mut self, depth: usize) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Some(items);
            }
            items.push(self.node(event, &span, depth)?);
        }
    }

    fn entries(&mut self, depth: usize) -> Option<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return are_distinct(&entries).then_some(entries);
            }
            self.left = self.left.checked_sub(1)?;
            let Event::Scalar(text, style, 0, None) = event else { return None };
            // A merge key has another meaning, and two spellings of a number are one key.
            let Value::Text(key) = scalar(&text, style)? else { return None };
            if &*key == "<<" {
                return None;
            }
            let key_span = self.place(&span);
            let (event, span) = self.next()?;
            let node = self.node(event, &span, depth)?;
            if entries.is_empty() {
                // Most mappings of a policy have one key. Room for four would take most of the tree's memory.
                entries.reserve_exact(1);
            }
            entries.push(Entry { key, key_span, node });
        }
    }

    fn place(&self, span: &granit_parser::Span) -> Span {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let offset = |marker: &granit_parser::Marker| marker.byte_offset().unwrap_or_else(|| marker.index());
        let start = offset(&span.start);
        Span {
            source: self.source,
            line: small(span.start.line()).max(1),
            column: small(span.start.col()).saturating_add(1),
            start: small(start),
            len: small(offset(&span.end).saturating_sub(start)),
        }
    }
}

/// A scalar by YAML's core schema. `None` if it could be a number other than a small whole one.
fn scalar(text: &str, style: ScalarStyle) -> Option<Value> {
    if style != ScalarStyle::Plain {
        return Some(Value::Text(text.into()));
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" => return Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Value::Bool(false)),
        _ => {}
    }
    if text.trim_matches([' ', '\t', '\r', '\n']).len() != text.len() {
        return None;
    }
    let bytes = text.as_bytes();
    match bytes {
        // Any other number begins like this.
        [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..] | [b'+' | b'-' | b'.', ..] => None,
        [b'0'..=b'9', ..] if bytes.iter().all(u8::is_ascii_digit) => {
            let small = bytes.len() <= 18 && (bytes == b"0" || !bytes.starts_with(b"0"));
            small.then(|| text.parse().ok().map(Value::Integer))?
        }
        [b'0'..=b'9', ..] if bytes.iter().all(|b| b.is_ascii_digit() || b"_.eE+-".contains(b)) => None,
        _ => Some(Value::Text(text.into())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{MAX_NODES, Room, read_fully};
    use crate::finding::SourceId;

    /// The fast reader's tree, after comparing it with the full reader's.
    fn read(text: &str) -> Option<String> {
        let source = SourceId(3);
        let (root, size) = super::read(source, text, MAX_NODES)?;
        let full = read_fully(source, text, Room::default());
        let full = full.unwrap_or_else(|finding| panic!("{text:?} is refused: {finding:?}"));
        assert_eq!(format!("{root:?}"), format!("{full:?}"), "{text:?}");
        assert_eq!(size, full.size(), "{text:?}");
        Some(format!("{root:?}"))
    }

    #[test]
    fn an_ordinary_policy_is_read() {
        for text in [
            "version: 1\ngroups:\n  sre: { users: [ana, 'bo', \"d\\x41\"], teams: [] }\n",
            "services:\n  a-1:\n    environments:\n      production: { require: 2 of sre, timeout: 30d }\n",
            "# a comment\n---\na: |\n  text\n  more\nb: >-\n  folded\n  text\n? c\n: - 1\n  - ~\n  - TRUE\n...\n",
            "\u{feff}ü: [é, \"\u{1f600}\", 1.2.3x, 8h, no, yes, on, .5]\n".replace(", .5", "").as_str(),
        ] {
            assert!(read(text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn what_is_unusual_is_left_to_the_full_reader() {
        for text in [
            "",
            "a: &x 1",
            "&x a: 1",
            "a: *x",
            "a: !!str 1",
            "!x {}",
            "<<: {a: 1}",
            "a: 1.5",
            "a: 0x10",
            "a: 012",
            "a: +1",
            "a: -1",
            "a: .inf",
            "a: 1e999",
            "a: 1234567890123456789",
            "1: a",
            "~: a",
            "true: a",
            "[a]: b",
            "{a: 1, a: 2}",
            "a: 1\n---\nb: 2",
            "a: [",
            "a: 1\n\tb: 2",
            "a: 1\n...\nb",
        ] {
            assert!(super::read(SourceId(0), text, MAX_NODES).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_key_that_appears_twice_among_many_is_left_to_the_full_reader() {
        let keys = |last: &str| (0..40).map(|n| format!("k{n}: 1\n")).collect::<String>() + last;
        assert!(read(&keys("k40: 1")).is_some());
        assert!(read(&keys("k7: 1")).is_none());
    }

    #[test]
    fn the_limits_on_values_and_depth_are_those_of_the_full_reader() {
        let list = format!("[{}]", "a,".repeat(9));
        assert!(super::read(SourceId(0), &list, 10).is_some());
        assert!(super::read(SourceId(0), &list, 9).is_none());
        assert!(read_fully(SourceId(0), &list, Room(10)).is_ok());
        assert!(read_fully(SourceId(0), &list, Room(9)).is_err());
        for (open, close) in [("[", "]"), ("{a: ", "}")] {
            let deep = |levels: usize| format!("{}b{}", open.repeat(levels), close.repeat(levels));
            assert!(read(&deep(32)).is_some());
            assert!(super::read(SourceId(0), &deep(33), MAX_NODES).is_none());
        }
        let block: String = (0..33).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert!(super::read(SourceId(0), &block, MAX_NODES).is_none());
        assert!(read_fully(SourceId(0), &block, Room::default()).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn a_scalar_is_read_as_the_full_reader_reads_it(
            text in "[-+.0-9a-fA-FxXoOhd_ ~:eEinfINF]{1,6}|[-+]?[.]?(inf|nan|NaN|null|true|False|yes|no|0o7|0b1|1_0|00|1:30)"
        ) {
            read(&format!("a: {text}\nb: [{text}, '{text}']"));
            read(&format!("{text}: a"));
            read(&text);
        }

        #[test]
        fn a_text_of_yaml_s_special_characters_is_read_as_the_full_reader_reads_it(
            text in "([ \\n\\t:,?&*!|>'\"%@`{}#a\\\\é\u{85}\u{feff}\\[\\]-]|b: |- |a: |\\n  |<<|~|1|---\\n|'x'|\"\\\\n\"){0,24}"
        ) {
            read(&text);
        }

        #[test]
        fn a_sound_text_is_read_as_the_full_reader_reads_it(
            lines in proptest::collection::vec(("[a-c]{1,3}", " {0,2}", "[0-9a-z ]{0,3}|\\[[a-c, ]{0,5}\\]|\\{[a-b]: [0-9]{1,3}\\}|'[a-c ]*'|\"\\\\u00e9\""), 0..12)
        ) {
            let text: String = lines.iter().map(|(key, pad, value)| format!("{key}:{pad} {value}\n")).collect();
            read(&text);
            read(&lines.iter().map(|(key, pad, value)| format!("- {key}\n-{pad} {value}\n")).collect::<String>());
        }
    }
}
