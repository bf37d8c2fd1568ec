//! The results of policy tests as JUnit XML, which continuous integration systems read.
//!
//! There is no standard. This is what Jenkins, GitLab, GitHub's actions, Azure and Buildkite have in common. It is
//! written by hand, because it has only three elements: a crate would bring an XML writer and another date library, and
//! still leave the characters that XML cannot hold to us. Nothing depends on the clock, so equal results give equal
//! bytes.

use std::fmt::Write as _;

use super::visible;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    pub file: String,
    pub cases: Vec<Case>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub name: String,
    /// From 1.
    pub line: u32,
    /// `None` if the case passed.
    pub failure: Option<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// One line.
    pub message: String,
    /// The full text, safe to print.
    pub text: String,
}

#[must_use]
pub fn xml(suites: &[Suite]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = counted(suites.iter().flat_map(|suite| &suite.cases));
    let _ = writeln!(xml, "<testsuites name=\"countersign\" {all}>");
    for suite in suites.iter().filter(|suite| !suite.cases.is_empty()) {
        let file = attribute(&suite.file);
        let counted = counted(suite.cases.iter());
        let _ = writeln!(xml, "  <testsuite name=\"{file}\" {counted} file=\"{file}\">");
        for case in &suite.cases {
            write_case(&mut xml, suite, case);
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn counted<'c>(cases: impl Iterator<Item = &'c Case>) -> String {
    let (mut tests, mut failures) = (0, 0);
    for case in cases {
        tests += 1;
        failures += usize::from(case.failure.is_some());
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\" time=\"0\"")
}

fn write_case(xml: &mut String, suite: &Suite, case: &Case) {
    let (name, file) = (attribute(&case.name), attribute(&suite.file));
    let class = attribute(class_name(&suite.file));
    let line = case.line;
    let _ =
        write!(xml, "    <testcase classname=\"{class}\" name=\"{name}\" file=\"{file}\" line=\"{line}\" time=\"0\"");
    match &case.failure {
        None => xml.push_str("/>\n"),
        Some(failure) => {
            let message = attribute(&failure.message);
            let text = escaped(&failure.text, false);
            let _ = write!(
                xml,
                ">\n      <failure message=\"{message}\" type=\"expectation\">{text}</failure>\n    </testcase>\n"
            );
        }
    }
}

/// The file name without its extension: some readers take the text before a dot for a package.
fn class_name(file: &str) -> &str {
    let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).unwrap_or(file);
    stem.strip_suffix(".test").unwrap_or(stem)
}

fn attribute(text: &str) -> String {
    escaped(&visible(text), true)
}

/// Escapes for XML 1.0. It cannot hold most control characters, not even escaped, so those are replaced.
fn escaped(text: &str, attribute: bool) -> String {
    let mut xml = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' if attribute => xml.push_str("&quot;"),
            '\r' => xml.push_str("&#13;"),
            '\n' | '\t' if attribute => {
                let _ = write!(xml, "&#{};", u32::from(c));
            }
            '\n' | '\t' => xml.push(c),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            _ => xml.push(c),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::{Case, Failure, Suite, escaped, xml};

    #[test]
    fn the_document_has_a_suite_for_each_file_and_the_text_of_each_failure() {
        let failure = Failure { message: "verdict: got \"a\" & <b>".to_owned(), text: "- x\n+ ]]>\n".to_owned() };
        let suites = [
            Suite {
                file: "policies/a.test.yaml".to_owned(),
                cases: vec![
                    Case { name: "it holds".to_owned(), line: 4, failure: None },
                    Case { name: "it 'fails'\n".to_owned(), line: 9, failure: Some(failure) },
                ],
            },
            Suite { file: "policies/empty.test.yml".to_owned(), cases: Vec::new() },
        ];
        let counts = "tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"0\"";
        let case = "    <testcase classname=\"policies/a\" name";
        let place = "file=\"policies/a.test.yaml\"";
        assert_eq!(
            xml(&suites),
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"countersign\" {counts}>\n  \
                 <testsuite name=\"policies/a.test.yaml\" {counts} {place}>\n\
                 {case}=\"it holds\" {place} line=\"4\" time=\"0\"/>\n\
                 {case}=\"it 'fails'␊\" {place} line=\"9\" time=\"0\">\n      \
                 <failure message=\"verdict: got &quot;a&quot; &amp; &lt;b&gt;\" type=\"expectation\">- x\n+ \
                 ]]&gt;\n</failure>\n    </testcase>\n  </testsuite>\n</testsuites>\n"
            )
        );
    }

    #[test]
    fn characters_that_xml_cannot_hold_are_replaced() {
        for forbidden in (0..0x20).filter_map(char::from_u32).chain(['\u{fffe}', '\u{ffff}']) {
            let xml = escaped(&format!("a{forbidden}b"), false);
            let allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}');
            assert!(xml.chars().all(allowed), "{forbidden:?}: {xml:?}");
        }
        assert_eq!(escaped("\t\n\r", true), "&#9;&#10;&#13;", "white space in an attribute would become a space");
        assert_eq!(escaped("Grüße, 世界 🚀", true), "Grüße, 世界 🚀");
    }
}
