//! `invalid-waiver`: a waiver that cannot be read, or that names what is no lint.

use crate::finding::{Code, Finding, Span, closest};

/// A comment that speaks to us and says nothing we know.
pub(super) fn unclear(span: Span) -> Finding {
    Finding::at(Code::InvalidWaiver, span, "this comment is no waiver, and waives nothing")
        .hint("write `# countersign: allow(CODE) reason`")
}

/// The lint that is named.
///
/// # Errors
/// There is none of that name that could be waived.
pub(super) fn code(span: Span, text: &str) -> Result<Code, Finding> {
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

#[cfg(test)]
mod tests {
    use crate::finding::Code::{InvalidWaiver, UnusedGroup};
    use crate::finding::{Levels, Source, SourceContent};
    use crate::policy::lint;
    use crate::policy::lint::tests::{count, found};

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
}
