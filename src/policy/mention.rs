//! Lists the accounts and teams that a bundle names, and writes numeric ids behind their logins. Does not know who they
//! are on the code host.

use super::approver::UserRef;
use super::assemble::{Assembled, assemble};
use super::load::{Loaded, Parsed};
use super::read::{Mention, Named, Reader};
use crate::finding::{Source, SourceMap};
use crate::ident::{Login, UserId};

/// A sound bundle, and whom it names.
#[derive(Debug)]
pub struct Mentioned {
    /// What the policy was read from.
    pub sources: SourceMap,
    /// In the order of files and places.
    pub mentions: Vec<Mention>,
}

/// Reads a bundle for whom it names.
///
/// # Errors
/// The bundle is not a policy. The findings say why.
pub fn mentions(bundle: Vec<Source>) -> Result<Mentioned, Box<Loaded>> {
    let parsed = Parsed::of(bundle);
    let Assembled { policy, findings, mut mentions, .. } = assemble(Reader::with_mentions(&parsed.sources), &parsed);
    if policy.is_none() {
        return Err(Box::new(Loaded::new(None, findings, parsed.sources)));
    }
    mentions.sort_by_key(|mention| (mention.span.source, mention.span.start));
    mentions.dedup();
    Ok(Mentioned { sources: parsed.sources, mentions })
}

/// A numeric id to be written behind a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Compared without case.
    pub login: Login,
    pub id: UserId,
}

/// Writes ids behind the logins in a file's text and changes nothing else. `mentions` are those of this file. A mention
/// whose login is not in `pins`, or that YAML copies by an alias, is left as it is.
///
/// # Errors
/// The first mention whose login is not written out in the text, e.g. because YAML escapes a character of it.
pub fn pinned<'m>(
    sources: &SourceMap,
    text: &str,
    mentions: impl Iterator<Item = &'m Mention>,
    pins: &[Pin],
) -> Result<String, Box<Mention>> {
    let mut places: Vec<(usize, UserId)> = Vec::new();
    for mention in mentions {
        let Named::Account { user: UserRef { login, id: None }, with_at } = &mention.named else { continue };
        let Some(pin) = pins.iter().find(|pin| pin.login == *login) else { continue };
        let range = sources.range(mention.span);
        let value = text.get(range.clone()).unwrap_or_default();
        // The value that an alias stands for is noted at its anchor as well.
        if value.starts_with('*') {
            continue;
        }
        let found = ends_of(value, login.as_str(), *with_at);
        if found.is_empty() {
            return Err(Box::new(mention.clone()));
        }
        places.extend(found.into_iter().map(|end| (range.start.saturating_add(end), pin.id)));
    }
    places.sort_unstable();
    places.dedup();
    let mut written = text.to_owned();
    for (end, id) in places.into_iter().rev() {
        written.insert_str(end, &format!("#{id}"));
    }
    Ok(written)
}

/// Where the login ends in a value's text, each time it appears as a whole word and without an id.
fn ends_of(value: &str, login: &str, with_at: bool) -> Vec<usize> {
    let (value, login) = (value.to_ascii_lowercase(), login.to_ascii_lowercase());
    let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '[' | '#' | '/' | '@');
    let whole = |start: &usize| {
        let (before, after) = (value.get(..*start), value.get(start.saturating_add(login.len())..));
        let before = before.and_then(|before| before.chars().next_back());
        let after = after.and_then(|after| after.chars().next());
        let begins = if with_at { before == Some('@') } else { !before.is_some_and(of_name) };
        begins && !after.is_some_and(of_name)
    };
    let starts = value.match_indices(&login).map(|(start, _)| start);
    starts.filter(whole).map(|start| start.saturating_add(login.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::{Mentioned, Named, Pin, mentions, pinned};
    use crate::finding::{Source, SourceContent, SourceId};
    use crate::ident::{Login, UserId};

    const POLICY: &str = r#"version: 1
# dana leads; her login is dana
groups:
  leads: { users: [ dana, "Lee", 'renovate[bot]', pat#7 ], teams: [acme/leads] }   # dana
  dana:
    users:
      - dana-2   # not dana
      - dana
services:
  "*":
    repository: acme/checkout
    description: ask @dana
    environments:
      production: &rule
        require: { all_of: [ 1 of leads, '1 of dana, "@Dana", @pat#7', "@lee", "@acme/lee" ] }
      staging: *rule
      other: { require: { count: 1, of: ["@dana", leads], when: { authors: ["@lee"] } }, override: { by: "@dana" } }
"#;

    fn read(text: &str) -> Mentioned {
        let content = SourceContent::Bytes(text.as_bytes().to_vec());
        mentions(vec![Source { name: "a.yaml".to_owned(), content }]).unwrap_or_else(|loaded| panic!("{loaded:?}"))
    }

    fn pins() -> Vec<Pin> {
        [("dana", 1), ("dana-2", 2), ("lee", 3), ("renovate[bot]", 4)]
            .map(|(login, id)| Pin { login: Login::new(login).unwrap(), id: UserId(id) })
            .to_vec()
    }

    fn pin_all(text: &str) -> String {
        let Mentioned { sources, mentions } = read(text);
        pinned(&sources, sources.text(SourceId(0)), mentions.iter(), &pins()).unwrap()
    }

    #[test]
    fn ids_are_written_behind_every_login_and_nowhere_else() {
        let expected = r#"version: 1
# dana leads; her login is dana
groups:
  leads: { users: [ dana#1, "Lee#3", 'renovate[bot]#4', pat#7 ], teams: [acme/leads] }   # dana
  dana:
    users:
      - dana-2#2   # not dana
      - dana#1
services:
  "*":
    repository: acme/checkout
    description: ask @dana
    environments:
      production: &rule
        require: { all_of: [ 1 of leads, '1 of dana, "@Dana#1", @pat#7', "@lee#3", "@acme/lee" ] }
      staging: *rule
      other: { require: { count: 1, of: ["@dana#1", leads], when: { authors: ["@lee#3"] } }, override: { by: "@dana#1" } }
"#;
        assert_eq!(pin_all(POLICY), expected);
        assert_eq!(pin_all(expected), expected, "what is pinned stays");
    }

    #[test]
    fn what_is_pinned_loads_and_names_the_same_accounts() {
        let unpinned = |named: &Named| match named {
            Named::Account { user, with_at } => (user.login.as_str().to_ascii_lowercase(), Some(*with_at)),
            Named::Team(team) => (team.to_string(), None),
        };
        let names = |text: &str| read(text).mentions.iter().map(|mention| unpinned(&mention.named)).collect::<Vec<_>>();
        assert_eq!(names(&pin_all(POLICY)), names(POLICY));
        let has_id = |named: &Named| !matches!(named, Named::Account { user, .. } if user.id.is_none());
        assert!(read(&pin_all(POLICY)).mentions.iter().all(|mention| has_id(&mention.named)));
    }

    #[test]
    fn a_login_that_yaml_writes_otherwise_is_not_guessed_at() {
        let text = POLICY.replace("\"@lee\", \"@acme", "\"\\x40l\\x65e\", \"@acme");
        let Mentioned { sources, mentions } = read(&text);
        let refused = pinned(&sources, &text, mentions.iter(), &pins()).unwrap_err();
        assert!(matches!(&refused.named, Named::Account { user, .. } if user.login.as_str() == "lee"), "{refused:?}");
    }

    #[test]
    fn a_bundle_that_is_no_policy_names_nobody() {
        let content = SourceContent::Bytes(b"groups: { a: { users: [dana] } }".to_vec());
        assert!(mentions(vec![Source { name: "a.yaml".to_owned(), content }]).is_err());
    }
}
