//! Findings as workflow commands. GitHub shows each beside its line.
//!
//! The format and its escapes follow <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>
//! and `actions/toolkit`, `packages/core/src/command.ts`.

use crate::finding::{Finding, Findings, Severity, SourceMap};

/// Returns one line for each finding. `root` is put before the name of every file.
#[must_use]
pub fn commands(findings: &Findings, sources: &SourceMap, root: &str) -> String {
    findings.iter().map(|finding| command(finding, sources, root)).collect()
}

fn command(finding: &Finding, sources: &SourceMap, root: &str) -> String {
    let name = match finding.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(span) = finding.span {
        let at = sources.location(span);
        properties.push(format!("file={}", property(&format!("{root}{}", sources.name(span.source)))));
        properties.push(format!("line={}", at.line));
        properties.push(format!("endLine={}", at.end_line));
        // GitHub refuses columns if the finding spans several lines.
        if at.line == at.end_line {
            properties.push(format!("col={}", at.column));
            properties.push(format!("endColumn={}", at.end_column));
        }
    }
    properties.push(format!("title={}", property(finding.code.as_str())));
    let mut text = finding.message.clone();
    if let Some(hint) = &finding.hint {
        text.push_str("\nhelp: ");
        text.push_str(hint);
    }
    format!("::{name} {}::{}\n", properties.join(","), data(&text))
}

/// A command ends with its line, so line ends are escaped, and so is the escape character.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property also ends at `:` and `,`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::commands;
    use crate::finding::{Code, Finding, Findings, SourceMap, Span};

    #[test]
    fn a_command_has_the_place_the_code_and_the_text_with_its_hint() {
        let mut sources = SourceMap::default();
        let source = sources.add("a,b:c.yaml".to_owned(), "x: 100%\ny:\n  z\n".to_owned());
        let one_line = Span { source, line: 1, column: 4, start: 3, len: 4 };
        let two_lines = Span { source, line: 2, column: 1, start: 8, len: 6 };
        let mut findings = Findings::new();
        findings.push(Finding::at(Code::UnusedGroup, one_line, "100% of `a:b,c`").hint("line\nline"));
        findings.push(Finding::at(Code::SoleApprover, two_lines, "two"));
        findings.push(Finding::of_bundle(Code::Version, "none"));
        let expected = "::warning file=p/a%2Cb%3Ac.yaml,line=1,endLine=1,col=4,endColumn=8,title=unused-group::\
                        100%25 of `a:b,c`%0Ahelp: line%0Aline\n\
                        ::notice file=p/a%2Cb%3Ac.yaml,line=2,endLine=3,title=sole-approver::two\n\
                        ::error title=version::none\n";
        assert_eq!(commands(&findings, &sources, "p/"), expected);
    }
}
