//! Lists, page by page.
//!
//! GitHub's `Link` header names the next page, with the repository by its id. Only the path and query of a link to GitHub's
//! own host are used. If a page fails, the list fails: a part would be taken for the whole.

use serde::de::DeserializeOwned;

use super::GithubClient;
use super::call::{Call, CallError};

/// What to do if a list has more pages than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Longer {
    Refused,
    /// Leave out the rest, and mark the list as not whole.
    Cut,
}

#[derive(Debug, Clone)]
pub(in super::super) struct Listed<T> {
    pub(in super::super) items: Vec<T>,
    /// Whether GitHub's last page was reached.
    pub(in super::super) whole: bool,
}

impl GithubClient {
    /// Reads a list to its end, or at most `pages` pages.
    pub(in super::super) async fn list<T: DeserializeOwned>(
        &self,
        first: Call,
        pages: usize,
        longer: Longer,
    ) -> Result<Listed<T>, CallError> {
        self.list_until(first, pages, longer, |_| false).await
    }

    /// Like [`Self::list`], but stops after the page with the last item of interest.
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
            Longer::Refused => {
                Err(CallError::unreadable(&call.what, format!("the list does not end after {pages} pages")))
            }
        }
    }
}

/// The URL of a relation in a `Link` header.
pub(super) fn linked<'h>(header: &'h str, relation: &str) -> Option<&'h str> {
    header.split(',').find_map(|link| {
        let (url, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let wanted = format!("rel=\"{relation}\"");
        parameters.split(';').any(|parameter| parameter.trim() == wanted).then_some(url)
    })
}

#[cfg(test)]
mod tests {
    use super::linked;

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
