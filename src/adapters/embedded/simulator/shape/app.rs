//! The App and its installation in GitHub's JSON.

use serde_json::{Value, json};

use super::{Shapes, node_id};
use crate::adapters::embedded::simulator::delivery::{APP_ID, INSTALLATION_ID};
use crate::adapters::embedded::simulator::world::HostedApp;
use crate::ident::{Login, UserId};

/// The events that the App subscribes to.
const EVENTS: [&str; 3] = ["pull_request", "pull_request_review", "check_run"];

impl Shapes<'_> {
    pub(in super::super) fn permissions() -> Value {
        json!({
            "checks": "write", "contents": "read", "deployments": "write", "members": "read", "metadata": "read",
            "pull_requests": "write",
        })
    }

    /// `integration`.
    pub(in super::super) fn app(&self, app: &HostedApp) -> Value {
        json!({
            "id": APP_ID,
            "slug": app.slug,
            "node_id": node_id("A", APP_ID),
            "owner": self.app_account(app),
            "name": app.slug,
            "description": null,
            "external_url": self.web(&format!("/apps/{}", app.slug)),
            "html_url": self.web(&format!("/apps/{}", app.slug)),
            "created_at": app.created_at, "updated_at": app.created_at,
            "permissions": Self::permissions(),
            "events": EVENTS,
            "installations_count": 1,
        })
    }

    /// The account that the App acts as. In the simulator it owns itself.
    fn app_account(&self, app: &HostedApp) -> Value {
        let login = Login::new(&format!("{}[bot]", app.slug)).ok();
        let account = login.and_then(|login| self.0.account(&login));
        account.map_or(Value::Null, |account| self.account(account))
    }

    /// `installation`, for an owner of repositories or teams.
    pub(in super::super) fn installation(&self, app: &HostedApp, owner: &str) -> Value {
        let account = Login::new(owner).ok().and_then(|login| self.0.account(&login));
        let api = self.api(&format!("/app/installations/{INSTALLATION_ID}"));
        json!({
            "id": INSTALLATION_ID,
            "account": account.map_or(Value::Null, |account| self.account(account)),
            "repository_selection": "all",
            "access_tokens_url": format!("{api}/access_tokens"),
            "repositories_url": self.api("/installation/repositories"),
            "html_url": self.web(&format!("/settings/installations/{INSTALLATION_ID}")),
            "app_id": APP_ID,
            "app_slug": app.slug,
            "target_id": account.map_or(UserId(0), |account| account.id),
            "target_type": account.map_or("Organization", |account| account.kind.as_str()),
            "permissions": Self::permissions(),
            "events": EVENTS,
            "created_at": app.created_at, "updated_at": app.created_at,
            "single_file_name": null, "suspended_by": null, "suspended_at": null,
        })
    }
}
