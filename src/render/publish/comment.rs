//! The one comment of a pull request: its requests, the open ones first.

use super::markdown::{code, words};
use super::people::People;
use super::sheet::{Cost, Sheet};
use super::{RequestStatus, instant};
use crate::request::End;
use crate::request::published::Stage;

/// The first line of the comment. The publisher finds the comment by it.
pub const MARKER: &str = "<!-- countersign-requests -->";
/// GitHub accepts 65,536 characters. A limit in bytes is stricter.
const LONGEST: usize = 65_536;

/// `statuses` are in the order of time.
#[must_use]
pub fn comment(statuses: &[RequestStatus], public: bool) -> String {
    let mut sheet = Sheet::default();
    sheet.line(MARKER);
    let (live, over): (Vec<&RequestStatus>, Vec<&RequestStatus>) =
        statuses.iter().partition(|status| !status.stage.is_last());
    sheet.line("### Deployment approvals");
    sheet.line("");
    if live.is_empty() {
        sheet.line("Nothing waits for approval.");
        sheet.line("");
    } else {
        table(&mut sheet, |count| format!("| … | {count} more wait | | |"));
        live.iter().for_each(|status| sheet.droppable(Cost::Waiting, row(status, public)));
        sheet.section(|_| String::new());
        sheet.line("");
        how_to(&mut sheet, &live);
    }
    if !over.is_empty() {
        sheet.line("<details><summary>Ended</summary>");
        sheet.line("");
        table(&mut sheet, |count| format!("| … | {count} more have ended | | |"));
        // The newest first; the oldest are left out first.
        over.iter().rev().for_each(|status| sheet.droppable(Cost::Passed, row(status, public)));
        sheet.section(|_| String::new());
        sheet.line("");
        sheet.line("</details>");
    }
    sheet.truncated(LONGEST)
}

fn table(sheet: &mut Sheet, note: fn(usize) -> String) {
    sheet.line("| target | | why | until |");
    sheet.line("|---|---|---|---|");
    sheet.section(note);
}

fn row(status: &RequestStatus, public: bool) -> String {
    let sign = match status.stage {
        Stage::Unread | Stage::Waiting => "⏳",
        Stage::Held => "⏸️",
        Stage::Approved | Stage::Released | Stage::Ended(End::Approved) => "✅",
        Stage::Audited => "📝",
        Stage::Ended(End::Rejected | End::Denied) => "⛔",
        Stage::Ended(End::Expired) => "⌛",
        Stage::Ended(End::Superseded | End::Canceled) => "✖️",
    };
    let people = People::new(status, public);
    let until = if status.is_open() { status.request.deadline } else { status.held_until() };
    let revision = status.request.subject.revision.as_ref().map(|revision| format!(" at {}", code(revision.short())));
    format!(
        "| {}{} | {sign} {} | {} | {} |",
        words(&status.request.subject.target.to_string()),
        revision.unwrap_or_default(),
        status.headline(),
        people.words(status.summary()),
        until.map(instant).unwrap_or_default()
    )
}

/// How to approve, said once for all requests.
fn how_to(sheet: &mut Sheet, live: &[&RequestStatus]) {
    let open: Vec<&RequestStatus> = live.iter().copied().filter(|status| status.is_open()).collect();
    let Some(first) = open.iter().find(|status| status.must_be_named()).or_else(|| open.first()) else { return };
    let line = code(&format!("/approve {}", first.request.subject.target));
    let named = open.iter().filter(|status| status.must_be_named()).count();
    sheet.line(match (named, open.len()) {
        (0, 1) => "To approve it, review this pull request and choose *Approve*.".to_owned(),
        (0, _) => format!(
            "An approval of the head without a command counts for each target above whose rule accepts it. To approve one \
             target alone, name it on a line of its own in the review, for example {line}"
        ),
        (named, all) if named == all => {
            format!("To approve, name the target on a line of its own in the review, for example {line}")
        }
        (named, _) => format!(
            "An approval of the head without a command counts for each target above whose rule accepts it. {named} of the \
             targets must be named on a line of its own in the review, for example {line}"
        ),
    });
    sheet.line("");
    sheet.line("The check of each target shows what each review counts for, and why.");
    sheet.line("");
}
