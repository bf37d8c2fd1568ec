//! Users who are listed by login alone.

use std::collections::HashSet;

use crate::finding::{Code, Finding};
use crate::policy::{Mention, Named, UserRef};

/// Reported once for the whole policy, at the first such user.
pub(super) fn unpinned(mentions: &[Mention]) -> Option<Finding> {
    let by_login = mentions.iter().filter_map(|mention| match &mention.named {
        Named::Account { user: user @ UserRef { id: None, .. }, .. } => Some((mention.span, user)),
        Named::Account { .. } | Named::Team(_) => None,
    });
    let mut by_login: Vec<_> = by_login.collect();
    by_login.sort_by_key(|(span, _)| (span.source, span.start));
    let (span, first) = by_login.first()?;
    let logins: HashSet<_> = by_login.iter().map(|(_, user)| &user.login).collect();
    let who = match logins.len().saturating_sub(1) {
        0 => format!("`{first}` is"),
        1 => format!("`{first}` and 1 other user are"),
        others => format!("`{first}` and {others} other users are"),
    };
    let message =
        format!("{who} listed without a numeric id: whoever takes over a renamed account's login can approve");
    let hint = "run `countersign pin`, which writes the ids behind the logins, such as `dana#583231`";
    Some(Finding::at(Code::UnpinnedLogin, *span, message).hint(hint))
}

#[cfg(test)]
mod tests {
    use crate::finding::Code::UnpinnedLogin;
    use crate::policy::lint::tests::found;

    #[test]
    fn users_without_an_id_are_reported_once_for_the_whole_policy() {
        let text = "version: 1\nenvironments:\n  production: { require: \"@dana\", veto: [\"@Dana\", \"@lee#7\", \"@sam\"] }\n\
                    groups: { sre: { users: [ana] } }\n";
        let why = "listed without a numeric id: whoever takes over a renamed account's login can approve";
        assert_eq!(found(UnpinnedLogin, text), [format!("3:26 `dana` and 2 other users are {why}")]);
        let text = "version: 1\nenvironments: { production: { require: \"@dana\" } }\n";
        assert_eq!(found(UnpinnedLogin, text), [format!("2:40 `dana` is {why}")]);
    }

    #[test]
    fn users_with_an_id_and_teams_are_not_reported() {
        let text = "version: 1\nenvironments: { production: { require: \"@dana#7\", veto: [\"@acme/sre\"] } }\n";
        assert!(found(UnpinnedLogin, text).is_empty());
    }
}
