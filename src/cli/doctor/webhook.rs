//! Checks the App's webhook: its URL, its signature, and that the gate accepts a delivery.

use std::io::IsTerminal as _;
use std::time::Duration;

use tokio::time::Instant;

use super::Check;
use crate::adapters::github::admin::{AttemptFacts, HookConfig};
use crate::adapters::github::client::{CallError, GithubClient};
use crate::cli::terminal;

/// The pause between two looks at the list of deliveries.
const PAUSE: Duration = Duration::from_secs(1);

/// `wait`: send a delivery again, and wait for it this many seconds. `None`: check the last delivery only.
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
        let hint = "set the gate's webhook URL and secret on the App's page";
        return vec![Check::failed("webhook", "the App has no webhook", hint)];
    };
    let mut checks = vec![Check::ok("webhook", format!("deliveries go to {url}"))];
    if config.secret.as_deref().unwrap_or_default().is_empty() {
        let hint = "set the same secret on the App's page and in the gate, which refuses unsigned deliveries";
        checks.push(Check::failed("webhook", "the webhook has no secret", hint));
    }
    if config.content_type.as_deref() != Some("json") {
        let kind = config.content_type.as_deref().unwrap_or("unknown");
        let hint = "set the content type to `application/json` on the App's page";
        checks.push(Check::failed("webhook", format!("deliveries are sent as `{kind}`, but must be `json`"), hint));
    }
    checks
}

/// Whether the gate accepted the newest delivery. With `wait`, GitHub sends a delivery again first.
async fn delivered(client: &GithubClient, wait: Option<u64>) -> Result<Check, CallError> {
    let attempts = client.newest_attempts().await?;
    // A ping changes nothing. The gate knows any other delivery by its id, and does not process it twice.
    let chosen = attempts.iter().find(|attempt| attempt.event == "ping").or_else(|| attempts.first());
    let Some(chosen) = chosen else {
        let hint =
            "open a pull request, or set the webhook's URL again so that GitHub sends a ping; then run doctor again";
        return Ok(Check::warning("webhook", "GitHub has delivered nothing for three days", hint));
    };
    let Some(wait) = wait else { return Ok(result(attempts.first().unwrap_or(chosen))) };
    client.send_again(chosen.id).await?;
    if std::io::stderr().is_terminal() {
        terminal::eprint("waiting for GitHub to send a delivery again\n");
    }
    let until = Instant::now().checked_add(Duration::from_secs(wait));
    let newest = chosen.id;
    while until.is_some_and(|until| Instant::now() < until) {
        pause().await;
        let attempts = client.newest_attempts().await?;
        let again = attempts.iter().find(|attempt| attempt.guid == chosen.guid && attempt.id != newest);
        if let Some(again) = again.filter(|again| !is_older(again, &attempts, chosen)) {
            return Ok(result(again));
        }
    }
    let hint = "GitHub may be slow: look at the recent deliveries on the App's page";
    Ok(Check::warning("webhook", format!("a delivery that was sent again did not arrive within {wait} s"), hint))
}

/// Whether the attempt is older than the chosen one. Relies on the list being sorted newest first.
fn is_older(attempt: &AttemptFacts, attempts: &[AttemptFacts], chosen: &AttemptFacts) -> bool {
    let place = |id: u64| attempts.iter().position(|attempt| attempt.id == id);
    match (place(attempt.id), place(chosen.id)) {
        (Some(attempt), Some(chosen)) => attempt > chosen,
        (Some(_), None) | (None, _) => false,
    }
}

#[expect(clippy::disallowed_methods, reason = "GitHub does not report when it has delivered, so its list is polled")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

fn result(attempt: &AttemptFacts) -> Check {
    let event = &attempt.event;
    match attempt.status_code {
        200..=299 => Check::ok("webhook", format!("the gate accepted a `{event}` delivery")),
        401 => Check::failed(
            "webhook",
            format!("the gate refused a `{event}` delivery, because it was not signed with the gate's secret"),
            "the secrets of the App and of the gate differ: set both to the same new one",
        ),
        code => Check::failed(
            "webhook",
            format!("a `{event}` delivery failed: {} ({code})", attempt.status),
            "check that the URL is the gate's and reachable from GitHub, and that the gate responds within 10 s",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::{configured, result};
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
    fn only_an_accepted_delivery_is_ok() {
        let attempt = |status_code| AttemptFacts {
            id: 1,
            guid: "g".into(),
            event: "ping".into(),
            status: "x".into(),
            status_code,
            delivered_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let outcome = |code| result(&attempt(code)).outcome;
        assert_eq!([200, 202, 401, 404, 500, 502, 0].map(outcome), {
            use Outcome::{Failed, Ok};
            [Ok, Ok, Failed, Failed, Failed, Failed, Failed]
        });
        assert!(result(&attempt(401)).text.contains("secret"));
    }
}
