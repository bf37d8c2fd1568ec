//! Reads a YAML file as a tree in which every key and value knows its place. No other module uses the YAML crate.
//!
//! It is a tree and not a set of structs for two reasons. Serde stops at the first mistake, and an author wants to see
//! all of them. And serde loses the places inside untagged and flattened types. Does not know what the keys mean.

mod fast_reader;
mod node_json;
mod tree;
mod visitor;

pub(crate) use node_json::{NodeJson, StoredNode};
pub(crate) use tree::{Entry, Node, Value, entries};

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_yaml::Spanned;

use self::visitor::{Form, Stored};
use crate::finding::{Code, Finding, SourceId, Span};

/// The most levels of mappings and lists in one file.
const MAX_DEPTH: usize = 32;
/// The most values in one file.
const MAX_NODES: usize = 600_000;

/// How many values may still be read. All files of a bundle share one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(2_000_000)
    }
}

/// Reads one document. Refuses what exceeds fixed limits, before it costs anything.
///
/// # Errors
/// The first problem: syntax, a duplicate key, or a limit.
pub(crate) fn parse(source: SourceId, text: &str, room: &mut Room) -> Result<Node, Finding> {
    // The fast reader returns nothing for a file that is unusual, wrong or too large. The full reader reports why.
    if let Some((root, size)) = fast_reader::read(source, text, room.0.min(MAX_NODES)) {
        room.0 = room.0.saturating_sub(size);
        return Ok(root);
    }
    let root = read_fully(source, text, *room)?;
    room.0 = room.0.saturating_sub(root.size());
    Ok(root)
}

/// Reads all of YAML, with anchors, aliases and merge keys, and reports what is wrong with a file.
fn read_fully(source: SourceId, text: &str, room: Room) -> Result<Node, Finding> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: room.0.min(MAX_NODES),
            max_events: 1_600_000,
            max_documents: 2,
            max_aliases: 10_000,
            max_anchors: 10_000,
            max_merge_keys: 10_000,
            max_recorded_anchor_events: 200_000,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: 200_000,
            max_replay_stack_depth: 8,
        },
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    match serde_yaml::from_str_with_options::<Node>(text, options) {
        Ok(mut root) => {
            root.belongs_to(source);
            Ok(root)
        }
        Err(error) => Err(refusal(source, &error)),
    }
}

/// The YAML crate's error as a finding, without the crate's advice to programmers.
fn refusal(source: SourceId, error: &serde_yaml::Error) -> Finding {
    use serde_yaml::Error as E;
    let place = error.location().unwrap_or(serde_yaml::Location::UNKNOWN);
    let span = Span { source, ..span_of(place) };
    let whole = error.to_string();
    let text = whole.split(" at line ").next().unwrap_or(&whole);
    #[expect(clippy::wildcard_enum_match_arm, reason = "the crate's enum is open; all other errors are about syntax")]
    match error {
        E::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            Finding::at(Code::DuplicateKey, span, format!("the key `{key}` appears twice in one mapping"))
                .hint("keep one of the two")
        }
        E::Budget { .. }
        | E::AliasReplayCounterOverflow { .. }
        | E::AliasReplayLimitExceeded { .. }
        | E::AliasExpansionLimitExceeded { .. }
        | E::AliasReplayStackDepthExceeded { .. } => too_much(span),
        E::MultipleDocuments { .. } => Finding::at(Code::YamlSyntax, span, "a second YAML document starts here")
            .hint("a file holds one document: put the other into a file of its own"),
        E::UnknownAnchor { .. } => {
            Finding::at(Code::YamlSyntax, span, "this alias refers to an anchor that does not exist")
                .hint("define it before it is used: `&name`")
        }
        E::RecursiveReferencesRequireWeakTypes { .. } => {
            Finding::at(Code::YamlSyntax, span, "this alias refers to a value that contains the alias")
                .hint("write the value out")
        }
        E::NullIntoString { .. } => Finding::at(Code::YamlSyntax, span, "a key is empty, and must be a text")
            .hint("write a key before the `:`, or `\"\"` around a key that is a word of YAML"),
        E::UnsupportedTag { .. } => {
            Finding::at(Code::YamlSyntax, span, "YAML tags are not allowed in a policy").hint("remove the tag")
        }
        _ if text.contains("nesting") || text.contains("recursion") => {
            Finding::at(Code::YamlLimit, span, "the file nests too deeply").hint("at most 32 levels")
        }
        // The crate wraps an error behind an alias, so that only its text shows which it is.
        _ if text.starts_with("budget breached") || text.starts_with("alias replay") => too_much(span),
        _ if text.contains("tabs disallowed") => {
            Finding::at(Code::YamlSyntax, span, "YAML does not allow tabs as indentation").hint("indent with spaces")
        }
        _ if text.starts_with("unexpected character") => {
            let character = text.trim_start_matches("unexpected character:").trim().trim_matches(['`', '\'']);
            Finding::at(Code::YamlSyntax, span, format!("the character `{character}` is not allowed here"))
                .hint("remove it, or put the text in quotes")
        }
        _ => Finding::at(Code::YamlSyntax, span, format!("this is not YAML: {text}"))
            .hint("check for an open bracket or quote, and for wrong indentation"),
    }
}

fn too_much(span: Span) -> Finding {
    Finding::at(Code::YamlLimit, span, "the file exceeds the limits on nesting, values or aliases")
        .hint("at most 32 levels, 600000 values, 10000 aliases, and 200000 values that come from aliases")
}

/// The place that the YAML crate reports, without the file.
fn span_of(location: serde_yaml::Location) -> Span {
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let span = location.span();
    Span {
        source: SourceId::default(),
        line: small(location.line().max(1)),
        column: small(location.column().max(1)),
        start: small(span.byte_offset().unwrap_or_else(|| span.offset())),
        len: small(span.byte_len().unwrap_or_else(|| span.len())),
    }
}

/// The comments of a text that [`parse`] takes, from `#` to the end of the line, and whether each is alone on its line.
///
/// The YAML crate's scanner finds the scalars. A `#` outside of them, behind white space, begins a comment. A comment in
/// the first line of a block scalar, behind the `|`, is not found.
pub(crate) fn comments(source: SourceId, text: &str) -> Vec<(Span, bool)> {
    use serde_yaml::granit_parser::{Scanner, StrInput, TokenType};
    let scalars = Scanner::new(StrInput::new(text)).map_while(Result::ok).filter_map(|token| {
        let span = token.span();
        matches!(token.token_type(), TokenType::Scalar(..)).then(|| span.byte_range()).flatten()
    });
    let mut scalars = scalars.filter(|range| !range.is_empty()).peekable();
    let (mut found, mut offset) = (Vec::new(), 0);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let marks = line.match_indices('#').map(|(at, _)| at);
        let begins = marks.filter(|at| line.get(..*at).is_some_and(is_blank_end)).find(|at| {
            let at = offset + *at;
            while scalars.next_if(|range| range.end <= at).is_some() {}
            scalars.peek().is_none_or(|range| range.start > at)
        });
        if let Some((at, (before, comment))) = begins.and_then(|at| Some((at, line.split_at_checked(at)?))) {
            let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let (column, start) = (small(before.chars().count() + 1), small(offset + at));
            let len = small(comment.trim_end().len());
            let alone = before.trim_start_matches('\u{feff}').trim().is_empty();
            found.push((Span { source, line: number, column, start, len }, alone));
        }
        offset += line.len();
    }
    found
}

/// Whether a comment may begin behind this part of a line.
fn is_blank_end(before: &str) -> bool {
    before.is_empty() || before.ends_with([' ', '\t']) || before == "\u{feff}"
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Stored<Yaml>>::deserialize(deserializer)?;
        Ok(Self { span: span_of(spanned.referenced), value: spanned.value.value })
    }
}

struct Yaml;

impl Form for Yaml {
    type Node = Node;
    type Key = Spanned<Box<str>>;
    type Behind = Node;

    fn entry(key: Spanned<Box<str>>, node: Node) -> Entry {
        Entry { key: key.value, key_span: span_of(key.referenced), node }
    }

    /// The YAML crate refuses duplicate keys itself.
    fn mapping<E: Error>(entries: Vec<Entry>) -> Result<Value, E> {
        Ok(Value::Map(entries))
    }

    fn large<E: Error>(_: u64) -> Result<Value, E> {
        Ok(Value::Float(f64::INFINITY))
    }
}

#[cfg(test)]
mod tests {
    use super::comments;
    use crate::finding::SourceId;
    use proptest::prelude::*;

    /// Each comment with its line, and `!` if it is alone on it.
    fn found(text: &str) -> Vec<String> {
        let written = |(span, alone): (super::Span, bool)| {
            let start = usize::try_from(span.start).unwrap();
            let comment = text.get(start..start + usize::try_from(span.len).unwrap()).unwrap();
            format!("{}{}{comment}", span.line, if alone { "!" } else { ":" })
        };
        comments(SourceId::default(), text).into_iter().map(written).collect()
    }

    #[test]
    fn a_comment_is_found_at_the_end_of_a_line_and_alone_on_one() {
        assert_eq!(
            found("# a\nkey: value # b\n  \t# c\r\nlist: [1, 2] # d # e"),
            ["1!# a", "2:# b", "3!# c", "4:# d # e"]
        );
        assert_eq!(found("\u{feff}# mark\nä: ü # c"), ["1!# mark", "2:# c"]);
        assert_eq!(found("&a k: *a # c\n? x # d\n: y"), ["1:# c", "2:# d"]);
        assert_eq!(found("[a, # in\n b]\n--- # no"), ["1:# in", "3:# no"]);
    }

    #[test]
    fn what_only_looks_like_a_comment_is_not_found() {
        assert_eq!(found("a: b#c\nd: 'x # y'\ne: \"x # \\\" # y\"\nf: &a#b x\ng: [*a#b ]\n"), [""; 0]);
        assert_eq!(found("'k # l': 1 # m"), ["1:# m"]);
        assert_eq!(found("a: 'x\n  # y\n  z' # w"), ["3:# w"]);
        assert_eq!(found("a: \"x\n  # y\n  z\" # w"), ["3:# w"]);
    }

    #[test]
    fn a_block_scalar_has_no_comments_and_ends_where_its_indent_does() {
        assert_eq!(found("a: |\n  x # y\n  # z\nb: 1 # c"), ["4:# c"]);
        assert_eq!(found("a: >-\n  x # y\n\n  # z\n\n# c\nb: 1"), ["6!# c"]);
        assert_eq!(found("a:\n  - |2\n     # x\n    # y\n  # c\n"), ["5!# c"]);
    }

    proptest! {
        #[test]
        fn blanking_the_comments_changes_nothing_of_what_is_read(
            text in "([ \\n#:,\\-|>'\"a\\[\\]{}&*é]|key: |\\n  |'x # y'){0,40}"
        ) {
            let read = |text: &str| super::parse(SourceId::default(), text, &mut super::Room::default()).map(|node| node.to_json()).ok();
            if let Some(value) = read(&text) {
                let mut bare = text.clone().into_bytes();
                for (span, _) in comments(SourceId::default(), &text) {
                    let start = usize::try_from(span.start).unwrap();
                    let end = start + usize::try_from(span.len).unwrap();
                    bare[start..end].fill(b' ');
                }
                prop_assert_eq!(read(&String::from_utf8(bare).unwrap()), Some(value));
            }
        }
    }
}
