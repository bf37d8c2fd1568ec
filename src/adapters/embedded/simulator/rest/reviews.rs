//! Reviews.

use axum::body::Bytes;
use axum::response::Response;
use serde::Deserialize;

use super::call::{Call, parse};
use super::response::ok;
use crate::adapters::embedded::simulator::change::NewReview;
use crate::adapters::embedded::simulator::pull::{Review, ReviewState};
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::shape::{Case, Shapes};
use crate::ident::ReviewId;

type Answer = Result<Response, Refusal>;

/// `GET …/pulls/{number}/reviews`, oldest first.
pub(super) async fn list(call: Call) -> Answer {
    let pull = call.pull()?;
    let seen: Vec<&Review> = pull.reviews.iter().filter(|review| may_see(&call, review)).collect();
    call.page(&seen, |review| Shapes(&call.world).review(pull, review, Case::Upper))
}

/// Only its author sees a pending review.
fn may_see(call: &Call, review: &Review) -> bool {
    review.state != ReviewState::Pending || review.user == call.by.id
}

/// `POST …/pulls/{number}/reviews`.
pub(super) async fn give(call: Call, body: Bytes) -> Answer {
    let new: NewReview = parse(&body)?;
    let at = call.reference()?;
    let id = call.host.change(|change| change.review(&call.by.login, &at, &new))?;
    current_review(&call, id)
}

/// `GET …/pulls/{number}/reviews/{review}`.
pub(super) async fn read(call: Call) -> Answer {
    let pull = call.pull()?;
    let review = pull.review(id(&call)?).filter(|review| may_see(&call, review)).ok_or(Refusal::NotFound)?;
    Ok(ok(&Shapes(&call.world).review(pull, review, Case::Upper)))
}

#[derive(Deserialize)]
struct Text {
    body: String,
}

/// `PUT …/pulls/{number}/reviews/{review}`.
pub(super) async fn edit(call: Call, body: Bytes) -> Answer {
    let Text { body } = parse(&body)?;
    let (at, id) = (call.reference()?, id(&call)?);
    call.host.change(|change| change.edit_review(&call.by.login, &at, id, &body))?;
    current_review(&call, id)
}

/// `POST …/pulls/{number}/reviews/{review}/events`.
pub(super) async fn submit(call: Call, body: Bytes) -> Answer {
    let new: NewReview = parse(&body)?;
    let (at, id) = (call.reference()?, id(&call)?);
    call.host.change(|change| change.submit(&call.by.login, &at, id, &new))?;
    current_review(&call, id)
}

#[derive(Deserialize)]
struct Dismissal {
    message: String,
}

/// `PUT …/pulls/{number}/reviews/{review}/dismissals`.
pub(super) async fn dismiss(call: Call, body: Bytes) -> Answer {
    let Dismissal { message } = parse(&body)?;
    let (at, id) = (call.reference()?, id(&call)?);
    call.host.change(|change| change.dismiss(&call.by.login, &at, id, &message))?;
    current_review(&call, id)
}

fn id(call: &Call) -> Result<ReviewId, Refusal> {
    call.number("review").map(ReviewId)
}

fn current_review(call: &Call, id: ReviewId) -> Answer {
    let world = call.host.world();
    let pull = world.pull(&call.reference()?).ok_or(Refusal::NotFound)?;
    let review = pull.review(id).ok_or(Refusal::NotFound)?;
    Ok(ok(&Shapes(&world).review(pull, review, Case::Upper)))
}
