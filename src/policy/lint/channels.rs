//! Channels that reach nobody, and requests for approval that no channel is notified of.

use std::collections::HashSet;

use super::bodies::{Body, Layer};
use super::context::Lint;
use crate::finding::{Code, Finding, Span};
use crate::ident::ChannelName;
use crate::policy::{Event, Field, NotifyRule, Pattern, Require, Service, Setting};

/// A channel with neither an e-mail address nor a URL.
pub(super) fn without_subscriber(lint: &mut Lint<'_>) {
    for entry in lint.entries("channels") {
        let channel = ChannelName::new(&entry.key).ok().and_then(|name| lint.policy.channels.get(&name));
        if channel.is_some_and(|channel| channel.email.is_empty() && channel.https.is_empty()) {
            let message = format!("the channel `{}` reaches nobody", entry.key);
            lint.report(
                Finding::at(Code::ChannelWithoutSubscriber, entry.key_span, message)
                    .hint("add `email` or `https`; if people subscribe to its topic by other means, waive this"),
            );
        }
    }
}

/// A rule that needs approvals, and no channel of the rule or the service is notified of `requested`. `notify: []` says
/// that nobody is to be notified, and is not reported.
pub(super) fn nobody_notified(lint: &mut Lint<'_>) {
    let is_notified = |notify: &NotifyRule| {
        !notify.channels(Event::Requested).is_empty()
            || matches!(notify, NotifyRule::All(channels) if channels.is_empty())
    };
    let mut seen: HashSet<Span> = HashSet::new();
    for body in lint.bodies.clone() {
        let (Some(Some(Setting::Require(require))), Some(notify)) =
            (lint.effective(&body, Field::Require), lint.effective(&body, Field::Notify))
        else {
            continue;
        };
        let notified = matches!(notify, Some(Setting::Notify(notify)) if is_notified(notify));
        if **require == Require::Nobody || notified || !seen.insert(body.key_span) {
            continue;
        }
        if let (Some(service), Some(key)) = (service_without_channel(lint, &body), body.environment()) {
            let message = format!("no channel is notified of requests for `{key}` of `{service}`");
            lint.report(Finding::at(Code::NobodyNotified, body.key_span, message).hint(
                "name a channel in `notify` of this rule, of the service or of `defaults`; `notify: []` notifies nobody on purpose",
            ));
        }
    }
}

/// A service that this body applies to and that has no `notify` of its own.
fn service_without_channel<'l>(lint: &mut Lint<'l>, body: &Body<'l>) -> Option<&'l Pattern> {
    match body.layer {
        Layer::Defaults => None,
        Layer::Own(key, service, _) => service.notify.is_empty().then_some(key),
        Layer::Common(environment) => {
            let policy = lint.policy;
            for (key, service) in policy.services.iter().filter(|(_, service)| service.notify.is_empty()) {
                if !lint.spend(1) {
                    return None;
                }
                if inherits(service, environment) {
                    return Some(key);
                }
            }
            None
        }
    }
}

/// Whether the service certainly uses the top-level environment unchanged, for at least one name.
fn inherits(service: &Service, environment: &Pattern) -> bool {
    if environment.is_exact() {
        service.environments.find(environment.as_str()).is_none()
    } else {
        service.environments.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::{ChannelWithoutSubscriber, NobodyNotified};
    use crate::policy::lint::tests::{count, found};

    #[test]
    fn a_channel_without_any_address_is_reported() {
        let text =
            "version: 1\nchannels:\n  a: {}\n  b: { email: [a@b.example] }\n  c: { https: [\"https://c.example\"] }\n";
        assert_eq!(found(ChannelWithoutSubscriber, text), ["3:3 the channel `a` reaches nobody"]);
    }

    const CHANNELS: &str = "version: 1\nchannels: { oncall: { email: [a@b.example] } }\n";

    fn policy(environment: &str, service: &str) -> String {
        format!(
            "{CHANNELS}environments:\n  production: {environment}\nservices:\n  checkout: {{ repository: a/b{service} }}\n"
        )
    }

    #[test]
    fn an_environment_that_a_service_uses_without_a_channel_is_reported() {
        let expected = "4:3 no channel is notified of requests for `production` of `checkout`";
        assert_eq!(found(NobodyNotified, &policy("{ require: \"@dana\" }", "")), [expected]);
        assert_eq!(
            found(NobodyNotified, &policy("{ require: \"@dana\", notify: { approved: [oncall] } }", "")),
            [expected]
        );
        let own = ", environments: { production: { timeout: 1h } }";
        let expected = "6:48 no channel is notified of requests for `production` of `checkout`";
        assert_eq!(found(NobodyNotified, &policy("{ require: \"@dana\" }", own)), [expected]);
    }

    #[test]
    fn a_channel_of_the_rule_the_service_or_defaults_is_enough() {
        assert_eq!(count(NobodyNotified, &policy("{ require: \"@dana\", notify: [oncall] }", "")), 0);
        assert_eq!(count(NobodyNotified, &policy("{ require: \"@dana\" }", ", notify: [oncall]")), 0);
        let defaults = "defaults: { notify: [oncall] }\n";
        assert_eq!(count(NobodyNotified, &format!("{}{defaults}", policy("{ require: \"@dana\" }", ""))), 0);
        let requested = "{ require: \"@dana\", notify: { requested: [oncall] } }";
        assert_eq!(count(NobodyNotified, &policy(requested, "")), 0);
    }

    #[test]
    fn a_channel_of_an_escalation_or_override_is_not_enough() {
        for field in ["escalate: [{ after: 1h, notify: [oncall] }]", "override: { by: \"@lee\", notify: [oncall] }"] {
            let rule = format!("{{ require: \"@dana\", {field} }}");
            assert_eq!(count(NobodyNotified, &policy(&rule, "")), 1, "{field}");
        }
    }

    #[test]
    fn an_empty_notify_and_a_rule_without_approvals_are_not_reported() {
        assert_eq!(count(NobodyNotified, &policy("{ require: \"@dana\", notify: [] }", "")), 0);
        assert_eq!(count(NobodyNotified, &policy("{ require: none }", "")), 0);
        assert_eq!(
            count(NobodyNotified, &format!("{CHANNELS}environments: {{ production: {{ require: \"@dana\" }} }}\n")),
            0
        );
    }
}
