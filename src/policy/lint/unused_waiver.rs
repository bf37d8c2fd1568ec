//! `unused-waiver`: a waiver for a finding that is not there, or no longer.

use super::waiver::Waiver;
use crate::finding::{Code, Finding};

pub(super) fn finding(waiver: &Waiver, code: Code) -> Finding {
    let message = format!("there is no `{}` at line {} to be waived", code.as_str(), waiver.line);
    Finding::at(Code::UnusedWaiver, waiver.span, message)
        .hint("remove it; a waiver stands on the line that the finding points at, or alone above it")
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::UnusedWaiver;
    use crate::policy::lint::tests::found;

    #[test]
    fn a_waiver_with_nothing_to_waive_is_told() {
        let text = "version: 1 # countersign: allow(unused-group) soon\n";
        assert_eq!(found(UnusedWaiver, text), ["1:12 there is no `unused-group` at line 1 to be waived"]);
    }
}
