//! Lists, page by page.
//!
//! GitHub's `Link` header names the next page, with the repository by its id. Only its path and query are used, and only
//! on GitHub's own host. A page that fails fails the list: half of one would be taken for the whole.

use serde::de::{DeserializeOwned, IgnoredAny};

use super::GithubClient;
use super::call::{Call, CallError};

/// What to do about a list that is longer than what is read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Longer {
    /// It is an error.
    Refused,
    /// The rest is left out, and the list is marked as not whole.
    Cut,
}

/// A list that was read.
#[derive(Debug, Clone)]
pub(in super::super) struct Listed<T> {
    pub(in super::super) items: Vec<T>,
    /// Whether GitHub's last page was reached.
    pub(in super::super) whole: bool,
}

impl GithubClient {
    /// Reads a list to its end, or so many pages of it.
    pub(in super::super) async fn list<T: DeserializeOwned>(
        &self,
        first: Call,
        pages: usize,
        longer: Longer,
    ) -> Result<Listed<T>, CallError> {
        self.list_until(first, pages, longer, |_| false).await
    }

    /// The same, which ends with the page that holds the last item of interest.
    pub(in super::super) async fn list_until<T: DeserializeOwned>(
        &self,
        first: Call,
        pages: usize,
        longer: Longer,
        last: impl Fn(&T) -> bool + Send + Sync,
    ) -> Result<Listed<T>, CallError> {
        // One budget for the whole list.
        let client = self.with_one_deadline();
        let (mut items, mut call) = (Vec::new(), first);
        for _ in 0..pages {
            let answer = client.call(&call).await?;
            let page: Vec<T> = answer.json()?;
            let enough = page.iter().any(&last);
            items.extend(page);
            match answer.next.filter(|_| !enough) {
                None => return Ok(Listed { items, whole: true }),
                Some(next) => call.path = next,
            }
        }
        match longer {
            Longer::Cut => Ok(Listed { items, whole: false }),
            Longer::Refused => Err(CallError::unreadable(&call.what, format!("it does not end after {pages} pages"))),
        }
    }
}

/// The URL that a `Link` header has for a relation.
pub(super) fn linked<'h>(header: &'h str, relation: &str) -> Option<&'h str> {
    header.split(',').find_map(|link| {
        let (url, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let wanted = format!("rel=\"{relation}\"");
        parameters.split(';').any(|parameter| parameter.trim() == wanted).then_some(url)
    })
}

/// How many items of a list GitHub gives where it is not told how many.
const USUAL: usize = 30;

/// Whether an answer is a page of a list that holds as many items as it can. GitHub's tag is of the page alone, and not of
/// its `Link` header (<https://github.com/app-sre/github-mirror/pull/113>): behind a full last page another may begin
/// without a change to this one. Such an answer is not kept. That GitHub sends the header with a 304 is nowhere promised.
pub(super) fn is_full(path: &str, body: &[u8]) -> bool {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let asked = query.split('&').find_map(|parameter| parameter.strip_prefix("per_page=")?.parse().ok());
    serde_json::from_slice::<Vec<IgnoredAny>>(body).is_ok_and(|items| items.len() >= asked.unwrap_or(USUAL))
}

#[cfg(test)]
mod tests {
    use super::{is_full, linked};

    #[test]
    fn a_page_is_full_with_as_many_items_as_were_asked_for() {
        assert!(is_full("/a?per_page=2&page=3", b"[{}, {}]") && !is_full("/a?x=1&per_page=2", b"[{}]"));
        let thirty = format!("[{}0]", "0,".repeat(29));
        assert!(is_full("/a", thirty.as_bytes()) && !is_full("/a?per_page=100", thirty.as_bytes()));
        assert!(!is_full("/a?per_page=1", b"{}"), "no list has no pages");
    }

    #[test]
    fn a_link_is_found_by_its_relation() {
        let header = "<https://a/?page=1>; rel=\"prev\", <https://a/repositories/7?page=3>; rel=\"next\", <https://a/?page=9>; rel=\"last\"";
        assert_eq!(linked(header, "next"), Some("https://a/repositories/7?page=3"));
        assert_eq!(linked(header, "first"), None);
        for odd in
            ["", "<https://a>", "https://a; rel=\"next\"", "<https://a>; rel=\"nextish\"", "<https://a; rel=\"next\""]
        {
            assert_eq!(linked(odd, "next"), None, "{odd}");
        }
    }
}
