//! Facts of GitHub's interfaces that its client and its simulator share.

use crate::ident::UserId;

/// The most items that GitHub puts on a page of a list.
pub const PAGE: usize = 100;
/// The most nodes that a GraphQL query may request.
pub const NODES: u64 = 500_000;
/// The most commits that GitHub lists with a pull request. A comparison of commits lists all.
pub const COMMITS_LISTED: usize = 250;
/// The most commits of a pull request that are read.
pub const COMMITS_READ: usize = 1000;
/// The most files of a pull request that GitHub lists.
pub const FILES_LISTED: usize = 3000;
/// The account `ghost`, which stands for every deleted account: <https://api.github.com/users/ghost>.
pub const GHOST: UserId = UserId(10_137);

/// Whether an account stands for deleted ones. On an Enterprise Server another account has its id.
#[must_use]
pub fn is_ghost(id: Option<UserId>, login: &str) -> bool {
    id == Some(GHOST) && login == "ghost"
}

/// Escapes a text for a segment of a path or a value of a query.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}
