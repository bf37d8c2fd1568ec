//! A policy repository with a pull request, and a runner for the action's scripts on its test merge.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::github::{Github, TOKEN};

pub(super) const TWO: &str = "2 of payments";
pub(super) const ONE: &str = "1 of payments";
pub(super) const LABEL: &str = "policy-loosening-approved";

/// A policy with one rule.
pub(super) fn policy(require: &str) -> String {
    format!(
        "version: 1\n\
         groups:\n  payments: {{ users: [pia, pat, sam] }}\n\
         channels:\n  payments: {{ email: [payments@acme.example] }}\n\
         services:\n  checkout:\n    repository: acme/checkout\n    notify: [payments]\n    environments:\n      \
         production: {{ require: {require} }}\n"
    )
}

/// A policy test that passes with `ONE` and with `TWO`.
const TEST: &str = "cases:\n  - name: nobody is not enough\n    given: { service: checkout, environment: production }\n    \
                    expect: { verdict: pending }\n";

#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) log: String,
}

pub(super) struct World {
    folder: TempDir,
    pub(super) github: Github,
    pub(super) event: Value,
    pub(super) event_name: &'static str,
    /// Further environment variables.
    pub(super) given: Vec<(&'static str, String)>,
}

impl World {
    /// The pull request changes the policy `base` to `head`.
    pub(super) fn new(base: Option<&str>, head: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        for name in ["checkout", "temp", "home"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let mut world =
            Self { folder, github: Github::start(), event: Value::Null, event_name: "pull_request", given: Vec::new() };
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        world.write("README.md", "who approves what\n");
        if let Some(base) = base {
            world.write("policies/policy.yaml", base);
            world.write("policies/policy.test.yaml", TEST);
        }
        world.commit("base");
        world.git(&["checkout", "--quiet", "-b", "change"]);
        world.write("policies/policy.yaml", head);
        world.write("policies/policy.test.yaml", TEST);
        world.write("change.txt", "something changes\n");
        world.commit("change");
        let head = world.git(&["rev-parse", "HEAD"]);
        world.git(&["checkout", "--quiet", "main"]);
        let base = world.git(&["rev-parse", "HEAD"]);
        // The test merge that GitHub creates.
        world.git(&["merge", "--quiet", "--no-ff", "-m", "test merge", "change"]);
        world.event = json!({
            "action": "opened",
            "pull_request": {
                "number": 7, "title": "change", "labels": [],
                "head": { "sha": head, "ref": "change" }, "base": { "sha": base, "ref": "main" },
            },
        });
        world
    }

    /// A pull request from two approvals to one.
    pub(super) fn looser() -> Self {
        Self::new(Some(&policy(TWO)), &policy(ONE))
    }

    /// A pull request from one approval to two.
    pub(super) fn stricter() -> Self {
        Self::new(Some(&policy(ONE)), &policy(TWO))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path("checkout").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        let mut command = self.command("git");
        let output = command.args(arguments).output().expect("the tests of the action need `git`");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    pub(super) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "-m", message]);
    }

    /// Sets a label, in the payload and on GitHub.
    pub(super) fn label(&mut self, label: &str) {
        self.event["pull_request"]["labels"] = json!([{ "name": label }]);
        self.github.set(|stage| stage.labels = vec![label.to_owned()]);
    }

    /// A command in the checkout. Of our own environment it gets `PATH` only.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path("checkout")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.path("home"));
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "dave").env(format!("GIT_{who}_EMAIL"), "dave@acme.example");
        }
        command
    }

    /// Runs one script of the action.
    pub(super) fn run(&self, script: &str, arguments: &[&str]) -> Ran {
        let event = self.path("temp").join("event.json");
        fs::write(&event, self.event.to_string()).expect("the payload");
        let action = Path::new(env!("CARGO_MANIFEST_DIR")).join("action");
        let mut command = self.command("bash");
        command.arg(action.join(script)).args(arguments);
        command.env("COUNTERSIGN_BIN", env!("CARGO_BIN_EXE_countersign"));
        command.env("INPUT_POLICY", "policies").env("INPUT_LABEL", LABEL).env("INPUT_TOKEN", TOKEN);
        command.env("RUNNER_TEMP", self.path("temp")).env("GITHUB_EVENT_PATH", event);
        command.env("GITHUB_EVENT_NAME", self.event_name).env("GITHUB_API_URL", &self.github.url);
        command.env("GITHUB_REPOSITORY", "acme/policy").env("GITHUB_STEP_SUMMARY", self.path("summary.md"));
        command.env("GITHUB_OUTPUT", self.path("output"));
        command.envs(self.given.iter().map(|(key, value)| (key, value)));
        let output = command.output().expect("the tests of the action need `bash`");
        let log = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!log.contains("command not found"), "the tests of the action need curl and jq: {log}");
        Ran { code: output.status.code(), log }
    }

    /// Runs the action's steps in order, and stops at the first failure.
    pub(super) fn act(&self) -> Ran {
        let mut log = String::new();
        for script in ["review.sh", "comment.sh", "verdict.sh"] {
            let ran = self.run(script, &[]);
            log.push_str(&ran.log);
            if ran.code != Some(0) {
                return Ran { code: ran.code, log };
            }
        }
        Ran { code: Some(0), log }
    }

    pub(super) fn summary(&self) -> String {
        fs::read_to_string(self.path("summary.md")).expect("there is a summary")
    }
}
