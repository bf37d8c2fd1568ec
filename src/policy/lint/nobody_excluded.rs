//! `nobody-excluded`: `exclude: []`, with which an author's own approval counts.

use super::Lint;
use crate::finding::{Code, Finding};
use crate::policy::{Field, Setting};

pub(super) fn look(lint: &mut Lint<'_>) {
    for body in lint.bodies.clone() {
        if let Some(Setting::Exclude(exclude)) = body.body.value(Field::Exclude)
            && exclude.is_empty()
            && !body.asks_nobody()
        {
            let message = "nobody is excluded here: whoever wrote a change may approve it";
            lint.report(
                Finding::at(Code::NobodyExcluded, body.field_span("exclude"), message)
                    .hint("leave `exclude` out: the default is `[author, committers]`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::NobodyExcluded;
    use crate::policy::lint::tests::{count, found};

    #[test]
    fn an_empty_exclude_is_told_there() {
        let text = "version: 1\ndefaults: { exclude: [] }\n";
        assert_eq!(
            found(NobodyExcluded, text),
            ["2:13 nobody is excluded here: whoever wrote a change may approve it"]
        );
    }

    #[test]
    fn where_nobody_is_asked_nobody_needs_excluding() {
        assert_eq!(count(NobodyExcluded, "version: 1\nenvironments: { staging: { require: none, exclude: [] } }\n"), 0);
    }
}
