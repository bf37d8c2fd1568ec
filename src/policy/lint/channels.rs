//! Channels that reach nobody, and requests for approval that no channel is notified of.

use std::collections::HashSet;

use super::Lint;
use super::bodies::{Body, Layer};
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
                    .hint("list `email` or `https`; where people subscribe to its topic by other means, waive this"),
            );
        }
    }
}

/// A rule that needs approvals, and no channel of the rule or the service is notified of `requested`. `notify: []` says
/// that nobody is to be notified, and is not reported.
pub(super) fn nobody_notified(lint: &mut Lint<'_>) {
    let tells = |notify: &NotifyRule| {
        !notify.channels(Event::Requested).is_empty() || matches!(notify, NotifyRule::All(none) if none.is_empty())
    };
    let mut seen: HashSet<Span> = HashSet::new();
    for body in lint.bodies.clone() {
        let (Some(Some(Setting::Require(require))), Some(notify)) =
            (lint.effective(&body, Field::Require), lint.effective(&body, Field::Notify))
        else {
            continue;
        };
        let told = matches!(notify, Some(Setting::Notify(notify)) if tells(notify));
        if **require == Require::Nobody || told || !seen.insert(body.key_span) {
            continue;
        }
        if let (Some(service), Some(key)) = (unheard(lint, &body), body.environment()) {
            let message = format!("no channel hears that people are asked for `{key}` of `{service}`");
            lint.report(Finding::at(Code::NobodyNotified, body.key_span, message).hint(
                "name a channel in `notify` here, of the service or in `defaults`; `[]` says that nobody is to be told",
            ));
        }
    }
}

/// A service that this body holds for and that tells no channel of its own.
fn unheard<'l>(lint: &mut Lint<'l>, body: &Body<'l>) -> Option<&'l Pattern> {
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

/// Whether the service is certain to take the top-level environment as it is, for some name at least.
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
    fn a_channel_with_no_address_of_either_kind_is_told() {
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
    fn an_environment_that_a_service_takes_with_no_channel_is_told() {
        let told = "4:3 no channel hears that people are asked for `production` of `checkout`";
        assert_eq!(found(NobodyNotified, &policy("{ require: \"@dana\" }", "")), [told]);
        assert_eq!(
            found(NobodyNotified, &policy("{ require: \"@dana\", notify: { approved: [oncall] } }", "")),
            [told]
        );
        let own = ", environments: { production: { timeout: 1h } }";
        let told = "6:48 no channel hears that people are asked for `production` of `checkout`";
        assert_eq!(found(NobodyNotified, &policy("{ require: \"@dana\" }", own)), [told]);
    }

    #[test]
    fn a_channel_of_the_rule_of_the_service_or_of_defaults_hears() {
        assert_eq!(count(NobodyNotified, &policy("{ require: \"@dana\", notify: [oncall] }", "")), 0);
        assert_eq!(count(NobodyNotified, &policy("{ require: \"@dana\" }", ", notify: [oncall]")), 0);
        let defaults = "defaults: { notify: [oncall] }\n";
        assert_eq!(count(NobodyNotified, &format!("{}{defaults}", policy("{ require: \"@dana\" }", ""))), 0);
        let requested = "{ require: \"@dana\", notify: { requested: [oncall] } }";
        assert_eq!(count(NobodyNotified, &policy(requested, "")), 0);
    }

    #[test]
    fn a_channel_that_hears_later_or_of_an_override_does_not_hear_that_people_are_asked() {
        for field in ["escalate: [{ after: 1h, notify: [oncall] }]", "override: { by: \"@lee\", notify: [oncall] }"] {
            let rule = format!("{{ require: \"@dana\", {field} }}");
            assert_eq!(count(NobodyNotified, &policy(&rule, "")), 1, "{field}");
        }
    }

    #[test]
    fn whoever_says_that_nobody_is_told_or_asks_nobody_is_left_alone() {
        assert_eq!(count(NobodyNotified, &policy("{ require: \"@dana\", notify: [] }", "")), 0);
        assert_eq!(count(NobodyNotified, &policy("{ require: none }", "")), 0);
        assert_eq!(
            count(NobodyNotified, &format!("{CHANNELS}environments: {{ production: {{ require: \"@dana\" }} }}\n")),
            0
        );
    }
}
