//! GitHub's list of the App's webhook deliveries of the last three days. GitHub never repeats one by itself:
//! <https://docs.github.com/en/rest/apps/webhooks>.

use async_trait::async_trait;
use http::Method;
use jiff::Timestamp;
use serde::Deserialize;

use super::client::{Call, CallError, GithubClient, Identity, Longer};
use crate::ident::DeliveryId;
use crate::ports::{AttemptId, CodeHostError, DeliveryAttempt, DeliveryLog};

/// At most 3,000 attempts. Older ones are left for later.
const PAGES: usize = 30;

/// `hook-delivery-item`.
#[derive(Debug, Deserialize)]
struct Item {
    id: u64,
    guid: DeliveryId,
    delivered_at: Timestamp,
    status: String,
}

#[async_trait]
impl DeliveryLog for GithubClient {
    async fn attempts(&self, since: Timestamp) -> Result<Vec<DeliveryAttempt>, CodeHostError> {
        let path = "/app/hook/deliveries?per_page=100".to_owned();
        let call = Call::get(path, Identity::App, "the App's deliveries");
        // Newest first.
        let listed = self.list_until(call, PAGES, Longer::Cut, |item: &Item| item.delivered_at < since).await;
        let listed = listed.map_err(unavailable)?;
        if !listed.whole {
            tracing::warn!(read = listed.items.len(), "not all deliveries were read");
        }
        let recent = listed.items.into_iter().filter(|item| item.delivered_at >= since);
        let attempt = |item: Item| DeliveryAttempt {
            id: AttemptId(item.id),
            delivery: item.guid,
            at: item.delivered_at,
            taken: item.status == "OK",
        };
        Ok(recent.map(attempt).collect())
    }

    async fn redeliver(&self, attempt: AttemptId) -> Result<(), CodeHostError> {
        let path = format!("/app/hook/deliveries/{}/attempts", attempt.0);
        let call = Call::new(Method::POST, path, Identity::App, format!("another attempt of delivery {}", attempt.0));
        self.call(&call).await.map(drop).map_err(unavailable)
    }
}

fn unavailable(error: CallError) -> CodeHostError {
    match (error.status(), error) {
        // GitHub refuses this delivery only. It may accept another.
        (Some(status), CallError::Refused { what, .. }) if !matches!(status, 401 | 403 | 429 | 500..) => {
            CodeHostError::NotFound { what }
        }
        (_, error) => CodeHostError::Unavailable { detail: error.to_string() },
    }
}
