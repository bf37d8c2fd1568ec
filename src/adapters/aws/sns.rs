//! SNS: channels are topics, and every kind of subscriber gets a form that it can use.
//!
//! Limits: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>. A message contains no secret: only the message of
//! the use case, and a link to the pull request.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use serde_json::{Value, json};

use super::connection::Connection;
use super::error::describe;
use crate::approval::decision::{Decision, Event};
use crate::ident::{ChannelName, PullRequestRef};
use crate::ports::{Message, Notifier, NotifyError};

/// SNS accepts 262,144 bytes including attributes, which are small.
const LONGEST: usize = 256_000;
/// The most bytes of the form for programs. It is sent three times, escaped once more each time.
const LONGEST_FOR_PROGRAMS: usize = 60_000;
/// The most characters for people. Nobody reads a longer e-mail.
const LONGEST_FOR_PEOPLE: usize = 8_000;
/// SNS accepts subjects of fewer than 100 characters.
const LONGEST_SUBJECT: usize = 99;
/// The most characters of a text message.
const LONGEST_SMS: usize = 140;

pub struct Topics {
    connection: Connection,
    client: OnceLock<Client>,
    topics: BTreeMap<ChannelName, String>,
    web_url: String,
}

impl Topics {
    /// `topics` are the ARNs of the channels' topics. `web_url` is the base of links to pull requests, such as
    /// `https://github.com`.
    #[must_use]
    pub fn new(connection: Connection, topics: BTreeMap<ChannelName, String>, web_url: &str) -> Self {
        Self { connection, client: OnceLock::new(), topics, web_url: web_url.trim_end_matches('/').to_owned() }
    }
}

#[async_trait]
impl Notifier for Topics {
    async fn notify(&self, channel: &ChannelName, message: &Message) -> Result<(), NotifyError> {
        let failed = |detail: String| NotifyError { channel: channel.clone(), detail };
        let topic = self.topics.get(channel).ok_or_else(|| {
            failed(
                "it has no topic: the policy's channels and the deployed topics are of different versions".to_owned(),
            )
        })?;
        let client = self.client.get_or_init(|| self.connection.sns());
        let url = message.pull_request.as_ref().map(|at| link(&self.web_url, at));
        let publish = client
            .publish()
            .topic_arn(topic)
            .subject(subject(message))
            .message_structure("json")
            .message(body(message, url.as_deref()))
            .set_message_attributes(Some(attributes(message).map_err(failed)?));
        publish.send().await.map(|_| ()).map_err(|error| failed(format!("SNS: {}", describe(&error))))
    }
}

fn link(web_url: &str, at: &PullRequestRef) -> String {
    format!("{web_url}/{}/pull/{}", at.repository, at.number)
}

/// One line of printable ASCII that begins with a letter or a digit.
fn subject(message: &Message) -> String {
    let printable = message.subject.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
    let line: String = printable.skip_while(|c| !c.is_ascii_alphanumeric()).take(LONGEST_SUBJECT).collect();
    if line.is_empty() { "countersign".to_owned() } else { line }
}

/// The message for every kind of subscriber, by their names in SNS.
fn body(message: &Message, url: Option<&str>) -> String {
    let text = for_people(message, url);
    let sms: String = message.subject.chars().take(LONGEST_SMS).collect();
    let whole = |program: &str| {
        json!({ "default": text, "email": text, "sms": sms, "https": program, "lambda": program, "sqs": program })
            .to_string()
    };
    let body = whole(&for_programs(message, url));
    if body.len() <= LONGEST { body } else { whole(&program_form(message, url, None).to_string()) }
}

fn for_people(message: &Message, url: Option<&str>) -> String {
    let text: String = message.text.chars().take(LONGEST_FOR_PEOPLE).collect();
    match url {
        Some(url) => format!("{text}\n\n{url}"),
        None => text,
    }
}

/// The form for programs. A decision that is too long is truncated.
fn for_programs(message: &Message, url: Option<&str>) -> String {
    let form = |decision: Option<&Decision>| program_form(message, url, decision).to_string();
    match &message.decision {
        Some(decision) => decision.truncated(|shorter| form(Some(shorter)), |text| text.len() <= LONGEST_FOR_PROGRAMS),
        None => form(None),
    }
}

fn program_form(message: &Message, url: Option<&str>, decision: Option<&Decision>) -> Value {
    json!({
        "schema": 1, "event": message.event.as_str(), "number": message.number, "request_id": message.request_id,
        "service": message.target.service, "environment": message.target.environment,
        "pull_request": message.pull_request, "url": url, "revision": message.revision,
        "verdict": message.decision.as_ref().map(|decision| decision.verdict), "decision": decision,
    })
}

/// Attributes that subscribers can filter by.
fn attributes(message: &Message) -> Result<std::collections::HashMap<String, MessageAttributeValue>, String> {
    let verdict = message.decision.as_ref().map_or("pending", |decision| decision.verdict.as_str());
    let texts = [
        ("event", message.event.as_str()),
        ("service", message.target.service.as_str()),
        ("environment", message.target.environment.as_str()),
        ("verdict", verdict),
        ("urgency", urgency(message.event)),
    ];
    let number = message.number.map(|number| ("number", "Number", number.to_string()));
    let all = texts.into_iter().map(|(name, text)| (name, "String", text.to_owned())).chain(number);
    all.map(|(name, kind, value)| {
        let attribute = MessageAttributeValue::builder().data_type(kind).string_value(value).build();
        attribute
            .map(|attribute| (name.to_owned(), attribute))
            .map_err(|_| format!("the attribute `{name}` is invalid"))
    })
    .collect()
}

/// `high` may wake people, `low` is for the record.
const fn urgency(event: Event) -> &'static str {
    match event {
        Event::Escalated | Event::Blocked | Event::Overridden => "high",
        Event::Requested | Event::Reminded | Event::Rejected | Event::Expired | Event::Denied => "normal",
        Event::Approved | Event::Superseded | Event::Canceled => "low",
    }
}
