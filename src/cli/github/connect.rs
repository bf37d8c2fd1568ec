//! The options with which `doctor` and `pin` reach GitHub: an App and its key, or a token from the environment.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::adapters::embedded::clock::MovableClock;
use crate::adapters::github::client::{GITHUB, GithubClient, GithubSettings, GivenSettings};
use crate::cli::failure::Failure;

/// The variables that may hold a token. The first one wins.
const TOKENS: [&str; 2] = ["GITHUB_TOKEN", "GH_TOKEN"];
/// In bytes. Longer than any key.
const LONGEST_KEY: u64 = 64 << 10;

#[derive(Debug, Clone, clap::Args)]
pub struct ConnectArgs {
    /// The URL of GitHub's API. For GitHub Enterprise Server, `https://HOST/api/v3`.
    #[arg(long, value_name = "URL", default_value = GITHUB)]
    pub base_url: String,
    /// The App's numeric id [default: no App; use the token in GITHUB_TOKEN or GH_TOKEN].
    #[arg(long, value_name = "ID", requires = "private_key")]
    pub app_id: Option<String>,
    /// The file with the App's private key, or `-` for stdin.
    #[arg(long, value_name = "FILE", requires = "app_id")]
    pub private_key: Option<PathBuf>,
}

impl ConnectArgs {
    /// Whether to authenticate as the App instead of with a token.
    pub(in crate::cli) const fn as_app(&self) -> bool {
        self.app_id.is_some()
    }

    /// Must be called within the async runtime.
    pub(in crate::cli) fn client(&self) -> anyhow::Result<GithubClient> {
        let key = self.private_key.as_deref().map(read_key).transpose()?;
        let token = if self.as_app() { None } else { token() };
        if !self.as_app() && token.is_none() {
            let hint = "name the App with `--app-id ID --private-key FILE`, or set GITHUB_TOKEN to a token";
            return Err(Failure::new("no-credentials", "there are no credentials for GitHub").hint(hint).into());
        }
        let given = GivenSettings {
            base_url: Some(&self.base_url),
            app_id: self.app_id.as_deref(),
            private_key: key.as_deref(),
            installation_id: None,
            token: token.as_deref(),
        };
        let settings =
            GithubSettings::read(given).map_err(|error| Failure::new("github-settings", error.to_string()))?;
        Ok(GithubClient::new(settings, Arc::new(MovableClock::real()))?)
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is the edge at which the environment is read")]
fn token() -> Option<String> {
    TOKENS.iter().filter_map(|variable| std::env::var(variable).ok()).find(|token| !token.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the command line is the edge at which files are read")]
fn read_key(path: &Path) -> Result<String, Failure> {
    let mut key = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(LONGEST_KEY).read_to_string(&mut key)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LONGEST_KEY).read_to_string(&mut key))
    };
    // The system's error does not quote the file's content.
    read.map_err(|error| {
        Failure::new("key-unreadable", format!("cannot read the private key `{}`: {error}", path.display()))
    })?;
    Ok(key)
}
