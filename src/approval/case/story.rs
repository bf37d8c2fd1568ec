//! What happens in a step, as a sentence.

use super::super::facts::ReviewState;
use super::event::{Dismissed, Event, Step, Time};

/// `pia approves`, `dave pushes a2`.
pub(super) fn told(step: &Step) -> String {
    match &step.event {
        Event::Review(review) => {
            let does = match review.state {
                ReviewState::Approved => "approves",
                ReviewState::ChangesRequested => "requests changes",
                ReviewState::Commented => "comments",
                ReviewState::Dismissed | ReviewState::Pending => "reviews",
            };
            format!("{} {does}", review.by.login)
        }
        Event::Dismiss { of: Dismissed::Login(login), by } => format!("{} dismisses the review of {login}", by.login),
        Event::Dismiss { of: Dismissed::Id(id), by } => format!("{} dismisses review {id}", by.login),
        Event::Push(push) => format!("{} pushes {}", push.by.login, push.head.short()),
        Event::Label { add, remove } => {
            let added = (!add.is_empty()).then(|| format!("labelled {}", add.join(", ")));
            let removed = (!remove.is_empty()).then(|| format!("no longer labelled {}", remove.join(", ")));
            format!("it is {}", added.into_iter().chain(removed).collect::<Vec<_>>().join(", and "))
        }
        Event::Base { to } => format!("its base becomes {to}"),
        Event::Close => "it is closed unmerged".to_owned(),
        Event::Merge { .. } => "it is merged".to_owned(),
        Event::Tick => match step.time {
            Time::After(span) => format!("{span} passes"),
            Time::At(at) => format!("it becomes {at}"),
            Time::Next => "a minute passes".to_owned(),
        },
    }
}
