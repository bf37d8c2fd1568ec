//! Checks our calls and the simulator's answers with the code of others: GitHub's own API description through Prism, its
//! GraphQL schema through graphql-js, and packages for webhooks and for App authentication.
//!
//! They need Node and packages from npm. They are ignored unless `scripts/test-github` runs them, which reports what it
//! skips. See tests/github/README.md.

pub(crate) mod caller;
mod client;
mod description;
mod emulate;
mod graphql;
mod interface;
pub(crate) mod organization;
mod prism;
mod published;
mod recorded;
mod sabotage;
mod webhooks;
