//! The one integration test binary: a module for each subject.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]
#![expect(clippy::disallowed_methods, reason = "a test is an edge: it makes the files that it needs")]

mod accounts;
mod action;
mod audit_and_override;
#[cfg(feature = "aws")]
mod aws;
mod bounds;
mod bundle_command;
mod check;
mod circles;
mod command_line;
mod crash;
mod decide_cli;
mod decision_laws;
mod deliveries;
mod delivery_refusals;
mod delivery_variants;
mod dev_process;
mod diff_command;
mod diff_soundness;
mod docs;
mod doctor_command;
mod embedded_store;
mod explain_cli;
mod floors;
mod gate;
mod gate_world;
mod github_budget;
mod github_client;
mod github_exchanges;
mod github_facts;
mod github_failures;
mod github_peers;
mod github_publish;
mod github_setup;
mod github_simulator;
mod github_world;
mod init_command;
mod lifecycle_model;
mod lint;
mod lint_levels;
mod local_gate;
mod matrix_command;
mod pin_command;
mod policy_docs;
mod policy_tests;
mod prepared_policy;
mod protection;
mod published;
mod published_texts;
mod quota;
mod races;
mod release;
mod reminder_model;
mod reminders;
mod rounds;
mod rust_paths;
mod rust_tokens;
mod sarif;
mod schema;
mod signatures;
mod specimen;
mod state_machine;
mod store_contract;
mod sweep_time;
mod terraform_docs;
mod test_command;
mod test_files;
mod test_steps;
mod times;
mod webhook_door;
mod webhook_payloads;
mod webhook_schema;
mod words;
