//! Reading secrets, and the errors if that fails.

use countersign::adapters::aws::secrets::Secrets;
use serde_json::json;

use super::cloud::{Cloud, nowhere};

const ARN: &str = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:github";

fn holding(text: &str) -> (u16, String) {
    (200, json!({ "ARN": ARN, "Name": "github", "SecretString": text }).to_string())
}

#[tokio::test]
async fn a_secret_is_read_by_its_arn() {
    let cloud = Cloud::new([holding(r#"{"app_id": 7}"#)]).await;
    let fields = Secrets::new(cloud.connection()).read(ARN).await.expect("a secret");
    assert_eq!(fields.get("app_id"), Some("7"));
    let call = cloud.calls().pop().expect("a call");
    assert_eq!((call.target.as_str(), call.json()), ("secretsmanager.GetSecretValue", json!({ "SecretId": ARN })));
}

#[tokio::test]
async fn an_error_has_the_reason_but_not_the_secret() {
    let refused = |code: &str, message: &str| (400, json!({ "__type": code, "message": message }).to_string());
    for (answer, expected) in [
        (holding("hush, not JSON"), "is not a JSON object of texts"),
        ((200, json!({ "ARN": ARN, "SecretBinary": "aHVzaA==" }).to_string()), "is not a text"),
        (refused("ResourceNotFoundException", "can't find the specified secret value"), "can't find the specified"),
        (refused("AccessDeniedException", "not authorized to perform GetSecretValue"), "not authorized"),
        (refused("DecryptionFailure", "hush"), "`DecryptionFailure`"),
    ] {
        let cloud = Cloud::new([answer]).await;
        let error = Secrets::new(cloud.connection()).read(ARN).await.expect_err(expected).to_string();
        assert!(error.contains(ARN) && error.contains(expected) && !error.contains("hush"), "{error}");
    }
    let error = Secrets::new(nowhere().await).read(ARN).await.expect_err("nobody").to_string();
    assert!(error.contains("no connection"), "{error}");
}
