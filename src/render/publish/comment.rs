//! The one comment of a pull request: its requests, the open ones first.

use super::markdown::{code, words};
use super::people::People;
use super::sheet::{Cost, Sheet};
use super::{RequestStatus, View, instant};
use crate::request::End;
use crate::request::published::Stage;

/// The first line of the comment, by which it is found again and rewritten.
pub const MARKER: &str = "<!-- countersign-requests -->";
/// GitHub takes 65,536 characters; as many bytes are never more.
const LONGEST: usize = 65_536;

/// The comment. `cards` are in the order of time.
#[must_use]
pub fn comment(cards: &[RequestStatus<'_>], public: bool) -> String {
    let mut sheet = Sheet::default();
    sheet.line(MARKER);
    let (live, over): (Vec<&RequestStatus<'_>>, Vec<&RequestStatus<'_>>) =
        cards.iter().partition(|card| !card.stage.is_last());
    sheet.line("### Deployment approvals");
    sheet.line("");
    if live.is_empty() {
        sheet.line("Nothing waits for approval.");
        sheet.line("");
    } else {
        table(&mut sheet, |count| format!("| … | {count} more wait | | |"));
        live.iter().for_each(|card| sheet.droppable(Cost::Waiting, row(card, cards, public)));
        sheet.section(|_| String::new());
        sheet.line("");
        how_to(&mut sheet, &live);
    }
    if !over.is_empty() {
        sheet.line("<details><summary>Over</summary>");
        sheet.line("");
        table(&mut sheet, |count| format!("| … | {count} more are over | | |"));
        // The newest first; the oldest are left out first.
        over.iter().rev().for_each(|card| sheet.droppable(Cost::Passed, row(card, cards, public)));
        sheet.section(|_| String::new());
        sheet.line("");
        sheet.line("</details>");
    }
    sheet.fit(LONGEST)
}

fn table(sheet: &mut Sheet, note: fn(usize) -> String) {
    sheet.line("| target | | why | until |");
    sheet.line("|---|---|---|---|");
    sheet.section(note);
}

fn row(card: &RequestStatus<'_>, all: &[RequestStatus<'_>], public: bool) -> String {
    let sign = match card.stage {
        Stage::Unread | Stage::Waiting => "⏳",
        Stage::Held => "⏸️",
        Stage::Approved | Stage::Released | Stage::Ended(End::Approved) => "✅",
        Stage::Audited => "📝",
        Stage::Ended(End::Rejected | End::Denied) => "⛔",
        Stage::Ended(End::Expired) => "⌛",
        Stage::Ended(End::Superseded | End::Canceled) => "✖️",
    };
    let people = People::new(View { card: *card, all, public });
    let until = match card.stage {
        Stage::Unread | Stage::Waiting => card.request.deadline,
        Stage::Held => card.decision.and_then(|decision| decision.until),
        Stage::Approved | Stage::Released | Stage::Ended(_) | Stage::Audited => None,
    };
    let revision = card.request.subject.revision.as_ref().map(|revision| format!(" at {}", code(revision.short())));
    format!(
        "| {}{} | {sign} {} | {} | {} |",
        words(&card.request.subject.target.to_string()),
        revision.unwrap_or_default(),
        card.headline(),
        people.words(card.summary()),
        until.map(instant).unwrap_or_default()
    )
}

/// What to write, once for all.
fn how_to(sheet: &mut Sheet, live: &[&RequestStatus<'_>]) {
    let asked: Vec<&RequestStatus<'_>> = live.iter().copied().filter(|card| card.is_open()).collect();
    let Some(first) = asked.iter().find(|card| card.must_be_named()).or_else(|| asked.first()) else { return };
    let line = code(&format!("/approve {}", first.request.subject.target));
    let named = asked.iter().filter(|card| card.must_be_named()).count();
    sheet.line(match (named, asked.len()) {
        (0, 1) => "To approve it, review this pull request and choose *Approve*.".to_owned(),
        (0, _) => format!(
            "A plain approval of the head counts for each of these that it suits. To approve one alone, make the first \
             line of the review name it, as in {line}"
        ),
        (named, all) if named == all => {
            format!("To approve, the first line of the review must name the target, as in {line}")
        }
        (named, _) => format!(
            "A plain approval of the head counts for each of these that it suits, but for {named} which must be named in \
             the review's first line, as in {line}"
        ),
    });
    sheet.line("");
    sheet.line("What each review counts for, and why, stands in the check of the target.");
    sheet.line("");
}
