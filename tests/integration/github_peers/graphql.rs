//! Checks queries and answers against GitHub's published GraphQL schema with graphql-js.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde::Serialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::organization::simulator;
use super::prism::node;
use crate::github_exchanges::serve;

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// The bodies of a call and its answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Exchange {
    pub(crate) sent: String,
    pub(crate) answered: String,
}

/// Whether this is GraphQL's path.
pub(crate) fn is_query(path: &str) -> bool {
    matches!(path, "/graphql" | "/api/graphql")
}

/// The faults of query files, and of queries with their answers.
pub(crate) fn faults(files: &[String], exchanges: &[Exchange]) -> Vec<String> {
    let script = Path::new(FOLDER).join("tests/github/graphql.mjs");
    let mut child = node(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Node starts");
    let given = json!({ "files": files, "exchanges": exchanges }).to_string();
    child.stdin.take().expect("stdin is a pipe").write_all(given.as_bytes()).expect("it is read");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "graphql.mjs fails");
    serde_json::from_slice(&output.stdout).expect("a list of faults")
}

/// The texts of all `.graphql` files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let of = |path: std::path::PathBuf| match path.extension() {
        _ if path.is_dir() => files(&path),
        Some(extension) if extension == "graphql" => vec![std::fs::read_to_string(path).expect("UTF-8")],
        Some(_) | None => Vec::new(),
    };
    entries.flat_map(of).collect()
}

/// A query of the simulator, by dave.
async fn asked(query: &str) -> Exchange {
    let served = serve(simulator().router()).await;
    let body = json!({ "query": query });
    let answer = Caller::new(&served.address, "dave").call("POST", "/graphql", &body).await;
    Exchange { sent: body.to_string(), answered: answer.body.to_string() }
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn every_query_that_the_client_can_send_fits_githubs_schema() {
    let files = files(&Path::new(FOLDER).join("src/adapters/github"));
    assert!(!files.is_empty(), "there are no queries");
    assert_eq!(faults(&files, &[]), Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn every_field_that_the_simulator_answers_is_one_of_githubs_schema() {
    let query = include_str!("../../github/everything.graphql");
    let exchange = asked(query).await;
    assert_eq!(faults(&[query.to_owned()], &[exchange]), Vec::<String>::new());
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn a_query_that_github_would_not_accept_is_found() {
    let wrong = [
        ("{ repository(owner: \"acme\") { name } }", "argument \"name\""),
        ("{ viewer { colour } }", "Cannot query field \"colour\""),
        ("query Q($a: Int!) { viewer { login } }", "Variable \"$a\" is never used"),
        ("{ viewer { ... on Bot { login } } }", "can never be of type \"Bot\""),
        ("{ viewer { login } } fragment f on User { login }", "the fragment f is not used"),
    ];
    for (query, why) in wrong {
        let found = faults(&[query.to_owned()], &[]);
        assert!(found.len() == 1 && found[0].contains(why), "{query}: {found:?}");
    }
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn an_answer_to_a_query_that_github_could_not_give_is_found() {
    let query = "{ repository(owner: \"acme\", name: \"checkout\") { pullRequest(number: 1) { number state createdAt
      fullDatabaseId title author { __typename login } commits(last: 1) { nodes { commit { oid } } } } } }";
    let right = asked(query).await;
    assert_eq!(faults(&[], std::slice::from_ref(&right)), Vec::<String>::new());
    let pull = "/data/repository/pullRequest";
    let wrong = [
        ("/number", json!("1")),
        ("/state", json!("open")),
        ("/title", Value::Null),
        ("/title", json!(1)),
        ("/createdAt", json!("yesterday")),
        ("/fullDatabaseId", json!(1)),
        ("/author/__typename", json!("Person")),
        ("/commits/nodes/0/commit/oid", json!("a1")),
        ("/commits/nodes", json!({})),
        ("", json!({})),
    ];
    for (pointer, value) in wrong {
        let mut answer: Value = serde_json::from_str(&right.answered).expect("JSON");
        *answer.pointer_mut(&format!("{pull}{pointer}")).expect("a field") = value;
        let found = faults(&[], &[Exchange { answered: answer.to_string(), ..right.clone() }]);
        assert!(!found.is_empty() && found[0].contains("could not give"), "{pointer}: {found:?}");
    }
    assert_eq!(faults(&[], &[Exchange { answered: "{}".to_owned(), ..right }]).len(), 1);
}
