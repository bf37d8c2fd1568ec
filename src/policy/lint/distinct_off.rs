//! `distinct-off`: `distinct: false`, with which one person can meet several parts of a requirement.

use super::Lint;
use crate::finding::{Code, Finding};
use crate::policy::{Field, Setting};

pub(super) fn look(lint: &mut Lint<'_>) {
    for body in lint.bodies.clone() {
        if let Some(Setting::Distinct(false)) = body.body.value(Field::Distinct) {
            lint.report(
                Finding::at(
                    Code::DistinctOff,
                    body.field_span("distinct"),
                    "one person may count for several parts here",
                )
                .hint("leave `distinct` out: then each part is met by people of its own"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::DistinctOff;
    use crate::policy::lint::tests::found;

    #[test]
    fn distinct_false_is_told_wherever_it_is_written_and_true_is_not() {
        let text = "version: 1\ndefaults: { distinct: false }\nenvironments:\n  production: { require: \"@dana\", distinct: true }\n";
        assert_eq!(found(DistinctOff, text), ["2:23 one person may count for several parts here"]);
    }
}
