//! Reads facts. For invalid facts the error names the key, the given value, and what is expected.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::failure::Failure;
use crate::approval::facts::Facts;
use crate::finding::closest;

/// The size limit of one set of facts.
pub(super) const MAX_FACTS_BYTES: u64 = 64 << 20;

/// Opens a file of facts, or stdin for `-`.
#[expect(clippy::disallowed_methods, reason = "the command line is the edge at which files are read")]
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Failure::new("facts-missing", format!("there is no file of facts at `{}`", path.display()))
                .hint("name a file, or `-` to read stdin"))
        }
        Err(error) => Err(unreadable(path, &error)),
    }
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new("facts-unreadable", format!("the facts `{}` cannot be read: {error}", path.display()))
}

/// Reads one set of facts from a file, or from stdin for `-`.
pub(super) fn read_facts(path: &Path) -> Result<Facts, Failure> {
    let mut bytes = Vec::new();
    let mut reader = open(path)?.take(MAX_FACTS_BYTES + 1);
    reader.read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FACTS_BYTES {
        return Err(too_long());
    }
    parse_facts(&bytes)
}

pub(super) fn too_long() -> Failure {
    Failure::new("facts-too-long", format!("the facts have more than {MAX_FACTS_BYTES} bytes"))
        .hint("give the facts of one pull request only")
}

/// Parses the JSON of one set of facts.
pub(super) fn parse_facts(bytes: &[u8]) -> Result<Facts, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Failure::new("not-utf8", format!("byte {} is not UTF-8 text", error.valid_up_to()))
            .hint("JSON is written in UTF-8")
    })?;
    if text.trim().is_empty() {
        return Err(Failure::new("facts-missing", "the input is empty, so there are no facts")
            .hint("give the facts as one JSON object"));
    }
    // serde would also accept a list of the values in order, which is no form of the contract.
    if text.trim_start().starts_with('[') {
        return Err(Failure::new("invalid-facts", "the facts are a list").hint("give them as one JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let facts = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        explain(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| explain(".", &error))?;
    Ok(facts)
}

/// Translates serde's error into the words of the contract.
fn explain(path: &str, error: &serde_json::Error) -> Failure {
    let whole = error.to_string();
    let text = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(text, _)| text);
    let (line, column) = (error.line(), error.column());
    if error.is_syntax() || error.is_eof() {
        let message = format!("this is not JSON: {text}, at line {line}, column {column}");
        return Failure::new("invalid-json", message);
    }
    let within = if path == "." { "the facts".to_owned() } else { format!("`{path}`") };
    let place = format!("line {line}, column {column}");
    let failure = |message: String| Failure::new("invalid-facts", format!("{message} ({place})"));
    if let Some(field) = quoted(text, "missing field ") {
        return failure(format!("{within}: the key `{field}` is missing"))
            .hint("add it; many keys may be `null` if nothing is known");
    }
    if let Some(field) = quoted(text, "unknown field ") {
        // The path includes the unknown key, but the message names its parent.
        let within = match path.strip_suffix(field).map(|parent| parent.trim_end_matches('.')) {
            Some("") | None => "the facts".to_owned(),
            Some(parent) => format!("`{parent}`"),
        };
        let known = expected(text);
        let hint = match closest(field, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("allowed keys: {}", known.join(", ")),
        };
        return failure(format!("{within}: there is no key `{field}`")).hint(hint);
    }
    if let Some(given) = quoted(text, "unknown variant ") {
        let known = expected(text);
        let hint = match closest(given, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("allowed values: {}", known.join(", ")),
        };
        return failure(format!("{within} is `{given}`")).hint(hint);
    }
    let wrong = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    if let Some((given, wanted)) = wrong.and_then(|text| text.split_once(", expected ")) {
        return failure(format!("{within} is {}", in_words(given))).hint(format!("expected {}", in_words(wanted)));
    }
    match text.rsplit_once(": expected ") {
        Some((given, wanted)) => failure(format!("{within}: {given}")).hint(format!("expected {wanted}")),
        None => failure(format!("{within}: {text}")),
    }
}

/// The first text between backticks after `start`.
fn quoted<'s>(text: &'s str, start: &str) -> Option<&'s str> {
    text.strip_prefix(start)?.strip_prefix('`')?.split('`').next()
}

/// The texts between backticks after `expected`.
fn expected(text: &str) -> Vec<&str> {
    let list = text.split_once(", expected ").map(|(_, list)| list).unwrap_or_default();
    list.split('`').skip(1).step_by(2).collect()
}

/// Translates serde's names of types into plain words.
fn in_words(text: &str) -> String {
    let known = [
        ("u64", "a whole number"),
        ("u32", "a whole number"),
        ("a sequence", "a list"),
        ("sequence", "a list"),
        ("a map", "an object"),
        ("map", "an object"),
        ("a string", "a text"),
        ("a boolean", "`true` or `false`"),
        ("string or map", "a text or an object"),
    ];
    if let Some((_, words)) = known.iter().find(|(name, _)| *name == text) {
        return (*words).to_owned();
    }
    match text.split_once(' ') {
        Some(("struct", _)) => "an object".to_owned(),
        Some(("enum", _)) => "one of a few words".to_owned(),
        Some(("string", text)) => format!("the text {text}"),
        Some(("integer" | "floating", number)) => format!("the number {}", number.trim_start_matches("point ")),
        Some(("boolean", value)) => value.to_owned(),
        Some(_) | None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_facts;

    fn error(text: &str) -> String {
        let failure = parse_facts(text.as_bytes()).unwrap_err().json();
        format!("{} | {}", failure["message"].as_str().unwrap(), failure["hint"].as_str().unwrap_or_default())
    }

    const START: &str =
        r#"{"schema":1,"now":"2026-11-18T10:00:00Z","target":{"service":"checkout","environment":"production"}"#;

    #[test]
    fn facts_without_a_pull_request_are_facts() {
        assert!(parse_facts(format!("{START}}}").as_bytes()).is_ok());
    }

    #[test]
    fn an_error_names_the_path_the_given_value_and_the_expected_one() {
        let cases = [
            (r#","reviews":[{"id":"x"}]}"#, "`reviews[0].id` is the text \"x\"", "a whole number"),
            (
                r#","reviews":[{"id":1,"user":null,"state":"aproved"}]}"#,
                "`reviews[0].state` is `aproved`",
                "`approved`",
            ),
            (r#","revews":[]}"#, "there is no key `revews`", "did you mean `reviews`?"),
            (r#","teams":[]}"#, "`teams` is a list", "an object"),
            (r#","teams":{"acme":[]}}"#, "`acme` is not a GitHub team", "`org/slug`"),
            (r#","pull_request":{"number":1}}"#, "`pull_request`: the key `repository` is missing", "null"),
            (r#","schema":1}"#, "duplicate field `schema`", ""),
            (r#","version":5}"#, "`version` is the number `5`", "a text"),
        ];
        for (rest, message, hint) in cases {
            let error = error(&format!("{START}{rest}"));
            let (text, hinted) = error.split_once(" | ").unwrap();
            assert!(text.contains(message) && hinted.contains(hint), "{rest}: {error}");
        }
    }

    #[test]
    fn another_schema_a_missing_instant_and_broken_json_are_reported() {
        assert!(error(r#"{"schema":2}"#).contains("`schema` is 2"));
        assert!(error(r#"{"schema":1}"#).contains("the key `now` is missing"));
        assert!(error("{").contains("this is not JSON"));
        assert!(error("{}{}").contains("missing"));
        assert!(error("[]").contains("the facts"));
        assert!(error(" ").contains("the input is empty"));
        assert!(error(&format!("{START}}} x")).contains("not JSON"));
        assert!(error(&format!("{START},\"input\":{}", "{\"a\":".repeat(100_000))).contains("recursion limit"));
    }
}
