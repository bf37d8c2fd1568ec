//! GitHub's deliveries, in the HTTP API's payload format 2.0:
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::installation::Installation;
use super::keys::NotAccepted;
use crate::adapters::github::delivery::{DELIVERY_HEADER, DeliveryHeaders, EVENT_HEADER, Refused, SIGNATURE_HEADER};
use crate::app::Failure;
use crate::webhook::{Reply, end_of_patience, work};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRequest {
    /// Names are in lower case. Several values of one name are joined by commas.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpResponse {
    pub status_code: u16,
    /// Names are in lower case.
    pub headers: BTreeMap<&'static str, &'static str>,
    /// JSON.
    pub body: String,
}

impl From<Reply> for HttpResponse {
    fn from(reply: Reply) -> Self {
        let headers = BTreeMap::from([("content-type", "application/json")]);
        Self { status_code: reply.status, headers, body: reply.body.to_string() }
    }
}

/// Processes a delivery. Every outcome is an answer, since an error of the function would be an answer without content.
pub async fn deliver(installation: Result<Arc<Installation>, Failure>, request: HttpRequest) -> HttpResponse {
    match installation {
        Ok(installation) => answer(&installation, request).await.into(),
        Err(failure) => {
            tracing::error!(reason = %failure, "cannot process any delivery");
            Reply::later(&failure).into()
        }
    }
}

async fn answer(installation: &Installation, request: HttpRequest) -> Reply {
    let (now, until) = (installation.app.clock.now(), end_of_patience());
    let Some(body) = bytes(request.body.unwrap_or_default(), request.is_base64_encoded) else {
        return Reply::refused(&Refused::NotJson);
    };
    let header = |name: &str| request.headers.get(name).map(String::as_str);
    let headers = DeliveryHeaders {
        event: header(EVENT_HEADER),
        delivery: header(DELIVERY_HEADER),
        signature: header(SIGNATURE_HEADER),
    };
    let Some(keys) = &installation.keys else {
        return Reply::later(&Failure::Unavailable { detail: "there is no webhook secret".to_owned() });
    };
    match keys.receive(&headers, &body, now).await {
        Ok(delivery) => {
            installation.github.know_installation(delivery.installation.clone());
            work(&installation.app, installation.desk.as_ref(), delivery, until).await
        }
        Err(NotAccepted::Refused(refused)) => {
            if matches!(refused, Refused::Signature(_)) {
                installation.meter.delivery_rejected(now);
            }
            Reply::refused(&refused)
        }
        Err(NotAccepted::NoSecret(why)) => {
            tracing::error!(reason = why, "cannot process any delivery");
            Reply::later(&Failure::Unavailable { detail: why })
        }
    }
}

/// The raw bytes that GitHub signed. `None` if they are not the base64 that they should be.
fn bytes(body: String, is_base64: bool) -> Option<Vec<u8>> {
    if is_base64 { aws_smithy_types::base64::decode(body).ok() } else { Some(body.into_bytes()) }
}
