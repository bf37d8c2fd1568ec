//! Checks the exchanges of the rest of the suite with the simulator against GitHub's own API description.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::graphql;
use super::prism::Inspected;
use crate::github_exchanges::{Exchange, recorded};

/// The number of the exchange that a call repeats.
const REPEATS: &str = "x-repeats";

/// Repeats every exchange with its recorded answer, and returns the problems.
pub(crate) async fn check(exchanges: Vec<Exchange>) -> Vec<String> {
    let exchanges = Arc::new(exchanges);
    let by_number = Arc::clone(&exchanges);
    let answer = move |headers: HeaderMap| {
        let number: usize = headers[REPEATS].to_str().expect("it is ASCII").parse().expect("a number");
        let exchange = &by_number[number];
        let answer = exchange
            .headers
            .iter()
            .fold(Response::builder().status(exchange.status), |answer, (name, value)| answer.header(name, value));
        std::future::ready(answer.body(Body::from(exchange.answered.clone())).expect("an answer"))
    };
    let github = Inspected::new(Router::new().fallback(answer)).await;
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    for (number, exchange) in exchanges.iter().enumerate() {
        let uri = format!("{}{}", github.address, exchange.path);
        let call = Request::builder().method(exchange.method.as_str()).uri(uri).header(REPEATS, number);
        let call = exchange.sent_headers.iter().fold(call, |call, (name, value)| call.header(name, value));
        let call = call.body(Full::new(Bytes::from(exchange.sent.clone()))).expect("a call");
        client.request(call).await.expect("an answer");
    }
    github.faults().await
}

#[tokio::test]
#[ignore = "needs Node and packages from npm: scripts/test-github"]
async fn every_exchange_of_the_suite_is_one_that_github_describes() {
    let exchanges = recorded();
    assert!(exchanges.len() > 200, "only {} exchanges were recorded", exchanges.len());
    let (queries, calls): (Vec<Exchange>, Vec<Exchange>) =
        exchanges.into_iter().partition(|exchange| graphql::is_query(&exchange.path));
    let mut faults = check(calls).await;
    let queries = queries.into_iter().filter(|exchange| exchange.status == 200);
    let queries: Vec<graphql::Exchange> =
        queries.map(|Exchange { sent, answered, .. }| graphql::Exchange { sent, answered }).collect();
    faults.extend(graphql::faults(&[], &queries));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
