//! Teams, memberships and the caller's own account.

use axum::response::Response;

use super::call::Call;
use super::response::ok;
use crate::adapters::embedded::simulator::refusal::Refusal;
use crate::adapters::embedded::simulator::shape::Shapes;
use crate::ident::{Login, UserId};

type Answer = Result<Response, Refusal>;

/// `GET /orgs/{org}/teams/{team}`.
pub(super) async fn team(call: Call) -> Answer {
    Ok(ok(&Shapes(&call.world).team(call.team()?)))
}

/// `GET /users/{login}`: people, bots of Apps and organizations.
pub(super) async fn account(call: Call) -> Answer {
    let login = Login::new(call.segment("login")?).map_err(|_| Refusal::NotFound)?;
    let account = call.world.account(&login).ok_or(Refusal::NotFound)?;
    Ok(ok(&Shapes(&call.world).profile(account)))
}

/// `GET /user/{id}`: whatever its login is now.
pub(super) async fn account_by_id(call: Call) -> Answer {
    let account = call.world.accounts.get(&UserId(call.number("id")?)).ok_or(Refusal::NotFound)?;
    Ok(ok(&Shapes(&call.world).profile(account)))
}

/// `GET /user`.
pub(super) async fn user(call: Call) -> Answer {
    Ok(ok(&Shapes(&call.world).profile(&call.by)))
}
