//! `waiver-without-reason`: a waiver that does not say why, and so waives nothing.

use crate::finding::{Code, Finding, Span};

pub(super) fn finding(span: Span) -> Finding {
    Finding::at(Code::WaiverWithoutReason, span, "this waiver gives no reason, and waives nothing")
        .hint("write behind the bracket why this may stand")
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::{UnusedGroup, WaiverWithoutReason};
    use crate::policy::lint::tests::{count, found};

    #[test]
    fn without_a_reason_the_finding_stands_and_the_waiver_is_told() {
        let text = "version: 1\ngroups:\n  a: { users: [x] } # countersign: allow(unused-group)\n";
        assert_eq!(found(WaiverWithoutReason, text), ["3:21 this waiver gives no reason, and waives nothing"]);
        assert_eq!(count(UnusedGroup, text), 1);
    }
}
