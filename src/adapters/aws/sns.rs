//! SNS: channels are topics, and every kind of subscriber gets the form that it can use.
//!
//! Limits: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>. Knows nothing of who subscribes. A message holds
//! what the use case gave and a link to the pull request: nothing in it opens anything.

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

/// SNS takes 262,144 bytes with attributes; these few are small.
const LONGEST: usize = 256_000;
/// The most bytes of the form for programs: it goes out three times, each time escaped once more.
const LONGEST_FOR_PROGRAMS: usize = 60_000;
/// The most characters for people. An e-mail that is longer is read by nobody.
const LONGEST_FOR_PEOPLE: usize = 8_000;
/// SNS takes subjects of fewer than 100 characters.
const LONGEST_SUBJECT: usize = 99;
/// What one text message carries.
const LONGEST_SMS: usize = 140;

/// Channels on SNS.
pub struct Topics {
    connection: Connection,
    client: OnceLock<Client>,
    topics: BTreeMap<ChannelName, String>,
    pages: String,
}

impl Topics {
    /// Channels with the ARNs of their topics. `pages` is where pull requests are seen: `https://github.com`.
    #[must_use]
    pub fn new(connection: Connection, topics: BTreeMap<ChannelName, String>, pages: &str) -> Self {
        Self { connection, client: OnceLock::new(), topics, pages: pages.trim_end_matches('/').to_owned() }
    }
}

#[async_trait]
impl Notifier for Topics {
    async fn notify(&self, channel: &ChannelName, message: &Message) -> Result<(), NotifyError> {
        let failed = |detail: String| NotifyError { channel: channel.clone(), detail };
        let topic = self.topics.get(channel).ok_or_else(|| {
            failed(
                "it has no topic: the policy's channels and the installed topics are of different versions".to_owned(),
            )
        })?;
        let client = self.client.get_or_init(|| self.connection.sns());
        let url = message.pull_request.as_ref().map(|at| link(&self.pages, at));
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

/// The page of a pull request.
fn link(pages: &str, at: &PullRequestRef) -> String {
    format!("{pages}/{}/pull/{}", at.repository, at.number)
}

/// One line of printable ASCII that begins with a letter or a digit.
fn subject(message: &Message) -> String {
    let printable = message.subject.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
    let line: String = printable.skip_while(|c| !c.is_ascii_alphanumeric()).take(LONGEST_SUBJECT).collect();
    if line.is_empty() { "countersign".to_owned() } else { line }
}

/// The message for every kind of subscriber, by the names that SNS has for them.
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

/// The form for programs. Of a decision that is too long, as much is left out as has to be.
fn for_programs(message: &Message, url: Option<&str>) -> String {
    let form = |decision: Option<&Decision>| program_form(message, url, decision).to_string();
    match &message.decision {
        Some(decision) => decision.truncated(|shown| form(Some(shown)), |text| text.len() <= LONGEST_FOR_PROGRAMS),
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

/// What subscribers filter by.
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
        attribute.map(|attribute| (name.to_owned(), attribute)).map_err(|_| format!("the attribute `{name}` is none"))
    })
    .collect()
}

/// How soon somebody should look: `high` wakes people, `low` is for the record.
const fn urgency(event: Event) -> &'static str {
    match event {
        Event::Escalated | Event::Blocked | Event::Overridden => "high",
        Event::Requested | Event::Reminded | Event::Rejected | Event::Expired | Event::Denied => "normal",
        Event::Approved | Event::Superseded | Event::Canceled => "low",
    }
}
