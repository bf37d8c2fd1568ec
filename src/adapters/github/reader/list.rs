//! Lists that are read page by page.

use serde::{Deserialize, Deserializer};

/// The most pages of a list: 10,000 items. A longer list is an error.
pub(super) const PAGES: usize = 100;

/// Reads a field that GitHub must answer, but may answer with `null`.
pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

/// A page of a list. GitHub answers `null` for an item that could not be read: then the page is not as expected.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    /// `None` if it was not asked for.
    #[serde(default)]
    pub(super) total_count: Option<usize>,
    pub(super) nodes: Vec<T>,
    pub(super) page_info: PageInfo,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    pub(super) has_next_page: bool,
    #[serde(deserialize_with = "nullable")]
    end_cursor: Option<String>,
}

/// A list as far as it was read.
#[derive(Debug)]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    /// GitHub's count of all items.
    pub(super) total: Option<usize>,
    /// Whether items may be added at its end while it is read.
    grows: bool,
    next: Next,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    First,
    After(String),
    /// All was read, or as much as is needed.
    End,
}

/// Why a page cannot be added to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// The list has changed since its first page.
    Changed,
    Missing,
    /// There is a next page, but not where it begins.
    NoNext,
}

impl<T> List<T> {
    const fn new(grows: bool, next: Next) -> Self {
        Self { items: Vec::new(), total: None, grows, next }
    }

    /// A list whose items stay the same unless the pull request changes.
    pub(super) const fn fixed() -> Self {
        Self::new(false, Next::First)
    }

    /// A list to which items may be added while it is read.
    pub(super) const fn growing() -> Self {
        Self::new(true, Next::First)
    }

    /// A list that is not read.
    pub(super) const fn unread() -> Self {
        Self::new(false, Next::End)
    }

    pub(super) fn has_more(&self) -> bool {
        self.next != Next::End
    }

    /// The end of the last page. `None` before the first.
    pub(super) fn after(&self) -> Option<&str> {
        match &self.next {
            Next::After(cursor) => Some(cursor),
            Next::First | Next::End => None,
        }
    }

    /// Reads no further pages.
    pub(super) fn end(&mut self) {
        self.next = Next::End;
    }

    /// Adds the next page. Does nothing if the list is read to its end already.
    pub(super) fn add(&mut self, page: Option<Page<T>>) -> Result<(), Misfit> {
        if self.next == Next::End {
            return Ok(());
        }
        let Page { total_count, nodes, page_info } = page.ok_or(Misfit::Missing)?;
        if self.next != Next::First && (total_count < self.total || (total_count != self.total && !self.grows)) {
            return Err(Misfit::Changed);
        }
        self.total = total_count;
        self.items.extend(nodes);
        self.next = match (page_info.has_next_page, page_info.end_cursor) {
            (false, _) => Next::End,
            (true, Some(cursor)) if self.after() != Some(&cursor) => Next::After(cursor),
            (true, Some(_) | None) => return Err(Misfit::NoNext),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page(page: Value) -> Option<Page<u8>> {
        serde_json::from_value(page).ok()
    }

    fn of(total: usize, nodes: &[u8], end: Option<&str>) -> Option<Page<u8>> {
        let more = json!({ "hasNextPage": end.is_some(), "endCursor": end });
        page(json!({ "totalCount": total, "nodes": nodes, "pageInfo": more }))
    }

    #[test]
    fn a_list_is_read_from_cursor_to_cursor() {
        let mut list = List::fixed();
        list.add(of(3, &[1, 2], Some("b"))).unwrap();
        assert_eq!((list.has_more(), list.after()), (true, Some("b")));
        list.add(of(3, &[3], None)).unwrap();
        assert_eq!((list.items.as_slice(), list.has_more()), ([1, 2, 3].as_slice(), false));
    }

    #[test]
    fn only_a_growing_list_may_have_more_items_on_a_later_page_and_none_may_have_fewer() {
        for (total, grows, added) in [(4, false, false), (2, false, false), (4, true, true), (2, true, false)] {
            let mut list = List::new(grows, Next::First);
            list.add(of(3, &[1, 2], Some("b"))).unwrap();
            let then = list.add(of(total, &[3], None));
            assert_eq!(then, if added { Ok(()) } else { Err(Misfit::Changed) }, "{total} {grows}");
        }
    }

    #[test]
    fn a_page_that_is_missing_or_leads_nowhere_is_an_error() {
        let mut list = List::<u8>::fixed();
        assert_eq!(list.add(None), Err(Misfit::Missing));
        let nowhere = json!({ "totalCount": 2, "nodes": [1], "pageInfo": { "hasNextPage": true, "endCursor": null } });
        assert_eq!(list.add(page(nowhere)), Err(Misfit::NoNext));
        let mut list = List::fixed();
        list.add(of(9, &[1], Some("a"))).unwrap();
        assert_eq!(list.add(of(9, &[1], Some("a"))), Err(Misfit::NoNext), "the same page again");
    }

    #[test]
    fn a_page_with_a_part_missing_is_no_page() {
        let more = json!({ "hasNextPage": false, "endCursor": null });
        for broken in [
            json!({ "nodes": [1, null], "pageInfo": more }),
            json!({ "nodes": null, "pageInfo": more }),
            json!({ "pageInfo": more }),
            json!({ "nodes": [1] }),
            json!({ "nodes": [1], "pageInfo": { "endCursor": null } }),
            json!({ "nodes": [1], "pageInfo": { "hasNextPage": false } }),
            json!(null),
        ] {
            assert!(page(broken.clone()).is_none(), "{broken}");
        }
    }
}
