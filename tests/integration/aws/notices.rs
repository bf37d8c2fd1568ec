//! Notifications to SNS: a form for each kind of subscriber, within its limits.

use std::collections::BTreeMap;

use countersign::adapters::aws::sns::Topics;
use countersign::approval::decision::{Decision, Event, ReviewOutcome, Verdict};
use countersign::ident::{ChannelName, RequestId};
use countersign::ports::{Message, Notifier as _, NotifyError};
use serde_json::Value;

use super::cloud::Cloud;
use crate::specimen::{decision, pull_request, revision, target};

const TAKEN: &str = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"#;
const TOPIC: &str = "arn:aws:sns:eu-central-1:000000000000:gate-desk";

fn channel(name: &str) -> ChannelName {
    ChannelName::new(name).expect("a channel")
}

fn message(event: Event, decision: Option<Decision>) -> Message {
    Message {
        request_id: RequestId::new("req-00000000000000000000000000000000").expect("an id"),
        target: target(),
        pull_request: Some(pull_request("acme/checkout#1")),
        revision: Some(revision('a')),
        event,
        number: (event == Event::Reminded).then_some(2),
        subject: "checkout to production: approval needed".to_owned(),
        text: "Needed: 1 of payments (pia, pat).".to_owned(),
        decision,
    }
}

async fn published(message: &Message) -> BTreeMap<String, String> {
    let cloud = Cloud::new([(200, TAKEN.to_owned())]).await;
    let topics = BTreeMap::from([(channel("desk"), TOPIC.to_owned())]);
    let topics = Topics::new(cloud.connection(), topics, "https://github.example.com/");
    topics.notify(&channel("desk"), message).await.expect("it is published");
    let [call] = <[_; 1]>::try_from(cloud.calls()).expect("one call");
    form(&call.body)
}

/// The fields of a form, as `application/x-www-form-urlencoded` has them.
fn form(body: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next(), rest.next()].map(|digit| char::from(digit.expect("a digit")));
                    u8::from_str_radix(&String::from_iter(digits), 16).expect("hex")
                }
                other => other,
            });
        }
        String::from_utf8(bytes).expect("UTF-8")
    };
    body.split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn attributes(form: &BTreeMap<String, String>) -> BTreeMap<&str, (&str, &str)> {
    let entry = |n: usize, part: &str| form.get(&format!("MessageAttributes.entry.{n}.{part}")).map(String::as_str);
    (1..)
        .map_while(|n| Some((entry(n, "Name")?, (entry(n, "Value.DataType")?, entry(n, "Value.StringValue")?))))
        .collect()
}

#[tokio::test]
async fn people_get_a_text_and_programs_get_the_decision() {
    let form = published(&message(Event::Reminded, Some(decision(Verdict::Pending)))).await;
    assert_eq!((form["TopicArn"].as_str(), form["MessageStructure"].as_str()), (TOPIC, "json"));
    assert_eq!(form["Subject"], "checkout to production: approval needed");
    let forms: BTreeMap<String, String> = serde_json::from_str(&form["Message"]).expect("a text for each protocol");
    let text = "Needed: 1 of payments (pia, pat).\n\nhttps://github.example.com/acme/checkout/pull/1";
    assert_eq!((forms["default"].as_str(), forms["email"].as_str()), (text, text));
    assert_eq!(forms["sms"], "checkout to production: approval needed");
    for program in ["https", "lambda", "sqs"] {
        let message: Value = serde_json::from_str(&forms[program]).expect("JSON");
        assert_eq!(
            (&message["schema"], &message["event"], &message["number"]),
            (&1.into(), &"reminded".into(), &2.into())
        );
        assert_eq!((&message["pull_request"], &message["verdict"]), (&"acme/checkout#1".into(), &"pending".into()));
        assert_eq!(message["decision"]["policy_digest"], decision(Verdict::Pending).policy_digest.as_str());
    }
}

#[tokio::test]
async fn subscribers_can_filter_by_event_target_verdict_and_urgency() {
    let form = published(&message(Event::Reminded, Some(decision(Verdict::Pending)))).await;
    let expected = BTreeMap::from([
        ("event", ("String", "reminded")),
        ("service", ("String", "checkout")),
        ("environment", ("String", "production")),
        ("verdict", ("String", "pending")),
        ("urgency", ("String", "normal")),
        ("number", ("Number", "2")),
    ]);
    assert_eq!(attributes(&form), expected);
    let form = published(&message(Event::Escalated, None)).await;
    assert_eq!(attributes(&form)["urgency"].1, "high");
    assert!(!attributes(&form).contains_key("number"));
}

#[tokio::test]
async fn a_subject_is_one_line_of_printable_ascii_under_100_characters() {
    let wild = Message { subject: format!("– ‚ckout\n→ {}", "x".repeat(200)), ..message(Event::Requested, None) };
    let subject = published(&wild).await.remove("Subject").expect("a subject");
    assert!(subject.len() < 100 && subject.starts_with("ckout "), "{subject}");
    assert!(subject.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{subject}");
    let empty = Message { subject: "→→".to_owned(), ..message(Event::Requested, None) };
    assert_eq!(published(&empty).await["Subject"], "countersign");
}

#[tokio::test]
async fn a_long_message_is_truncated_and_keeps_its_verdict() {
    let mut long = decision(Verdict::Pending);
    let review: ReviewOutcome = serde_json::from_value(serde_json::json!({
        "id": 1, "user": "pia", "state": "approved", "verdict": "ignored", "reason": "not-eligible",
        "text": "\"".repeat(900)
    }))
    .expect("a review");
    long.reviews = vec![review; 400];
    let text = "ü".repeat(300_000);
    let form = published(&Message { text, ..message(Event::Requested, Some(long)) }).await;
    assert!(form["Message"].len() <= 256_000, "{}", form["Message"].len());
    let forms: BTreeMap<String, String> = serde_json::from_str(&form["Message"]).expect("a text for each protocol");
    let message: Value = serde_json::from_str(&forms["sqs"]).expect("JSON");
    assert_eq!((&message["verdict"], &message["decision"]["reviews"]), (&"pending".into(), &serde_json::json!([])));
    assert!(forms["email"].ends_with("/acme/checkout/pull/1"));
}

#[tokio::test]
async fn a_channel_without_a_topic_and_one_that_sns_refuses_are_named() {
    let cloud = Cloud::new([(403, "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>not authorized to perform: SNS:Publish</Message></Error></ErrorResponse>".to_owned())]).await;
    let topics = Topics::new(cloud.connection(), BTreeMap::from([(channel("desk"), TOPIC.to_owned())]), "https://x");
    let error = |result: Result<(), NotifyError>| result.expect_err("it is not notified").to_string();
    let none = error(topics.notify(&channel("other"), &message(Event::Requested, None)).await);
    assert!(none.contains("`other`") && none.contains("has no topic"), "{none}");
    let refused = error(topics.notify(&channel("desk"), &message(Event::Requested, None)).await);
    assert!(refused.contains("`desk`") && refused.contains("SNS:Publish"), "{refused}");
}
