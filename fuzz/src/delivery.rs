//! Reads bytes as a delivery: a line with the event, then the body. To send a wrong signature, the line has it after a
//! space.

use countersign::adapters::github::delivery::{DeliveryHeaders, DeliveryKind, Refused, receive};
use countersign::adapters::github::signature::{WebhookSecret, WebhookSecrets};

const SECRET: &str = "it is known to nobody else";

/// Delivers the bytes.
pub fn check(bytes: &[u8]) {
    let (line, body) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (bytes.get(..end).unwrap_or_default(), bytes.get(end + 1..).unwrap_or_default()),
        None => (bytes, &[][..]),
    };
    let Ok(line) = std::str::from_utf8(line) else { return };
    let (event, given) = line.split_once(' ').map_or((line, None), |(event, given)| (event, Some(given)));
    let secrets = WebhookSecrets { current: WebhookSecret::new(SECRET).expect("a secret"), previous: None };
    let right = secrets.current.sign(body).expect("a signature");
    let headers = DeliveryHeaders {
        event: Some(event),
        delivery: Some("72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        signature: Some(given.unwrap_or(&right)),
    };
    let now = "2026-11-18T10:00:00Z".parse().expect("an instant");
    let received = receive(&secrets, &headers, body, now);
    if headers.signature != Some(&right) {
        assert!(matches!(received, Err(Refused::Signature(_))), "unsigned, and not refused for that: {received:?}");
    }
    match &received {
        Ok(delivery) => {
            if let DeliveryKind::PullRequest { observations, .. } = &delivery.kind {
                let stored = serde_json::to_string(observations).expect("what is observed can be stored");
                let read: Vec<_> = serde_json::from_str(&stored).expect("and read again");
                assert_eq!(observations, &read);
            }
        }
        Err(refused) => assert!((400..500).contains(&refused.status()) && !refused.to_string().is_empty()),
    }
    assert_eq!(received, receive(&secrets, &headers, body, now), "the same delivery is taken the same way");
}
