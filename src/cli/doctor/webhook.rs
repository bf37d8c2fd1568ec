//! The App's webhook: where it goes, that it is signed, and that what is sent there is let in.

use std::io::IsTerminal as _;
use std::time::Duration;

use tokio::time::Instant;

use super::Check;
use crate::adapters::github::admin::{AttemptFacts, HookConfig};
use crate::adapters::github::client::{CallError, GithubClient};
use crate::cli::terminal;

/// How often GitHub is asked whether the delivery has arrived.
const EVERY: Duration = Duration::from_secs(1);

/// The webhook. `wait`: have a delivery sent again, and give it so many seconds; none: look at what there is.
pub(super) async fn webhook(client: &GithubClient, wait: Option<u64>) -> Vec<Check> {
    let unknown = |error: &CallError| {
        vec![Check::failed("webhook", error.to_string(), "look at the App's page on GitHub, under its webhook")]
    };
    let config = match client.hook_config().await {
        Ok(config) => config,
        Err(error) => return unknown(&error),
    };
    let mut checks = configured(&config);
    match delivered(client, wait).await {
        Ok(check) => checks.push(check),
        Err(error) => checks.extend(unknown(&error)),
    }
    checks
}

fn configured(config: &HookConfig) -> Vec<Check> {
    let Some(url) = config.url.as_deref().filter(|url| !url.is_empty()) else {
        let hint = "set the gate's webhook URL and secret at the App's page";
        return vec![Check::failed("webhook", "the App has no webhook", hint)];
    };
    let mut checks = vec![Check::ok("webhook", format!("deliveries go to {url}"))];
    if config.secret.as_deref().unwrap_or_default().is_empty() {
        let hint = "set a secret at the App's page, and the same in the gate: it lets in nothing that is not signed";
        checks.push(Check::failed("webhook", "the webhook has no secret", hint));
    }
    if config.content_type.as_deref() != Some("json") {
        let kind = config.content_type.as_deref().unwrap_or("unknown");
        let hint = "set the content type to `application/json` at the App's page";
        checks.push(Check::failed("webhook", format!("deliveries are sent as `{kind}`, and must be `json`"), hint));
    }
    checks
}

/// Whether the newest delivery, sent once more if that is wanted, was let in.
async fn delivered(client: &GithubClient, wait: Option<u64>) -> Result<Check, CallError> {
    let attempts = client.newest_attempts().await?;
    // A ping changes nothing. Any other is known to the gate by its id, and does nothing twice.
    let chosen = attempts.iter().find(|attempt| attempt.event == "ping").or_else(|| attempts.first());
    let Some(chosen) = chosen else {
        let hint = "GitHub pings a webhook when it is set: set its URL anew, or open a pull request, and look again";
        return Ok(Check::warning("webhook", "GitHub has delivered nothing in three days", hint));
    };
    let Some(wait) = wait else { return Ok(judged(attempts.first().unwrap_or(chosen))) };
    client.send_again(chosen.id).await?;
    if std::io::stderr().is_terminal() {
        terminal::tell("waiting for GitHub to deliver once more\n");
    }
    let until = Instant::now().checked_add(Duration::from_secs(wait));
    let newest = chosen.id;
    while until.is_some_and(|until| Instant::now() < until) {
        pause().await;
        let attempts = client.newest_attempts().await?;
        let again = attempts.iter().find(|attempt| attempt.guid == chosen.guid && attempt.id != newest);
        if let Some(again) = again.filter(|again| !known(again, &attempts, chosen)) {
            return Ok(judged(again));
        }
    }
    let hint = "GitHub may be slow: look at the App's page, under its recent deliveries";
    Ok(Check::warning("webhook", format!("a delivery that was sent again did not arrive within {wait} s"), hint))
}

/// Whether the attempt was there before it was asked for: attempts are listed newest first.
fn known(attempt: &AttemptFacts, attempts: &[AttemptFacts], chosen: &AttemptFacts) -> bool {
    let place = |id: u64| attempts.iter().position(|attempt| attempt.id == id);
    match (place(attempt.id), place(chosen.id)) {
        (Some(attempt), Some(chosen)) => attempt > chosen,
        (Some(_), None) | (None, _) => false,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is waited for is that GitHub has delivered, of which it does not tell"
)]
async fn pause() {
    tokio::time::sleep(EVERY).await;
}

fn judged(attempt: &AttemptFacts) -> Check {
    let event = &attempt.event;
    match attempt.status_code {
        200..=299 => Check::ok("webhook", format!("the gate let a `{event}` delivery in")),
        401 => Check::failed(
            "webhook",
            format!("the gate refused a `{event}` delivery: its signature is not made with the gate's secret"),
            "the secret at the App's page and the gate's differ: set both anew",
        ),
        code => Check::failed(
            "webhook",
            format!("a `{event}` delivery failed: {} ({code})", attempt.status),
            "is the URL the gate's, reachable from GitHub, and the gate up? GitHub waits for 10 s",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::{configured, judged};
    use crate::adapters::github::admin::{AttemptFacts, HookConfig};

    fn config(url: &str, kind: &str, secret: Option<&str>) -> HookConfig {
        HookConfig { url: Some(url.into()), content_type: Some(kind.into()), secret: secret.map(Into::into) }
    }

    #[test]
    fn a_webhook_without_a_url_a_secret_or_json_fails() {
        let outcome =
            |config: &HookConfig| configured(config).iter().map(|check| check.outcome).max_by_key(|o| *o as u8);
        assert_eq!(outcome(&config("https://x/", "json", Some("********"))), Some(Outcome::Ok));
        for wrong in [
            config("", "json", Some("********")),
            config("https://x/", "form", Some("********")),
            config("https://x/", "json", None),
            config("https://x/", "json", Some("")),
        ] {
            assert_eq!(outcome(&wrong), Some(Outcome::Failed), "{wrong:?}");
        }
    }

    #[test]
    fn only_a_delivery_that_was_let_in_is_well() {
        let attempt = |status_code| AttemptFacts {
            id: 1,
            guid: "g".into(),
            event: "ping".into(),
            status: "x".into(),
            status_code,
            delivered_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let outcome = |code| judged(&attempt(code)).outcome;
        assert_eq!([200, 202, 401, 404, 500, 502, 0].map(outcome), {
            use Outcome::{Failed, Ok};
            [Ok, Ok, Failed, Failed, Failed, Failed, Failed]
        });
        assert!(judged(&attempt(401)).text.contains("secret"));
    }
}
