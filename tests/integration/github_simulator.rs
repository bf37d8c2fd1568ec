//! The simulator on a port, for commands that call GitHub, with a policy that names its people.

use countersign::adapters::embedded::clock::MovableClock;
use countersign::adapters::embedded::simulator::GithubSimulator;
use countersign::adapters::embedded::simulator::change::{NewAccount, NewApp, NewMember, NewRepository, NewTeam};
use countersign::adapters::embedded::simulator::world::{AccountType, Switches};
use countersign::ident::{Login, RepositoryName, TeamSlug, UserId};
use tempfile::TempDir;

use crate::command_line::{Countersign, Ran};
use crate::github_exchanges::{Served, serve_simulator};
use crate::github_world::APP_PUBLIC_KEY;

pub(crate) const POLICY: &str = r#"version: 1
# dana leads the payments team
groups:
  payments: { teams: [acme/payments] }   # who builds it
  security:
    users: [dana, "Lee", 'renovate[bot]']   # dana first
channels: { oncall: { email: [oncall@acme.example] } }
services:
  checkout:
    repository: acme/checkout
    environments:
      production: { require: { all_of: [2 of payments, '1 of security, "@dave"'] }, timeout: 4h, notify: [oncall] }
"#;

/// The simulator, and the folder of the policy.
pub(crate) struct SimulatedGithub {
    pub(crate) host: GithubSimulator,
    pub(crate) served: Served,
    pub(crate) policy: TempDir,
}

pub(crate) fn login(text: &str) -> Login {
    Login::new(text).expect("a login")
}

impl SimulatedGithub {
    pub(crate) async fn new() -> Self {
        let host = GithubSimulator::in_memory(std::sync::Arc::new(MovableClock::real())).expect("a simulator");
        host.change(|change| {
            change.set_app(&NewApp { slug: "countersign".into(), public_key: APP_PUBLIC_KEY.into() })?;
            for (name, id) in [("dana", 583_231), ("lee", 102), ("dave", 103), ("pia", 104), ("pat", 105)] {
                change.create_account(&NewAccount {
                    login: login(name),
                    id: Some(UserId(id)),
                    kind: AccountType::User,
                })?;
            }
            let bot = login("renovate[bot]");
            change.create_account(&NewAccount { login: bot, id: Some(UserId(29_139_614)), kind: AccountType::Bot })?;
            let member = |name| NewMember { login: login(name), state: Default::default() };
            let team = TeamSlug::new("acme/payments").expect("a team");
            let members = vec![member("pia"), member("pat")];
            change.create_team(&NewTeam { team, name: None, parent: None, members })?;
            let name = RepositoryName::new("acme/checkout").expect("a repository");
            change.create_repository(&NewRepository { name, default_branch: None, switches: Switches::default() })
        })
        .expect("it is set up");
        let served = serve_simulator(&host).await;
        let policy = tempfile::tempdir().expect("a folder");
        std::fs::write(policy.path().join("policy.yaml"), POLICY).expect("the policy is written");
        Self { host, served, policy }
    }

    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(self.policy.path().join("policy.yaml")).expect("the policy is there")
    }

    pub(crate) fn rewrite(&self, from: &str, to: &str) {
        let text = self.text();
        assert!(text.contains(from), "{from}");
        std::fs::write(self.policy.path().join("policy.yaml"), text.replace(from, to)).expect("the policy is written");
    }

    /// Runs a command that calls the simulator with a token.
    pub(crate) async fn run(&self, words: &str) -> Ran {
        self.run_as(Countersign::new(words).env("GITHUB_TOKEN", "standin_dave")).await
    }

    /// Runs a command that calls the simulator as the App, or with another key.
    pub(crate) async fn run_as_app(&self, words: &str, key: &str) -> Ran {
        self.run_as(Countersign::new(words).arg("--app-id").arg("1").arg("--private-key").arg("-").stdin(key)).await
    }

    /// Runs a command that calls the simulator.
    pub(crate) async fn run_as(&self, command: Countersign) -> Ran {
        let command = command.arg("--base-url").arg(&self.served.address).arg("--policy").arg(self.policy.path());
        // The transport's threads reserve address space that they do not use.
        let command = command.memory_kib(2_000_000);
        tokio::task::spawn_blocking(move || command.run()).await.expect("the command ends")
    }
}
