//! Comments that set lints aside: `# countersign: allow(CODE) reason`, at the end of the line that a finding points at,
//! or above it on lines of their own.

use std::collections::{HashMap, HashSet};

use super::super::yaml::comments;
use super::{invalid_waiver, unused_waiver, waiver_without_reason};
use crate::finding::{Code, Finding, Findings, SourceId, SourceMap, Span, Waived};

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
                    problems.push(invalid_waiver::unclear(span));
                    continue;
                }
                Said::Waiver { codes, reason } => (codes, reason),
            };
            let mut known = Vec::new();
            for code in codes {
                match invalid_waiver::code(span, code) {
                    Ok(code) => known.push(code),
                    Err(finding) => problems.push(finding),
                }
            }
            if reason.is_empty() {
                problems.push(waiver_without_reason::finding(span));
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
    let unused = each.filter(|(waiver, code)| !used.contains(&(waiver.span, *code)));
    let unused = unused.map(|(waiver, code)| unused_waiver::finding(waiver, code)).collect();
    (kept, waived, unused)
}

#[cfg(test)]
mod tests {
    use super::{Said, parse};
    use crate::finding::{Code, Levels, Source, SourceContent};
    use crate::policy::lint::tests::looked_at;
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
}
