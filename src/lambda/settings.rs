//! Reads a function's settings from the environment variables that Terraform sets, and reports all problems at once.

use std::collections::BTreeMap;
use std::fmt;

use jiff::SignedDuration;
use tracing::Level;

use crate::adapters::aws::connection::Given;
use crate::adapters::github::client::{GITHUB, web_url};
use crate::ident::{ChannelName, PolicyDigest};

/// Which of the functions it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Gate,
    Webhook,
    Sweep,
}

#[derive(Clone)]
pub struct Settings {
    /// `COUNTERSIGN_NAME`: the installation's name in metrics.
    pub name: String,
    /// `COUNTERSIGN_METRICS_NAMESPACE`. Default: `Countersign`.
    pub namespace: String,
    /// `COUNTERSIGN_LOG`: error, warn, info or debug. Default: info.
    pub log: Level,
    /// `COUNTERSIGN_TABLE`.
    pub table: String,
    /// `COUNTERSIGN_RETENTION_DAYS`: how long closed requests are kept, at least 120 days. Default: 365. What an
    /// execution may still need is kept for the longest life of an execution besides.
    pub retention: SignedDuration,
    /// `COUNTERSIGN_POLICY`: the file with the prepared policy.
    pub policy: String,
    /// `COUNTERSIGN_POLICY_DIGEST`: the digest of the installed policy.
    pub policy_digest: PolicyDigest,
    /// `COUNTERSIGN_TOPICS`: a JSON object from channels to the ARNs of their topics.
    pub topics: BTreeMap<ChannelName, String>,
    /// `COUNTERSIGN_GITHUB_URL`. Default: github.com's API.
    pub github_url: String,
    /// The URL of the pull requests' pages, derived from `github_url`.
    pub pages: String,
    /// `COUNTERSIGN_GITHUB_SECRET`: the ARN of the secret with the App's id and key, or a token.
    pub github_secret: String,
    /// `COUNTERSIGN_WEBHOOK_SECRET`: the ARN of the secret with the webhook's secrets. Only the webhook has it.
    pub webhook_secret: Option<String>,
    /// As Lambda sets it.
    pub aws: Given,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the function's settings cannot be used: {}", self.0.join("; "))
    }
}

/// The environment, and the problems found so far.
struct Reader<'e> {
    variable: &'e dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|text| !text.is_empty())
    }

    fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("`{name}` is missing"));
            String::new()
        })
    }

    /// Reads the text of a variable. A missing variable is empty, and has its problem already.
    fn read<T>(&mut self, name: &str, text: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        read(text).map_err(|problem| self.problems.push(format!("`{name}`: {problem}"))).ok()
    }
}

impl Settings {
    /// Reads the environment. The error names every variable that is missing or malformed.
    pub fn read(role: Role, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut env = Reader { variable, problems: Vec::new() };
        let [name, table, policy] =
            ["COUNTERSIGN_NAME", "COUNTERSIGN_TABLE", "COUNTERSIGN_POLICY"].map(|v| env.required(v));
        let digest = env.required("COUNTERSIGN_POLICY_DIGEST");
        let digest = env.read("COUNTERSIGN_POLICY_DIGEST", &digest, |text| {
            PolicyDigest::new(text).map_err(|error| error.to_string())
        });
        let topics = env.required("COUNTERSIGN_TOPICS");
        let topics = env.read("COUNTERSIGN_TOPICS", &topics, |text| {
            serde_json::from_str(text).map_err(|_| "expected a JSON object from channels to ARNs".to_owned())
        });
        let days = env.optional("COUNTERSIGN_RETENTION_DAYS").unwrap_or_else(|| "365".to_owned());
        let retention = env.read("COUNTERSIGN_RETENTION_DAYS", &days, days_of);
        let log = env.optional("COUNTERSIGN_LOG").unwrap_or_else(|| "info".to_owned());
        let log = env.read("COUNTERSIGN_LOG", &log, level_of);
        let github_url = env.optional("COUNTERSIGN_GITHUB_URL").unwrap_or_else(|| GITHUB.to_owned());
        let pages = env.read("COUNTERSIGN_GITHUB_URL", &github_url, web_url);
        let github_secret = env.required("COUNTERSIGN_GITHUB_SECRET");
        let webhook_secret = (role == Role::Webhook).then(|| env.required("COUNTERSIGN_WEBHOOK_SECRET"));
        let aws = aws(&mut env);
        let namespace = env.optional("COUNTERSIGN_METRICS_NAMESPACE").unwrap_or_else(|| "Countersign".to_owned());
        match (digest, topics, retention, log, pages) {
            (Some(policy_digest), Some(topics), Some(retention), Some(log), Some(pages)) if env.problems.is_empty() => {
                Ok(Self {
                    name,
                    namespace,
                    log,
                    table,
                    retention,
                    policy,
                    policy_digest,
                    topics,
                    github_url,
                    pages,
                    github_secret,
                    webhook_secret,
                    aws,
                })
            }
            _ => Err(Problems(env.problems)),
        }
    }
}

/// The variables that Lambda itself sets:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>.
fn aws(env: &mut Reader<'_>) -> Given {
    Given {
        region: env.required("AWS_REGION"),
        access_key_id: env.required("AWS_ACCESS_KEY_ID"),
        secret_access_key: env.required("AWS_SECRET_ACCESS_KEY"),
        session_token: env.optional("AWS_SESSION_TOKEN"),
        endpoint_url: env.optional("AWS_ENDPOINT_URL"),
    }
}

fn days_of(text: &str) -> Result<SignedDuration, String> {
    let days = text.parse::<i64>().ok().filter(|days| (120..=36_500).contains(days));
    days.map(|days| SignedDuration::from_hours(24 * days))
        .ok_or_else(|| format!("expected a number of days from 120 to 36500, got `{text}`"))
}

fn level_of(text: &str) -> Result<Level, String> {
    let level = text.parse().ok().filter(|level| *level <= Level::DEBUG);
    level.ok_or_else(|| format!("expected error, warn, info or debug, got `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [(&str, &str); 10] = [
        ("COUNTERSIGN_NAME", "approvals"),
        ("COUNTERSIGN_TABLE", "approvals"),
        ("COUNTERSIGN_POLICY", "/opt/countersign/policy.json"),
        ("COUNTERSIGN_POLICY_DIGEST", "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("COUNTERSIGN_TOPICS", r#"{"payments":"arn:aws:sns:eu-central-1:1:approvals-payments"}"#),
        ("COUNTERSIGN_GITHUB_SECRET", "arn:aws:secretsmanager:eu-central-1:1:secret:github"),
        ("COUNTERSIGN_WEBHOOK_SECRET", "arn:aws:secretsmanager:eu-central-1:1:secret:webhook"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("AWS_SECRET_ACCESS_KEY", "hush"),
    ];

    fn read(role: Role, changed: &[(&str, &str)]) -> Result<Settings, Problems> {
        let changed: BTreeMap<&str, &str> = WHOLE.into_iter().chain(changed.iter().copied()).collect();
        Settings::read(role, &|name| changed.get(name).map(|&text| text.to_owned()))
    }

    #[test]
    fn a_missing_variable_has_its_default() {
        let settings = read(Role::Webhook, &[]).ok().unwrap();
        assert_eq!((settings.github_url.as_str(), settings.pages.as_str()), (GITHUB, "https://github.com"));
        assert_eq!((settings.log, settings.namespace.as_str()), (Level::INFO, "Countersign"));
        assert_eq!(settings.retention, SignedDuration::from_hours(365 * 24));
        assert!(settings.webhook_secret.is_some() && settings.aws.endpoint_url.is_none());
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_variable_and_no_secret_is_repeated() {
        let Err(problems) = read(
            Role::Webhook,
            &[
                ("COUNTERSIGN_TABLE", ""),
                ("COUNTERSIGN_POLICY_DIGEST", "sha256:short"),
                ("COUNTERSIGN_TOPICS", "[]"),
                ("COUNTERSIGN_RETENTION_DAYS", "119"),
                ("COUNTERSIGN_LOG", "loud"),
                ("COUNTERSIGN_GITHUB_URL", "http://github.example.com"),
                ("COUNTERSIGN_WEBHOOK_SECRET", ""),
                ("AWS_REGION", ""),
            ],
        ) else {
            panic!("taken")
        };
        let reported: Vec<&str> = problems.0.iter().filter_map(|problem| problem.split('`').nth(1)).collect();
        let expected = [
            "COUNTERSIGN_TABLE",
            "COUNTERSIGN_POLICY_DIGEST",
            "COUNTERSIGN_TOPICS",
            "COUNTERSIGN_RETENTION_DAYS",
            "COUNTERSIGN_LOG",
            "COUNTERSIGN_GITHUB_URL",
            "COUNTERSIGN_WEBHOOK_SECRET",
            "AWS_REGION",
        ];
        assert_eq!(reported, expected, "{problems}");
        assert!(!problems.to_string().contains("hush"));
    }

    #[test]
    fn only_the_webhook_needs_the_webhooks_secret() {
        for role in [Role::Gate, Role::Sweep] {
            let settings = read(role, &[("COUNTERSIGN_WEBHOOK_SECRET", "")]).ok().unwrap();
            assert_eq!(settings.webhook_secret, None);
        }
    }
}
