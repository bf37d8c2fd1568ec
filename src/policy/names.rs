//! Reads what rules refer to by name: groups and channels.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::Channel;
use super::approver::{Group, UserRef};
use super::read::{Keys, Named, Reader, refused};
use super::requirement::Groups;
use super::yaml::Node;
use crate::finding::{Code, Finding};
use crate::ident::{ChannelName, TeamSlug};

const GROUP_KEYS: Keys = Keys { what: "a group", known: &["teams", "users"] };

pub(super) fn read_groups(reader: &mut Reader<'_>, nodes: &[&Node]) -> Groups {
    let mut groups = Groups::new();
    for entry in reader.entries_once(nodes, "group") {
        reader.check_name(entry, "group");
        if matches!(&*entry.key, "all" | "none") {
            let message =
                format!("a group cannot be called `{}`: the word has another meaning in requirements", entry.key);
            reader.report(Finding::at(Code::InvalidName, entry.key_span, message).hint("give it another name"));
        }
        let mut group = Group { name: entry.key.clone(), users: Vec::new(), teams: Vec::new() };
        if reader.fields(&entry.node, &GROUP_KEYS) {
            read_members(reader, &entry.node, &mut group);
            if entry.node.get("users").is_none() && entry.node.get("teams").is_none() {
                reader.report(
                    Finding::at(Code::EmptyList, entry.key_span, format!("the group `{}` is empty", entry.key))
                        .hint("list `users` or `teams`"),
                );
            }
        }
        // A group that could not be read is kept, so that its name is not reported as unknown as well.
        groups.insert(entry.key.clone(), Arc::new(group));
    }
    groups
}

fn read_members(reader: &mut Reader<'_>, node: &Node, group: &mut Group) {
    let mut listed = HashSet::new();
    for item in node.get("users").map(|users| reader.one_or_list(users, "users")).unwrap_or_default() {
        let Some(text) = reader.text(item, "users") else { continue };
        if let Some(bare) = text.strip_prefix('@') {
            reader.report(
                Finding::at(Code::InvalidApprover, item.span, format!("`{text}` is not a GitHub login"))
                    .hint(format!("in `users` and `teams`, write it without `@`: `{bare}`")),
            );
            continue;
        }
        match UserRef::new(text) {
            Ok(user) if !listed.insert(user.login.clone()) => reader.report(
                Finding::at(Code::DuplicateName, item.span, format!("`{text}` is listed twice in one group"))
                    .hint("one person counts once: keep one of the two"),
            ),
            Ok(user) => {
                reader.note(item.span, || Named::Account { user: user.clone(), with_at: false });
                group.users.push(user);
            }
            Err(error) => reader.report(refused(error.code(), item.span, &error)),
        }
    }
    for item in node.get("teams").map(|teams| reader.one_or_list(teams, "teams")).unwrap_or_default() {
        let Some(text) = reader.text(item, "teams") else { continue };
        let bare = text.strip_prefix('@').unwrap_or(text);
        match TeamSlug::new(text) {
            Ok(team) if bare == text => {
                reader.note(item.span, || Named::Team(team.clone()));
                group.teams.push(team);
            }
            Ok(_) | Err(_) => reader.report(
                Finding::at(Code::InvalidApprover, item.span, format!("`{text}` is not a GitHub team"))
                    .hint("write `org/slug`, without `@`"),
            ),
        }
    }
}

const CHANNEL_KEYS: Keys = Keys { what: "a channel", known: &["email", "https"] };

pub(super) fn read_channels(reader: &mut Reader<'_>, nodes: &[&Node]) -> BTreeMap<ChannelName, Channel> {
    let mut channels = BTreeMap::new();
    for entry in reader.entries_once(nodes, "channel") {
        reader.check_name(entry, "channel");
        let mut channel = Channel::default();
        if reader.fields(&entry.node, &CHANNEL_KEYS) {
            let email = |text: &str| {
                text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
                    && !text.contains(char::is_whitespace)
            };
            let https =
                |text: &str| text.starts_with("https://") && text.len() > 8 && !text.contains(char::is_whitespace);
            channel.email = read_addresses(reader, &entry.node, "email", ("an e-mail address", "`name@host`"), email);
            channel.https =
                read_addresses(reader, &entry.node, "https", ("an `https://` URL", "`https://host/path`"), https);
        }
        if let Ok(name) = ChannelName::new(&entry.key) {
            channels.insert(name, channel);
        }
    }
    channels
}

fn read_addresses(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    form: (&str, &str),
    is_valid: fn(&str) -> bool,
) -> Vec<String> {
    let (what, example) = form;
    let mut addresses = Vec::new();
    for item in node.get(key).map(|list| reader.one_or_list(list, key)).unwrap_or_default() {
        let Some(text) = reader.text(item, key) else { continue };
        if is_valid(text) {
            addresses.push(text.to_owned());
        } else {
            reader.report(
                Finding::at(Code::InvalidValue, item.span, format!("`{text}` is not {what}"))
                    .hint(format!("write {example}")),
            );
        }
    }
    addresses
}
