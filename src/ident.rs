//! Identifiers, each a type with one fallible constructor. Knows their textual form, and nothing of what they identify.

mod secret;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use self::secret::{Secret, TaskToken};

/// A text that is not a valid identifier of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a {what}: expected {expected}")]
pub struct IdentError {
    /// The kind of identifier, in words.
    pub what: &'static str,
    /// The given text, truncated to 80 characters, without control characters.
    pub given: String,
    pub expected: &'static str,
}

impl IdentError {
    fn new(what: &'static str, given: &str, expected: &'static str) -> Self {
        let mut text: String = given.chars().take(80).map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect();
        if given.chars().nth(80).is_some() {
            text.push('…');
        }
        Self { what, given: text, expected }
    }
}

/// The start of a text, as a message quotes it: at most 60 printable characters.
pub(crate) fn quoted(text: &str) -> String {
    printable(text, 60)
}

/// The first `most` printable characters of a text.
pub(crate) fn printable(text: &str, most: usize) -> String {
    text.chars().filter(|c| !is_hidden(*c)).take(most).collect()
}

/// Whether a character controls a terminal, reorders text or has no width, so that a text with it is not what it seems.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Serde as text: writes what `Display` writes, and reads what `FromStr` reads.
macro_rules! serde_as_text {
    (read $name:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        $crate::ident::serde_as_text!(read $name);
    };
}
pub(crate) use serde_as_text;

/// Declares a newtype over text: constructor, `as_str`, `Display`, `FromStr`, and serde as the text.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, |$text:ident| $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Box<str>);

        // Decisions hold thousands of names, and this is cheaper than formatting each.
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
        serde_as_text!(read $name);

        impl $name {
            /// Errors if the text does not have the expected form.
            pub fn new($text: &str) -> Result<Self, IdentError> {
                let parsed: Option<Box<str>> = $parse;
                parsed.map(Self).ok_or_else(|| IdentError::new($what, $text, $expected))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdentError;
            fn from_str(text: &str) -> Result<Self, IdentError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

/// Equality, order and hash over the exact text.
macro_rules! exact {
    ($($name:ident),*) => {$(
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }
        impl Eq for $name {}
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.cmp(&other.0)
            }
        }
    )*};
}

/// Equality, order and hash without regard to ASCII case, as GitHub compares names.
macro_rules! caseless {
    ($($name:ident),*) => {$(
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                // Names of equal length are mostly written alike, so compare the bytes first.
                self.0.len() == other.0.len() && (self.0 == other.0 || self.0.eq_ignore_ascii_case(&other.0))
            }
        }
        impl Eq for $name {}
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                for byte in self.0.bytes() {
                    state.write_u8(byte.to_ascii_lowercase());
                }
                state.write_u8(0xff);
            }
        }
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                fn lower(text: &str) -> impl Iterator<Item = u8> {
                    text.bytes().map(|byte| byte.to_ascii_lowercase())
                }
                lower(&self.0).cmp(lower(&other.0))
            }
        }
    )*};
}

/// Whether `text` is a name of the policy language: `[A-Za-z0-9][A-Za-z0-9._/-]{0,127}`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= 128
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-'))
}

fn boxed_if(text: &str, valid: bool) -> Option<Box<str>> {
    valid.then(|| text.into())
}

/// Whether `text` can be an opaque identifier: 1 to `longest` bytes, without white space and control characters.
fn is_token(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.len() <= longest && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

text_newtype!(
    /// A deployed service, e.g. `checkout`, compared without case.
    ServiceName, "service name", "a letter or digit, then letters, digits, `.`, `_`, `/` or `-`, at most 128 characters",
    |text| boxed_if(text, is_name(text))
);
text_newtype!(
    /// An environment to deploy to, e.g. `production`, compared without case as on GitHub.
    EnvironmentName, "environment name", "a letter or digit, then letters, digits, `.`, `_`, `/` or `-`, at most 128 characters",
    |text| boxed_if(text, is_name(text))
);
text_newtype!(
    /// A notification channel of the policy.
    ChannelName, "channel name", "a letter or digit, then letters, digits, `.`, `_`, `/` or `-`, at most 128 characters",
    |text| boxed_if(text, is_name(text))
);
text_newtype!(
    /// A GitHub login, compared without case. A bot's login ends in `[bot]`.
    Login, "GitHub login", "a login without `@`, spaces or slashes",
    |text| boxed_if(text, is_token(text, 255) && !text.contains(['@', '/', '#']) && !text.chars().any(is_hidden))
);
text_newtype!(
    /// A GitHub team, `org/slug`. Kept in lower case, since GitHub ignores case.
    TeamSlug, "GitHub team", "`org/slug`",
    |text| {
        let valid = is_token(text, 255)
            && text.split_once('/').is_some_and(|(org, slug)| !org.is_empty() && !slug.is_empty() && !slug.contains('/'));
        valid.then(|| text.to_ascii_lowercase().into())
    }
);
text_newtype!(
    /// A GitHub repository, `owner/name`, compared without case.
    RepositoryName, "repository", "`owner/name`",
    |text| {
        let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        boxed_if(text, text.len() <= 255 && text.split_once('/').is_some_and(|(owner, name)| part(owner) && part(name)))
    }
);
text_newtype!(
    /// A commit, by its full hash. Policy tests may use any short text.
    Revision, "revision", "a commit hash",
    |text| boxed_if(text, is_token(text, 128))
);
text_newtype!(
    /// An approval request, `req-` and 32 hex digits. Derived from the execution, so a retry finds the same request.
    RequestId, "request id", "`req-` and 32 hex digits",
    |text| boxed_if(text, text.strip_prefix("req-").is_some_and(|hex| hex.len() == 32 && is_hex(hex)))
);
text_newtype!(
    /// A Step Functions execution, by its ARN. The local gate makes ARNs of the same form.
    ExecutionArn, "execution ARN", "an ARN without spaces, at most 512 characters",
    |text| boxed_if(text, is_token(text, 512))
);
text_newtype!(
    /// A webhook delivery, by its `X-GitHub-Delivery` header. A redelivery has the same id.
    DeliveryId, "delivery id", "the GUID of an `X-GitHub-Delivery` header",
    |text| boxed_if(text, text.len() <= 128 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
);
text_newtype!(
    /// The hash of a policy's canonical form: `sha256:` and 64 hex digits.
    PolicyDigest, "policy digest", "`sha256:` and 64 hex digits",
    |text| boxed_if(text, text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && is_hex(hex)))
);

exact!(ChannelName, TeamSlug, Revision, RequestId, ExecutionArn, DeliveryId, PolicyDigest);
caseless!(ServiceName, EnvironmentName, Login, RepositoryName);

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The SHA-256 of `bytes` in lower-case hex.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        hex
    })
}

impl PolicyDigest {
    /// Hashes a policy's canonical JSON.
    #[must_use]
    pub fn of(canonical: &[u8]) -> Self {
        Self(format!("sha256:{}", sha256_hex(canonical)).into())
    }
}

/// Hashes a policy's canonical JSON piece by piece. Writing never fails.
#[derive(Default)]
pub(crate) struct DigestWriter(Sha256);

impl DigestWriter {
    pub(crate) fn finish(self) -> PolicyDigest {
        PolicyDigest(format!("sha256:{}", hex(&self.0.finalize())).into())
    }
}

impl std::io::Write for DigestWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl RequestId {
    /// The id of the request that an execution opens in its `redrive`-th redrive. 0 is the first run. Step Functions
    /// allows the name of an execution, and so its ARN, again after 90 days; only the start tells the two apart.
    #[must_use]
    pub fn of(execution: &ExecutionArn, started_at: Timestamp, redrive: u32) -> Self {
        let started_at = started_at.as_millisecond();
        let hex = sha256_hex(format!("{execution}\n{started_at}\n{redrive}").as_bytes());
        Self(format!("req-{}", hex.get(..32).unwrap_or_default()).into())
    }
}

impl Revision {
    /// Whether this is a full commit hash, SHA-1 or SHA-256.
    #[must_use]
    pub fn is_full_hash(&self) -> bool {
        matches!(self.0.len(), 40 | 64) && self.0.bytes().all(|b| b.is_ascii_hexdigit())
    }

    /// The revision as a sentence names it: the first seven digits of a full hash, any other text unchanged.
    #[must_use]
    pub fn short(&self) -> &str {
        if self.is_full_hash() { self.0.get(..7).unwrap_or(&self.0) } else { &self.0 }
    }
}

impl Login {
    /// Whether the login has the form `name[bot]`, which only GitHub Apps have.
    #[must_use]
    pub fn is_bot(&self) -> bool {
        self.0.ends_with("[bot]")
    }
}

impl TeamSlug {
    /// `org` and `slug`.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or((&self.0, ""))
    }

    /// Whether the organization is this one. GitHub ignores case.
    #[must_use]
    pub fn is_of(&self, org: &str) -> bool {
        self.parts().0.eq_ignore_ascii_case(org)
    }
}

impl RepositoryName {
    /// `owner` and `name`.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or((&self.0, ""))
    }
}

/// A GitHub account's numeric id. It stays the same when the account is renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub u64);

impl UserId {
    /// GitHub's own account `web-flow`, which commits what is made on its pages: <https://api.github.com/users/web-flow>.
    pub const WEB_FLOW: Self = Self(19_864_447);

    /// The id used if only the login is known, as in policy tests: the first 48 bits of the SHA-256 of the lower-case
    /// login. Never 0.
    #[must_use]
    pub fn derived(login: &Login) -> Self {
        let hex = sha256_hex(login.as_str().to_ascii_lowercase().as_bytes());
        let bits = hex.get(..12).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default();
        Self(bits.max(1))
    }
}

/// A pull request review's numeric id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReviewId(pub u64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ReviewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A service in an environment, compared without case. Each rule of a policy is for one target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    pub service: ServiceName,
    pub environment: EnvironmentName,
}

impl Target {
    /// The one spelling in stored keys.
    #[must_use]
    pub fn key(&self) -> String {
        self.to_string().to_ascii_lowercase()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.environment)
    }
}

/// A pull request, written `owner/name#number`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PullRequestRef {
    pub repository: RepositoryName,
    /// At least 1.
    pub number: u64,
}

impl PullRequestRef {
    /// Accepts `owner/name#number`, or the URL of the pull request's page on GitHub or GitHub Enterprise Server.
    pub fn new(text: &str) -> Result<Self, IdentError> {
        let error = || IdentError::new("pull request", text, "`owner/name#number` or the URL of the pull request");
        let (repository, number) = match text.strip_prefix("https://") {
            Some(url) => {
                let (_host, path) = url.split_once('/').ok_or_else(error)?;
                let (repository, rest) = path.split_once("/pull/").ok_or_else(error)?;
                (repository, rest.split(['/', '?', '#']).next().unwrap_or_default())
            }
            None => text.split_once('#').ok_or_else(error)?,
        };
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let number = number.parse().ok().filter(|n| digits && *n > 0).ok_or_else(error)?;
        Ok(Self { repository: RepositoryName::new(repository).map_err(|_| error())?, number })
    }
}

impl fmt::Display for PullRequestRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repository, self.number)
    }
}

impl FromStr for PullRequestRef {
    type Err = IdentError;
    fn from_str(text: &str) -> Result<Self, IdentError> {
        Self::new(text)
    }
}

serde_as_text!(PullRequestRef);
