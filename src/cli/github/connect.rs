//! How `doctor` and `pin` reach GitHub: as an App, with its key from a file, or with a token from the environment.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::adapters::embedded::clock::MovableClock;
use crate::adapters::github::client::{GITHUB, GithubClient, GithubSettings, GivenSettings};
use crate::cli::failure::Failure;

/// Where a token is looked for, in this order.
const TOKENS: [&str; 2] = ["GITHUB_TOKEN", "GH_TOKEN"];
/// More than any key.
const LONGEST_KEY: u64 = 64 << 10;

/// Where GitHub is, and who asks.
#[derive(Debug, Clone, clap::Args)]
pub struct ConnectArgs {
    /// The API's URL, as `https://host/api/v3` of a GitHub Enterprise Server.
    #[arg(long, value_name = "URL", default_value = GITHUB)]
    pub base_url: String,
    /// The App's numeric id [default: a token from GITHUB_TOKEN or GH_TOKEN instead of an App].
    #[arg(long, value_name = "ID", requires = "private_key")]
    pub app_id: Option<String>,
    /// The file with the App's private key; `-` reads it from the input.
    #[arg(long, value_name = "FILE", requires = "app_id")]
    pub private_key: Option<PathBuf>,
}

impl ConnectArgs {
    /// Whether the App itself asks.
    pub(in crate::cli) const fn as_app(&self) -> bool {
        self.app_id.is_some()
    }

    /// A client. To be called within the runtime.
    ///
    /// # Errors
    /// The key cannot be read, there is neither a key nor a token, or they are malformed.
    pub(in crate::cli) fn client(&self) -> anyhow::Result<GithubClient> {
        let key = self.private_key.as_deref().map(read_key).transpose()?;
        let token = if self.as_app() { None } else { token() };
        if !self.as_app() && token.is_none() {
            let hint = "give the App: `--app-id ID --private-key FILE`; or a token in the variable GITHUB_TOKEN";
            return Err(Failure::new("no-credentials", "there is nothing to ask GitHub with").hint(hint).into());
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
    // What the system says holds nothing of the file.
    read.map_err(|error| {
        Failure::new("key-unreadable", format!("the private key `{}` cannot be read: {error}", path.display()))
    })?;
    Ok(key)
}
