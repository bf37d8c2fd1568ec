//! What we send and what the stand-in answers, held against other people's code: GitHub's own description through
//! Prism, and the packages that others use for webhooks and for App authentication.
//!
//! They need Node and packages from npm, so that they are ignored unless `scripts/test-github` runs them, which finds
//! both or says what is skipped. See tests/github/README.md.

pub(crate) mod caller;
mod client;
mod description;
mod emulate;
mod interface;
mod prism;
mod published;
mod recorded;
mod sabotage;
mod webhooks;
pub(crate) mod world;
