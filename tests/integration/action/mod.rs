//! The action for policy repositories. Its scripts run as on a runner, against a GitHub server of a few endpoints.
//!
//! The scripts need bash, git, curl and jq, which GitHub's runners have.

mod comment;
mod files;
mod github;
mod review;
mod world;
