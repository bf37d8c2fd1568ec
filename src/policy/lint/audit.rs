//! `audit`: `mode: audit`, under which every execution passes at once, whatever is decided.

use super::Lint;
use crate::finding::{Code, Finding};
use crate::policy::{Field, Mode, Setting};

pub(super) fn look(lint: &mut Lint<'_>) {
    for body in lint.bodies.clone() {
        if let Some(Setting::Mode(Mode::Audit)) = body.body.value(Field::Mode) {
            let message = "this stops nothing: every execution passes at once, whatever is decided";
            lint.report(
                Finding::at(Code::Audit, body.field_span("mode"), message)
                    .hint("write `mode: enforce` once the rule does what you mean, or waive this and say until when"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::Audit;
    use crate::policy::lint::tests::{count, found};

    #[test]
    fn audit_is_told_where_it_is_written() {
        let text = "version: 1\ndefaults: { mode: audit }\nenvironments: { production: { require: \"@dana\", mode: audit } }\n";
        let told = "this stops nothing: every execution passes at once, whatever is decided";
        assert_eq!(found(Audit, text), [format!("2:19 {told}"), format!("3:55 {told}")]);
    }

    #[test]
    fn a_rule_that_is_enforced_is_not() {
        let text = "version: 1\nenvironments: { production: { require: \"@dana\", mode: enforce } }\n";
        assert_eq!(count(Audit, text), 0);
    }
}
