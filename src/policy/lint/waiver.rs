//! Waivers: comments `# countersign: allow(CODE) reason`, at the end of the line that a finding points to or alone
//! above it; and the lints about waivers themselves.

use std::collections::{HashMap, HashSet};

use super::super::yaml::comments;
use crate::finding::{Code, Finding, Findings, SourceId, SourceMap, Span, Waived, closest};

#[derive(Debug)]
pub(super) struct Waiver {
    pub(super) span: Span,
    /// The line whose findings it waives.
    pub(super) line: u32,
    pub(super) codes: Vec<Code>,
    pub(super) reason: String,
}

/// The meaning of a comment, without its `#`.
#[derive(Debug, PartialEq, Eq)]
enum Comment<'c> {
    /// It is not about countersign.
    Other,
    /// It begins like a waiver, but is not a valid one.
    Invalid,
    Waiver {
        codes: Vec<&'c str>,
        reason: &'c str,
    },
}

/// The waivers of these files, and the findings about invalid ones.
pub(super) fn read(sources: &SourceMap, files: &[SourceId]) -> (Vec<Waiver>, Vec<Finding>) {
    let (mut waivers, mut problems) = (Vec::new(), Vec::new());
    // Most policies have no waiver, and are not scanned for comments.
    for id in files.iter().copied().filter(|id| sources.text(*id).contains("countersign")) {
        let comments = comments(id, sources.text(id));
        let alone: HashSet<u32> = comments.iter().filter(|(_, alone)| *alone).map(|(span, _)| span.line).collect();
        for (span, is_alone) in comments {
            let comment = sources.text(id).get(sources.range(span)).unwrap_or_default();
            let parsed = comment.strip_prefix('#').map_or(Comment::Other, parse);
            let (codes, reason) = match parsed {
                Comment::Other => continue,
                Comment::Invalid => {
                    problems.push(invalid(span));
                    continue;
                }
                Comment::Waiver { codes, reason } => (codes, reason),
            };
            let mut known = Vec::new();
            for code in codes {
                match lint_code(span, code) {
                    Ok(code) => known.push(code),
                    Err(finding) => problems.push(finding),
                }
            }
            if reason.is_empty() {
                problems.push(without_reason(span));
            } else if !known.is_empty() {
                let mut line = span.line;
                while is_alone && alone.contains(&line) {
                    line = line.saturating_add(1);
                }
                waivers.push(Waiver { span, line, codes: known, reason: reason.to_owned() });
            }
        }
    }
    (waivers, problems)
}

fn parse(comment: &str) -> Comment<'_> {
    let Some(rest) = comment.trim().strip_prefix("countersign") else { return Comment::Other };
    let Some(rest) = rest.trim_start().strip_prefix(':') else {
        return if rest.trim_start().starts_with("allow(") { Comment::Invalid } else { Comment::Other };
    };
    let inside = rest.trim_start().strip_prefix("allow").and_then(|rest| rest.trim_start().strip_prefix('('));
    let Some((codes, reason)) = inside.and_then(|rest| rest.split_once(')')) else { return Comment::Invalid };
    let codes: Vec<&str> = codes.split(',').map(str::trim).collect();
    if codes.iter().any(|code| code.is_empty()) {
        return Comment::Invalid;
    }
    let reason = reason.trim_start_matches([':', '-', ' ', '\t']).trim();
    Comment::Waiver { codes, reason: if reason.contains(char::is_alphanumeric) { reason } else { "" } }
}

/// Splits findings into those that remain and those that are waived. The third list reports waivers with nothing to
/// waive.
pub(super) fn apply(waivers: &[Waiver], found: Findings) -> (Vec<Finding>, Vec<Waived>, Vec<Finding>) {
    let mut by_place: HashMap<(SourceId, u32, Code), &Waiver> = HashMap::new();
    for waiver in waivers {
        for code in &waiver.codes {
            by_place.entry((waiver.span.source, waiver.line, *code)).or_insert(waiver);
        }
    }
    let (mut kept, mut waived, mut used) = (Vec::new(), Vec::new(), HashSet::new());
    for finding in found {
        let waiver = finding.span.and_then(|span| by_place.get(&(span.source, span.line, finding.code)));
        match waiver {
            Some(waiver) => {
                used.insert((waiver.span, finding.code));
                waived.push(Waived { finding, reason: waiver.reason.clone(), by: waiver.span });
            }
            None => kept.push(finding),
        }
    }
    let each = waivers.iter().flat_map(|waiver| waiver.codes.iter().map(move |code| (waiver, *code)));
    let idle = each.filter(|(waiver, code)| !used.contains(&(waiver.span, *code)));
    (kept, waived, idle.map(|(waiver, code)| unused(waiver, code)).collect())
}

fn invalid(span: Span) -> Finding {
    Finding::at(Code::InvalidWaiver, span, "this comment is not a valid waiver, and waives nothing")
        .hint("write `# countersign: allow(CODE) reason`")
}

/// The lint that a waiver names, or the finding that it cannot be waived.
fn lint_code(span: Span, text: &str) -> Result<Code, Finding> {
    match Code::from_text(text) {
        Some(code @ (Code::WaiverWithoutReason | Code::InvalidWaiver | Code::UnusedWaiver)) => {
            let message = format!("`{}` is about waivers, and cannot be waived", code.as_str());
            Err(Finding::at(Code::InvalidWaiver, span, message).hint("correct or remove the other waiver"))
        }
        Some(code) if code.lint().is_some() => Ok(code),
        Some(code) => {
            let message = format!("`{}` cannot be waived: a policy that has it cannot be used", code.as_str());
            Err(Finding::at(Code::InvalidWaiver, span, message)
                .hint("correct the policy; only warnings and notes can be waived"))
        }
        None => {
            let lints = Code::ALL.iter().filter(|code| code.lint().is_some()).map(|code| code.as_str());
            let hint = closest(text, lints).map_or_else(
                || "`docs/findings.md` lists the codes".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            Err(Finding::at(Code::InvalidWaiver, span, format!("no finding has the code `{text}`")).hint(hint))
        }
    }
}

fn unused(waiver: &Waiver, code: Code) -> Finding {
    let message = format!("line {} has no `{}` to waive", waiver.line, code.as_str());
    Finding::at(Code::UnusedWaiver, waiver.span, message)
        .hint("remove it; a waiver must be on the line that the finding points to, or alone above it")
}

fn without_reason(span: Span) -> Finding {
    Finding::at(Code::WaiverWithoutReason, span, "this waiver gives no reason, and waives nothing")
        .hint("write the reason after the bracket")
}

#[cfg(test)]
mod tests {
    use super::{Comment, parse};
    use crate::finding::Code::{InvalidWaiver, UnusedGroup, UnusedWaiver, WaiverWithoutReason};
    use crate::finding::{Code, Levels, Source, SourceContent};
    use crate::policy::lint::tests::{count, found, noon};
    use crate::policy::{Linted, lint};

    fn of(text: &str) -> Linted {
        let content = SourceContent::Bytes(text.as_bytes().to_vec());
        lint(vec![Source { name: "a.yaml".to_owned(), content }], &Levels::default(), noon())
    }

    fn codes(linted: &Linted) -> Vec<Code> {
        linted.findings.iter().map(|finding| finding.code).collect()
    }

    fn waived(linted: &Linted) -> Vec<(Code, &str)> {
        linted.waived.iter().map(|waived| (waived.finding.code, waived.reason.as_str())).collect()
    }

    #[test]
    fn a_comment_is_a_waiver_if_its_first_word_says_so() {
        let waiver = |codes: &[&'static str], reason| Comment::Waiver { codes: codes.to_vec(), reason };
        assert_eq!(parse(" countersign: allow(a) because"), waiver(&["a"], "because"));
        assert_eq!(parse("countersign:allow( a, b ): it is so "), waiver(&["a", "b"], "it is so"));
        assert_eq!(parse(" countersign: allow(a) --"), waiver(&["a"], ""));
        for text in [
            " countersign: alow(a) x",
            " countersign: allow a",
            "countersign:",
            " countersign allow(a) x",
            " countersign: allow() x",
        ] {
            assert_eq!(parse(text), Comment::Invalid, "{text}");
        }
        for text in [" who countersigns: allow(a)", " countersign allows that", " x countersign: allow(a) b"] {
            assert_eq!(parse(text), Comment::Other, "{text}");
        }
    }

    #[test]
    fn a_finding_is_waived_on_its_line_or_on_the_lines_above() {
        let linted = of(
            "version: 1\ngroups:\n  a: { users: [x#1] } # countersign: allow(unused-group) comes next week\n  # countersign: allow(unused-group) for Bo\n  # who else\n  b: { users: [y#2] }\n",
        );
        assert_eq!(codes(&linted), []);
        assert_eq!(waived(&linted), [(Code::UnusedGroup, "comes next week"), (Code::UnusedGroup, "for Bo")]);
    }

    #[test]
    fn a_waiver_on_another_line_or_above_a_blank_one_waives_nothing() {
        let linted = of(
            "version: 1\n# countersign: allow(unused-group) x\n\ngroups: # countersign: allow(unused-group) y\n  a: { users: [x#1] }\n",
        );
        assert_eq!(codes(&linted), [Code::UnusedWaiver, Code::UnusedWaiver, Code::UnusedGroup]);
    }

    #[test]
    fn two_lints_on_one_line_can_be_waived_together() {
        let linted = of(
            "version: 1\nchannels: { a: {} } # countersign: allow(unused-channel, channel-without-subscriber) soon\n",
        );
        assert_eq!((codes(&linted).len(), linted.waived.len()), (0, 2));
    }

    #[test]
    fn a_text_that_only_looks_like_a_waiver_waives_nothing() {
        let linted = of(
            "version: 1\ngroups: { a: { users: [x#1] } }\nservices: { s: { description: 'x # countersign: allow(unused-group) y' } }\n",
        );
        assert_eq!(codes(&linted), [Code::UnusedGroup]);
    }

    fn policy(comment: &str) -> String {
        format!("version: 1\ngroups:\n  a: {{ users: [x#1] }} # {comment}\n")
    }

    #[test]
    fn an_unknown_code_and_an_invalid_comment_are_reported_and_waive_nothing() {
        let text = policy("countersign: allow(unsed-group) soon");
        assert_eq!(found(InvalidWaiver, &text), ["3:23 no finding has the code `unsed-group`"]);
        assert_eq!(count(UnusedGroup, &text), 1);
        let text = policy("countersign: ignore unused-group");
        assert_eq!(found(InvalidWaiver, &text), ["3:23 this comment is not a valid waiver, and waives nothing"]);
        assert_eq!(count(InvalidWaiver, &policy("countersign: allow(invalid-waiver) soon")), 1);
    }

    #[test]
    fn a_waiver_of_a_refusal_is_reported() {
        let text = "version: 1\n# countersign: allow(none-for-all) we trust everyone\ndefaults: { require: none }\n";
        let content = SourceContent::Bytes(text.as_bytes().to_vec());
        let linted = lint::lint(
            vec![Source { name: "a.yaml".to_owned(), content }],
            &Levels::default(),
            crate::policy::lint::tests::noon(),
        );
        let messages: Vec<_> = linted.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert!(linted.policy.is_none());
        assert_eq!(messages[0], "`none-for-all` cannot be waived: a policy that has it cannot be used");
        assert_eq!(messages.len(), 2);
    }

    #[test]
    fn a_waiver_with_nothing_to_waive_is_reported() {
        let text = "version: 1 # countersign: allow(unused-group) soon\n";
        assert_eq!(found(UnusedWaiver, text), ["1:12 line 1 has no `unused-group` to waive"]);
    }

    #[test]
    fn a_waiver_without_a_reason_is_reported_and_waives_nothing() {
        let text = "version: 1\ngroups:\n  a: { users: [x#1] } # countersign: allow(unused-group)\n";
        assert_eq!(found(WaiverWithoutReason, text), ["3:23 this waiver gives no reason, and waives nothing"]);
        assert_eq!(count(UnusedGroup, text), 1);
    }
}
