//! Findings as SARIF 2.1.0, the exchange format of code scanning: one log with one run for any number of bundles.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use serde_json::{Value, json};

use crate::finding::{Code, Finding, Findings, Severity, SourceMap, Span, Waived};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The page that explains the codes. Each code has a heading.
const HELP: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/findings.md");

#[derive(Debug, Default)]
pub struct Log {
    results: Vec<Value>,
    failures: Vec<Value>,
}

impl Log {
    /// Adds the findings of one bundle. `root` is put before the name of every file.
    pub fn add(&mut self, findings: &Findings, waived: &[Waived], sources: &SourceMap, root: &str) {
        self.results.extend(findings.iter().map(|finding| result(finding, sources, root)));
        for Waived { finding, reason, by } in waived {
            let mut result = result(finding, sources, root);
            if let Some(result) = result.as_object_mut() {
                let place = json!({ "physicalLocation": physical(*by, sources, root) });
                let suppression = json!({ "kind": "inSource", "justification": reason, "location": place });
                result.insert("suppressions".to_owned(), json!([suppression]));
            }
            self.results.push(result);
        }
    }

    /// Adds a bundle that could not be read.
    pub fn fail(&mut self, message: &str) {
        self.failures.push(json!({ "level": "error", "message": { "text": message } }));
    }

    #[must_use]
    pub fn into_json(self) -> Value {
        let mut invocation = json!({ "executionSuccessful": self.failures.is_empty() });
        if let Some(invocation) = invocation.as_object_mut().filter(|_| !self.failures.is_empty()) {
            invocation.insert("toolExecutionNotifications".to_owned(), self.failures.into());
        }
        json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": env!("CARGO_PKG_NAME"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "informationUri": env!("CARGO_PKG_REPOSITORY"),
                    "rules": Code::ALL.iter().copied().map(rule).collect::<Vec<_>>(),
                } },
                // A column counts code points, as in the other formats of `check`.
                "columnKind": "unicodeCodePoints",
                "invocations": [invocation],
                "results": self.results,
            }],
        })
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.summary() },
        "helpUri": format!("{HELP}#{}", code.as_str()),
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn result(finding: &Finding, sources: &SourceMap, root: &str) -> Value {
    let mut text = finding.message.clone();
    if let Some(hint) = &finding.hint {
        text.push_str("\nhelp: ");
        text.push_str(hint);
    }
    let index = Code::ALL.iter().position(|code| *code == finding.code);
    let locations = finding.span.map(|span| json!({ "physicalLocation": physical(span, sources, root) }));
    let related = finding.related.iter().map(|related| {
        let message = json!({ "text": related.message });
        json!({ "physicalLocation": physical(related.span, sources, root), "message": message })
    });
    json!({
        "ruleId": finding.code.as_str(),
        "ruleIndex": index,
        "level": level(finding.severity()),
        "message": { "text": text },
        "locations": locations.into_iter().collect::<Vec<_>>(),
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

fn physical(span: Span, sources: &SourceMap, root: &str) -> Value {
    let at = sources.location(span);
    json!({
        "artifactLocation": { "uri": uri(&format!("{root}{}", sources.name(span.source))) },
        "region": {
            "startLine": at.line,
            "startColumn": at.column,
            "endLine": at.end_line,
            "endColumn": at.end_column,
        },
    })
}

/// A path as a relative reference, percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::{Log, uri};
    use crate::finding::{Code, Finding, Findings, SourceMap, Span, Waived};

    #[test]
    fn a_result_has_its_rule_its_place_and_what_waives_it() {
        let mut sources = SourceMap::default();
        let source = sources.add("a b.yaml".to_owned(), "ä: 1 # why\n".to_owned());
        let span = Span { source, line: 1, column: 4, start: 4, len: 1 };
        let by = Span { source, line: 1, column: 6, start: 6, len: 5 };
        let finding = Finding::at(Code::UnusedGroup, span, "nothing").related(by, "here");
        let waived = [Waived { finding: finding.clone(), reason: "why".to_owned(), by }];
        let mut log = Log::default();
        log.add(&Findings::from_iter([finding]), &waived, &sources, "p/");
        let json = log.into_json();
        let result =
            |n: usize, pointer: &str| json.pointer(&format!("/runs/0/results/{n}/{pointer}")).cloned().unwrap();
        assert_eq!(result(0, "locations/0/physicalLocation/artifactLocation/uri"), "p/a%20b.yaml");
        assert_eq!(result(0, "locations/0/physicalLocation/region/endColumn"), 5);
        assert_eq!(result(0, "relatedLocations/0/message/text"), "here");
        let index = result(0, "ruleIndex");
        assert_eq!(json.pointer(&format!("/runs/0/tool/driver/rules/{index}/id")).unwrap(), "unused-group");
        assert_eq!(result(1, "suppressions/0/justification"), "why");
        assert!(json.pointer("/runs/0/results/0/suppressions").is_none());
    }

    #[test]
    fn characters_that_a_uri_does_not_allow_are_escaped() {
        assert_eq!(uri("../ü:%.yaml"), "../%C3%BC%3A%25.yaml");
    }
}
