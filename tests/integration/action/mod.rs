//! The action for policy repositories: its scripts run as a runner runs them, against a GitHub of a few endpoints.
//!
//! The scripts need bash, git, curl and jq, as they stand on GitHub's runners.

mod comment;
mod files;
mod github;
mod review;
mod world;
