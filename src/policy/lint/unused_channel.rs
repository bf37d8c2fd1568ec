//! `unused-channel`: a channel that no rule and no service tells of anything.

use super::Lint;
use super::uses::Uses;
use crate::finding::{Code, Finding};

pub(super) fn look(lint: &mut Lint<'_>) {
    let uses = Uses::of(lint);
    for entry in lint.entries("channels").into_iter().filter(|entry| !uses.channels.contains(&*entry.key)) {
        lint.report(
            Finding::at(Code::UnusedChannel, entry.key_span, format!("nothing tells the channel `{}`", entry.key))
                .hint("remove it, or name it in a `notify`"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::UnusedChannel;
    use crate::policy::lint::tests::{count, found};

    const CHANNELS: &str = "version: 1\nchannels: { oncall: { email: [a@b.example] } }\n";

    #[test]
    fn a_channel_that_nothing_tells_is_told_at_its_key() {
        assert_eq!(found(UnusedChannel, CHANNELS), ["2:13 nothing tells the channel `oncall`"]);
    }

    #[test]
    fn a_rule_that_tells_it_of_one_event_and_a_service_that_tells_it_use_it() {
        let rule = "environments: { production: { require: \"@dana\", notify: { denied: [oncall] } } }\n";
        assert_eq!(count(UnusedChannel, &format!("{CHANNELS}{rule}")), 0);
        assert_eq!(count(UnusedChannel, &format!("{CHANNELS}services: {{ checkout: {{ notify: [oncall] }} }}\n")), 0);
    }

    #[test]
    fn an_escalation_and_an_override_use_it() {
        for field in ["escalate: [{ after: 1h, notify: [oncall] }]", "override: { by: \"@lee\", notify: [oncall] }"] {
            let rule = format!("environments: {{ production: {{ require: \"@dana\", {field} }} }}\n");
            assert_eq!(count(UnusedChannel, &format!("{CHANNELS}{rule}")), 0, "{field}");
        }
    }
}
