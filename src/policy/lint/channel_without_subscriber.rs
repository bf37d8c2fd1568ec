//! `channel-without-subscriber`: a channel with neither an e-mail address nor a URL.

use super::Lint;
use crate::finding::{Code, Finding};
use crate::ident::ChannelName;

pub(super) fn look(lint: &mut Lint<'_>) {
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

#[cfg(test)]
mod tests {
    use crate::finding::Code::ChannelWithoutSubscriber;
    use crate::policy::lint::tests::found;

    #[test]
    fn a_channel_with_no_address_of_either_kind_is_told() {
        let text =
            "version: 1\nchannels:\n  a: {}\n  b: { email: [a@b.example] }\n  c: { https: [\"https://c.example\"] }\n";
        assert_eq!(found(ChannelWithoutSubscriber, text), ["3:3 the channel `a` reaches nobody"]);
    }
}
