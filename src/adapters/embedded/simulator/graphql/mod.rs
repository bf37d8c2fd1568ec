//! GitHub's GraphQL interface, for reading what the gate reads.
//!
//! | part | |
//! |---|---|
//! | `parse` | the query language |
//! | `schema` | the part of GitHub's schema that is answered, and GitHub's checks and limits |
//! | `answer` | selects what a query asks for, with pages of lists |
//! | `objects`, `fields` | GitHub's types |

mod answer;
mod fields;
mod objects;
mod parse;
mod schema;

use axum::body::Bytes;
use axum::extract::Extension;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::answer::Answer;
use self::fields::Reader;
use self::objects::Object;
use self::parse::{Document, Operation};
#[cfg(test)]
pub(super) use self::schema::everything;
use self::schema::{Checked, Query};
use super::access::Allowance;
use super::refusal::Refusal;
use super::rest::{Call, answer as respond, parse as body_of};

/// The points that a query costs, for the rate limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Points(pub(super) u64);

/// Why a query is not answered, or a part of it.
#[derive(Debug)]
struct Fault {
    /// GitHub's word: of its schema's checks in camel case, of others in capitals.
    code: &'static str,
    message: String,
    /// Keys, and places in lists.
    path: Vec<Value>,
}

impl Fault {
    fn shape(&self) -> Value {
        let Self { code, message, path } = self;
        if code.starts_with(|c: char| c.is_ascii_uppercase()) {
            json!({ "type": code, "path": path, "message": message })
        } else {
            json!({ "path": path, "extensions": { "code": code }, "message": message })
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    query: String,
    variables: Option<Map<String, Value>>,
    operation_name: Option<String>,
}

/// `POST /graphql` `{query, variables?, operationName?}`. As on GitHub, a query that is refused is answered with 200.
pub(super) async fn query(
    Extension(allowance): Extension<Allowance>,
    call: Call,
    body: Bytes,
) -> Result<Response, Refusal> {
    let request: Request = body_of(&body)?;
    let (body, points) = match answered(&call, allowance, &request) {
        Ok((answer, points)) => (answer, points),
        Err(fault) => (json!({ "errors": [fault.shape()] }), 1),
    };
    let mut response = respond(StatusCode::OK, &body);
    response.extensions_mut().insert(Points(points));
    Ok(response)
}

fn answered(call: &Call, allowance: Allowance, request: &Request) -> Result<(Value, u64), Fault> {
    let unreadable = |message| Fault { code: "parseError", message, path: Vec::new() };
    let document = parse::parse(&request.query).map_err(unreadable)?;
    let operation = operation(&document, request.operation_name.as_deref())?;
    let variables = variables(operation, request.variables.as_ref())?;
    let query = Query { document: &document, variables: &variables };
    let checked = Checked::new(query, operation.name.as_deref(), &operation.selections)?;
    let reader = Reader { world: &call.world, by: call.by.id, allowance, cost: checked.cost(), nodes: checked.nodes };
    let mut answer = Answer::new(query, &reader);
    let data = answer.select(&Object::Query, "Query", &[&operation.selections])?;
    let errors: Vec<Value> = answer.errors().iter().map(Fault::shape).collect();
    let body = if errors.is_empty() { json!({ "data": data }) } else { json!({ "data": data, "errors": errors }) };
    Ok((body, checked.cost()))
}

fn operation<'d>(document: &'d Document, name: Option<&str>) -> Result<&'d Operation, Fault> {
    let found = match (name, document.operations.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(_), all) => all.iter().find(|operation| operation.name.as_deref() == name),
    };
    let message = "An operation name is required, and must name an operation of the query".to_owned();
    found.ok_or(Fault { code: "operationNotFound", message, path: Vec::new() })
}

/// A value for every declared variable. Null if it is neither given nor has a default.
fn variables(operation: &Operation, given: Option<&Map<String, Value>>) -> Result<Map<String, Value>, Fault> {
    let mut variables = Map::new();
    for variable in &operation.variables {
        let given = given.and_then(|given| given.get(&variable.name)).cloned();
        let none = Map::new();
        let constants = Query { document: &Document::default(), variables: &none };
        let value = given.or_else(|| constants.value(variable.default.as_ref()?)).unwrap_or_default();
        if value.is_null() && variable.required {
            let message = format!("Variable ${} was provided invalid value", variable.name);
            return Err(Fault { code: "variableInvalid", message, path: Vec::new() });
        }
        variables.insert(variable.name.clone(), value);
    }
    Ok(variables)
}
