//! Only a delivery with the signature of the secret over its bytes is accepted.

use countersign::adapters::github::delivery::{
    DELIVERY_HEADER, DeliveryHeaders, DeliveryKind, EVENT_HEADER, LARGEST_BODY, Refused, receive,
};
use countersign::adapters::github::signature::{SecretError, SignatureError, WebhookSecret, WebhookSecrets};

use crate::webhook_door::{GUID, SECRET, deliver, now, secret, secrets};

/// <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>, "Testing the webhook payload validation".
const BODY: &[u8] = b"Hello, World!";
const HEX: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn verify(header: &str) -> Result<(), SignatureError> {
    secrets().verify(Some(header), BODY)
}

fn signed(text: &str) -> String {
    secret(text).sign(BODY).expect("a signature")
}

#[test]
fn githubs_documented_signature_is_accepted() {
    assert_eq!(verify(&format!("sha256={HEX}")), Ok(()));
}

#[test]
fn signing_makes_githubs_documented_signature() {
    assert_eq!(signed(SECRET), format!("sha256={HEX}"));
}

#[test]
fn a_signature_with_another_secret_is_refused() {
    assert_eq!(verify(&signed("It's a Secret to Nobody!")), Err(SignatureError::Mismatch));
}

#[test]
fn a_signature_with_one_digit_changed_is_refused_wherever_it_is() {
    for place in 0..HEX.len() {
        let flip = |(at, digit): (usize, char)| match (at == place, digit) {
            (true, '0') => '1',
            (true, _) => '0',
            (false, digit) => digit,
        };
        let changed: String = HEX.chars().enumerate().map(flip).collect();
        assert_eq!(verify(&format!("sha256={changed}")), Err(SignatureError::Mismatch), "digit {place}");
    }
}

#[test]
fn a_missing_signature_is_refused() {
    assert_eq!(secrets().verify(None, BODY), Err(SignatureError::Missing));
}

#[test]
fn an_empty_signature_is_refused() {
    assert_eq!(verify(""), Err(SignatureError::Malformed));
}

#[test]
fn a_signature_without_its_scheme_is_refused() {
    assert_eq!(verify(HEX), Err(SignatureError::Malformed));
}

#[test]
fn a_truncated_signature_is_refused() {
    let whole = format!("sha256={HEX}");
    for length in 0..whole.len() {
        let truncated = whole.get(..length).expect("ASCII");
        assert_eq!(verify(truncated), Err(SignatureError::Malformed), "{truncated}");
    }
}

#[test]
fn a_signature_with_an_upper_case_scheme_is_refused() {
    assert_eq!(verify(&format!("SHA256={HEX}")), Err(SignatureError::Malformed));
}

#[test]
fn a_signature_in_upper_case_hex_is_refused() {
    assert_eq!(verify(&format!("sha256={}", HEX.to_ascii_uppercase())), Err(SignatureError::Malformed));
}

#[test]
fn a_sha_1_signature_is_refused() {
    // The right one, by `openssl dgst -sha1 -hmac`.
    assert_eq!(verify("sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"), Err(SignatureError::Malformed));
    assert_eq!(verify(&format!("sha1={HEX}")), Err(SignatureError::Malformed));
}

#[test]
fn two_signatures_are_refused() {
    for separator in [",", ", ", " ", "\n", ""] {
        let two = format!("sha256={HEX}{separator}sha256={HEX}");
        assert_eq!(verify(&two), Err(SignatureError::Malformed), "{two:?}");
    }
}

#[test]
fn a_signature_with_spaces_round_it_is_refused() {
    for spaced in
        [format!(" sha256={HEX}"), format!("sha256={HEX} "), format!("sha256= {HEX}"), format!("sha256={HEX}\n")]
    {
        assert_eq!(verify(&spaced), Err(SignatureError::Malformed), "{spaced:?}");
    }
}

#[test]
fn a_signature_of_64_bytes_that_are_not_hex_is_refused() {
    assert_eq!(verify(&format!("sha256={}", "é".repeat(32))), Err(SignatureError::Malformed));
    assert_eq!(verify(&format!("sha256={}", "g".repeat(64))), Err(SignatureError::Malformed));
}

#[test]
fn a_body_with_a_newline_added_is_refused() {
    let header = format!("sha256={HEX}");
    assert_eq!(secrets().verify(Some(&header), b"Hello, World!\n"), Err(SignatureError::Mismatch));
}

#[test]
fn an_empty_body_is_refused_unless_it_was_signed() {
    let header = format!("sha256={HEX}");
    assert_eq!(secrets().verify(Some(&header), b""), Err(SignatureError::Mismatch));
    let header = secret(SECRET).sign(b"").expect("a signature");
    assert_eq!(secrets().verify(Some(&header), b""), Ok(()));
}

#[test]
fn an_empty_secret_is_refused() {
    for stored in ["", "\n", "\r\n"] {
        assert_eq!(WebhookSecret::new(stored).err(), Some(SecretError::Empty), "{stored:?}");
    }
}

#[test]
fn a_short_secret_is_refused() {
    assert_eq!(WebhookSecret::new("fifteen bytes !\n").err(), Some(SecretError::Short { length: 15 }));
    assert!(WebhookSecret::new("sixteen bytes !!").is_ok());
}

#[test]
fn one_newline_at_the_end_of_a_stored_secret_is_removed() {
    for stored in [format!("{SECRET}\n"), format!("{SECRET}\r\n")] {
        assert_eq!(signed(&stored), signed(SECRET), "{stored:?}");
    }
}

#[test]
fn only_one_newline_is_removed_and_nothing_else() {
    for stored in [format!("{SECRET}\n\n"), format!("{SECRET} "), format!("\n{SECRET}"), format!("{SECRET}\r")] {
        assert_ne!(signed(&stored), signed(SECRET), "{stored:?}");
    }
}

#[test]
fn debug_output_does_not_contain_a_secret() {
    let printed = format!("{:?}", WebhookSecrets { current: secret(SECRET), previous: Some(secret(SECRET)) });
    assert!(!printed.contains("Secret to") && printed.contains("redacted"), "{printed}");
}

#[test]
fn during_a_change_the_new_and_the_old_secret_are_accepted_and_no_third() {
    let (new, old, oldest) = ("the newest secret of all", "the secret before that", "the secret before both");
    let secrets = WebhookSecrets { current: secret(new), previous: Some(secret(old)) };
    assert_eq!(secrets.verify(Some(&signed(new)), BODY), Ok(()));
    assert_eq!(secrets.verify(Some(&signed(old)), BODY), Ok(()));
    assert_eq!(secrets.verify(Some(&signed(oldest)), BODY), Err(SignatureError::Mismatch));
    let changed = WebhookSecrets { current: secret(new), previous: None };
    assert_eq!(changed.verify(Some(&signed(old)), BODY), Err(SignatureError::Mismatch));
}

#[test]
fn a_body_over_the_limit_is_refused_before_anything_else() {
    let body = vec![b' '; LARGEST_BODY + 1];
    let headers = DeliveryHeaders::default();
    let refused = receive(&secrets(), &headers, &body, now()).expect_err("too large");
    assert_eq!((&refused, refused.status()), (&Refused::TooLarge, 413));
    let at_the_limit = body.get(1..).expect("a byte less");
    let refused = receive(&secrets(), &headers, at_the_limit, now()).expect_err("not signed");
    assert_eq!(refused, Refused::Signature(SignatureError::Missing));
}

#[test]
fn a_bad_signature_is_reported_before_missing_headers_or_a_bad_body() {
    let headers = DeliveryHeaders { signature: Some("sha256=00"), ..DeliveryHeaders::default() };
    let refused = receive(&secrets(), &headers, b"{", now()).expect_err("not signed");
    assert_eq!((&refused, refused.status()), (&Refused::Signature(SignatureError::Malformed), 401));
}

#[test]
fn a_signed_delivery_without_an_event_or_an_id_is_refused() {
    let signature = secret(SECRET).sign(b"{}").expect("a signature");
    let whole = DeliveryHeaders { event: Some("ping"), delivery: Some(GUID), signature: Some(&signature) };
    let cases = [
        (DeliveryHeaders { event: None, ..whole }, EVENT_HEADER),
        (DeliveryHeaders { event: Some(""), ..whole }, EVENT_HEADER),
        (DeliveryHeaders { event: Some("ping\npull_request"), ..whole }, EVENT_HEADER),
        (DeliveryHeaders { delivery: None, ..whole }, DELIVERY_HEADER),
        (DeliveryHeaders { delivery: Some(""), ..whole }, DELIVERY_HEADER),
        (DeliveryHeaders { delivery: Some("../72d3162e"), ..whole }, DELIVERY_HEADER),
    ];
    for (headers, name) in cases {
        let refused = receive(&secrets(), &headers, b"{}", now()).expect_err("a header is missing");
        assert_eq!((&refused, refused.status()), (&Refused::Header { name }, 400), "{headers:?}");
    }
    let delivery = receive(&secrets(), &whole, b"{}", now()).expect("a ping");
    assert_eq!((delivery.id.as_str(), delivery.kind), (GUID, DeliveryKind::Ping));
}

#[test]
fn malformed_json_is_refused_although_it_is_signed() {
    for body in ["", "{", "{\"action\":}", "{} {}", "action=submitted", "\u{feff}{}"] {
        let refused = deliver("pull_request_review", body.as_bytes()).expect_err("not JSON");
        assert_eq!((&refused, refused.status()), (&Refused::NotJson, 400), "{body:?}");
    }
}

#[test]
fn a_body_that_is_not_utf_8_is_refused_although_it_is_signed() {
    for body in [&b"\xff\xfe"[..], b"{\"action\":\"\xc3\x28\"}"] {
        assert_eq!(deliver("pull_request_review", body), Err(Refused::NotJson), "{body:?}");
    }
}

#[test]
fn endlessly_nested_json_is_refused_although_it_is_signed() {
    let body = format!("{{\"review\":{}", "[".repeat(1_000_000));
    assert_eq!(deliver("pull_request_review", body.as_bytes()), Err(Refused::NotJson));
}

#[test]
fn json_that_is_no_object_is_refused_although_it_is_signed() {
    for body in ["null", "[]", "1", "\"submitted\""] {
        let refused = deliver("pull_request_review", body.as_bytes()).expect_err("no object");
        assert_eq!((&refused, refused.status()), (&Refused::NotAnObject, 422), "{body}");
    }
}
