//! Comments that set lints aside: `# countersign: allow(CODE) reason`, at the end of the line that a finding points at,
//! or above it on lines of their own.

use std::collections::{HashMap, HashSet};

use super::super::yaml::comments;
use crate::finding::{Code, Finding, Findings, SourceId, SourceMap, Span, Waived, closest};

/// A comment that sets lints of one line aside.
#[derive(Debug)]
pub(super) struct Waiver {
    pub(super) span: Span,
    /// The line whose findings it waives.
    pub(super) line: u32,
    pub(super) codes: Vec<Code>,
    pub(super) reason: String,
}

/// What a comment says, behind its `#`.
#[derive(Debug, PartialEq, Eq)]
enum Said<'c> {
    /// Nothing to us.
    Nothing,
    /// Something to us that is no waiver.
    Unclear,
    Waiver {
        codes: Vec<&'c str>,
        reason: &'c str,
    },
}

/// The waivers of these files, and what is wrong with those that are none.
pub(super) fn read(sources: &SourceMap, files: &[SourceId]) -> (Vec<Waiver>, Vec<Finding>) {
    let (mut waivers, mut problems) = (Vec::new(), Vec::new());
    // Most policies have none, and are not scanned for them.
    for id in files.iter().copied().filter(|id| sources.text(*id).contains("countersign")) {
        let comments = comments(id, sources.text(id));
        let alone: HashSet<u32> = comments.iter().filter(|(_, alone)| *alone).map(|(span, _)| span.line).collect();
        for (span, is_alone) in comments {
            let comment = sources.text(id).get(sources.range(span)).unwrap_or_default();
            let said = comment.strip_prefix('#').map_or(Said::Nothing, parse);
            let (codes, reason) = match said {
                Said::Nothing => continue,
                Said::Unclear => {
                    problems.push(unclear(span));
                    continue;
                }
                Said::Waiver { codes, reason } => (codes, reason),
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

fn parse(comment: &str) -> Said<'_> {
    let Some(rest) = comment.trim().strip_prefix("countersign") else { return Said::Nothing };
    let Some(rest) = rest.trim_start().strip_prefix(':') else {
        return if rest.trim_start().starts_with("allow(") { Said::Unclear } else { Said::Nothing };
    };
    let inside = rest.trim_start().strip_prefix("allow").and_then(|rest| rest.trim_start().strip_prefix('('));
    let Some((codes, reason)) = inside.and_then(|rest| rest.split_once(')')) else { return Said::Unclear };
    let codes: Vec<&str> = codes.split(',').map(str::trim).collect();
    if codes.iter().any(|code| code.is_empty()) {
        return Said::Unclear;
    }
    let reason = reason.trim_start_matches([':', '-', ' ', '\t']).trim();
    Said::Waiver { codes, reason: if reason.contains(char::is_alphanumeric) { reason } else { "" } }
}

/// Parts findings into those that stand and those that are waived, and says which waivers had nothing to waive.
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

/// A comment that speaks to us and says nothing we know.
fn unclear(span: Span) -> Finding {
    Finding::at(Code::InvalidWaiver, span, "this comment is no waiver, and waives nothing")
        .hint("write `# countersign: allow(CODE) reason`")
}

/// The lint that is named.
///
/// # Errors
/// There is none of that name that could be waived.
fn lint_code(span: Span, text: &str) -> Result<Code, Finding> {
    match Code::from_text(text) {
        Some(code @ (Code::WaiverWithoutReason | Code::InvalidWaiver | Code::UnusedWaiver)) => {
            let message = format!("`{}` is about waivers, and cannot be waived", code.as_str());
            Err(Finding::at(Code::InvalidWaiver, span, message).hint("mend or remove the other waiver"))
        }
        Some(code) if code.lint().is_some() => Ok(code),
        Some(code) => {
            let message = format!("`{}` cannot be waived: a policy that has it cannot be used", code.as_str());
            Err(Finding::at(Code::InvalidWaiver, span, message).hint("mend it; only warnings and notes can be waived"))
        }
        None => {
            let lints = Code::ALL.iter().filter(|code| code.lint().is_some()).map(|code| code.as_str());
            let hint = closest(text, lints).map_or_else(
                || "`docs/findings.md` lists the codes".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            Err(Finding::at(Code::InvalidWaiver, span, format!("there is no finding `{text}`")).hint(hint))
        }
    }
}

fn unused(waiver: &Waiver, code: Code) -> Finding {
    let message = format!("there is no `{}` at line {} to be waived", code.as_str(), waiver.line);
    Finding::at(Code::UnusedWaiver, waiver.span, message)
        .hint("remove it; a waiver stands on the line that the finding points at, or alone above it")
}

fn without_reason(span: Span) -> Finding {
    Finding::at(Code::WaiverWithoutReason, span, "this waiver gives no reason, and waives nothing")
        .hint("write behind the bracket why this may stand")
}

#[cfg(test)]
mod tests {
    use super::{Said, parse};
    use crate::finding::Code::{InvalidWaiver, UnusedGroup, UnusedWaiver, WaiverWithoutReason};
    use crate::finding::{Code, Levels, Source, SourceContent};
    use crate::policy::lint::tests::{count, found, looked_at};
    use crate::policy::{Linted, lint};

    fn of(text: &str) -> Linted {
        let content = SourceContent::Bytes(text.as_bytes().to_vec());
        lint(vec![Source { name: "a.yaml".to_owned(), content }], &Levels::default(), looked_at())
    }

    fn codes(linted: &Linted) -> Vec<Code> {
        linted.findings.iter().map(|finding| finding.code).collect()
    }

    fn waived(linted: &Linted) -> Vec<(Code, &str)> {
        linted.waived.iter().map(|waived| (waived.finding.code, waived.reason.as_str())).collect()
    }

    #[test]
    fn a_comment_is_a_waiver_by_its_first_word() {
        let waiver = |codes: &[&'static str], reason| Said::Waiver { codes: codes.to_vec(), reason };
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
            assert_eq!(parse(text), Said::Unclear, "{text}");
        }
        for text in [" who countersigns: allow(a)", " countersign allows that", " x countersign: allow(a) b"] {
            assert_eq!(parse(text), Said::Nothing, "{text}");
        }
    }

    #[test]
    fn a_finding_is_waived_on_its_line_and_on_the_lines_above() {
        let linted = of(
            "version: 1\ngroups:\n  a: { users: [x] } # countersign: allow(unused-group) comes next week\n  # countersign: allow(unused-group) for Bo\n  # who else\n  b: { users: [y] }\n",
        );
        assert_eq!(codes(&linted), []);
        assert_eq!(waived(&linted), [(Code::UnusedGroup, "comes next week"), (Code::UnusedGroup, "for Bo")]);
    }

    #[test]
    fn a_waiver_of_another_line_or_behind_a_blank_one_waives_nothing() {
        let linted = of(
            "version: 1\n# countersign: allow(unused-group) x\n\ngroups: # countersign: allow(unused-group) y\n  a: { users: [x] }\n",
        );
        assert_eq!(codes(&linted), [Code::UnusedWaiver, Code::UnusedWaiver, Code::UnusedGroup]);
    }

    #[test]
    fn two_lints_of_one_line_can_be_waived_together() {
        let linted = of(
            "version: 1\nchannels: { a: {} } # countersign: allow(unused-channel, channel-without-subscriber) soon\n",
        );
        assert_eq!((codes(&linted).len(), linted.waived.len()), (0, 2));
    }

    #[test]
    fn a_text_that_only_reads_like_a_waiver_waives_nothing() {
        let linted = of(
            "version: 1\ngroups: { a: { users: [x] } }\nservices: { s: { description: 'x # countersign: allow(unused-group) y' } }\n",
        );
        assert_eq!(codes(&linted), [Code::UnusedGroup]);
    }

    fn policy(comment: &str) -> String {
        format!("version: 1\ngroups:\n  a: {{ users: [x] }} # {comment}\n")
    }

    #[test]
    fn an_unknown_code_and_a_comment_of_another_form_are_told_and_waive_nothing() {
        let text = policy("countersign: allow(unsed-group) soon");
        assert_eq!(found(InvalidWaiver, &text), ["3:21 there is no finding `unsed-group`"]);
        assert_eq!(count(UnusedGroup, &text), 1);
        let text = policy("countersign: ignore unused-group");
        assert_eq!(found(InvalidWaiver, &text), ["3:21 this comment is no waiver, and waives nothing"]);
        assert_eq!(count(InvalidWaiver, &policy("countersign: allow(invalid-waiver) soon")), 1);
    }

    #[test]
    fn what_refuses_a_policy_cannot_be_waived_and_that_is_told_where_it_is_tried() {
        let text = "version: 1\n# countersign: allow(none-for-all) we trust everyone\ndefaults: { require: none }\n";
        let content = SourceContent::Bytes(text.as_bytes().to_vec());
        let linted = lint::lint(
            vec![Source { name: "a.yaml".to_owned(), content }],
            &Levels::default(),
            crate::policy::lint::tests::looked_at(),
        );
        let told: Vec<_> = linted.findings.iter().map(|finding| finding.message.as_str()).collect();
        assert!(linted.policy.is_none());
        assert_eq!(told[0], "`none-for-all` cannot be waived: a policy that has it cannot be used");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_waiver_with_nothing_to_waive_is_told() {
        let text = "version: 1 # countersign: allow(unused-group) soon\n";
        assert_eq!(found(UnusedWaiver, text), ["1:12 there is no `unused-group` at line 1 to be waived"]);
    }

    #[test]
    fn without_a_reason_the_finding_stands_and_the_waiver_is_told() {
        let text = "version: 1\ngroups:\n  a: { users: [x] } # countersign: allow(unused-group)\n";
        assert_eq!(found(WaiverWithoutReason, text), ["3:21 this waiver gives no reason, and waives nothing"]);
        assert_eq!(count(UnusedGroup, text), 1);
    }
}
