//! The three functions over the embedded ports, with the events of the state machine, the HTTP API and EventBridge.

mod gate;
mod metrics;
mod sweep;
mod webhook;

use std::sync::{Arc, Mutex, PoisonError};

use countersign::adapters::aws::secrets::Secrets;
use countersign::app::App;
use countersign::lambda::github::Github;
use countersign::lambda::installation::Installation;
use countersign::lambda::keys::WebhookKeys;
use countersign::lambda::telemetry::Meter;
use serde_json::Value;

use super::cloud::connection;
use crate::gate_world::GateWorld;

/// The lines of metrics that were written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn meter(&self) -> Meter {
        let lines = self.clone();
        let out = move |line: &str| lines.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
        Meter::new("Countersign", "approvals", Arc::new(out))
    }

    fn read(&self) -> Vec<Value> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// The values of a metric, in order.
    fn of(&self, metric: &str) -> Vec<i64> {
        self.read().iter().filter_map(|line| line[metric].as_i64()).collect()
    }
}

/// A function over the world's ports, with its secrets at this address.
fn installation(world: &GateWorld, app: App, lines: &Lines, secrets: &str) -> Installation {
    installation_beside(world, app, lines, (secrets, NOWHERE))
}

/// The same, with a GitHub of its own at the second address.
fn installation_beside(world: &GateWorld, app: App, lines: &Lines, (secrets, github): (&str, &str)) -> Installation {
    let secrets = || Secrets::new(connection(secrets));
    let github = Github::new(secrets(), "arn:github".to_owned(), github.to_owned(), app.clock.clone());
    Installation {
        app,
        desk: Arc::new(world.host.clone()),
        meter: lines.meter(),
        keys: Some(WebhookKeys::new(secrets(), "arn:webhook".to_owned())),
        github: Arc::new(github),
    }
}

const NOWHERE: &str = "http://127.0.0.1:9";
