//! Cedar. It cannot count, so the host counts the approvals and the policies compare. It has no regular expressions, so
//! they are replaced by the names that they match.

use std::collections::HashSet;
use std::fmt::Write as _;

use cedar_policy::{Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request};
use serde_json::{Map, json};

use crate::engine::Engine;
use crate::scan::Given;
use crate::task::{ENVIRONMENT, Key, OF_LISTED, OF_TEAM, Query, Task};

/// How the policies find the rule of a service.
#[derive(Clone, Copy)]
pub enum Form {
    /// One policy for each requirement, with its services as children, and one for each glob.
    Keyed,
    /// One policy for each rule.
    Listed,
}

pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    requests: Vec<Request>,
}

impl Cedar {
    pub fn new(task: &Task, form: Form) -> Self {
        let (text, entities) = match form {
            Form::Keyed => keyed(task),
            Form::Listed => (listed(task), Entities::empty()),
        };
        let requests = task.queries.iter().map(|query| request(task, query)).collect();
        Self { authorizer: Authorizer::new(), policies: text.parse().unwrap(), entities, requests }
    }
}

impl Engine for Cedar {
    fn approved(&mut self, query: usize) -> bool {
        let response = self.authorizer.is_authorized(&self.requests[query], &self.policies, &self.entities);
        response.decision() == Decision::Allow
    }
}

fn request(task: &Task, query: &Query) -> Request {
    let mut context = Map::from_iter([("service".to_owned(), json!(query.service))]);
    for (at, _) in task.numbered() {
        let given = Given::count(task, query, at);
        context.insert(format!("team{at}"), json!(given.team));
        context.insert(format!("listed{at}"), json!(given.listed));
        context.insert(format!("either{at}"), json!(given.either));
    }
    let context = Context::from_json_value(context.into(), None).unwrap();
    let action = uid("Action", query.environment);
    Request::new(uid("User", &query.author), action, uid("Service", &query.service), context, None).unwrap()
}

fn listed(task: &Task) -> String {
    task.rules.iter().fold(String::new(), |mut text, rule| {
        let enough = enough(rule.body);
        let action = format!("action == Action::\"{ENVIRONMENT}\"");
        match &rule.key {
            Key::Exact(name) => {
                writeln!(text, "permit(principal, {action}, resource == Service::\"{name}\") when {{ {enough} }};")
            }
            Key::Glob(prefix) => writeln!(text, "{}", by_glob(prefix, rule.body)),
            Key::Regex(_, [one, two]) => writeln!(
                text,
                "permit(principal, {action}, resource) when \
                 {{ (resource == Service::\"{one}\" || resource == Service::\"{two}\") && {enough} }};"
            ),
        }
        .unwrap();
        text
    })
}

fn keyed(task: &Task) -> (String, Entities) {
    let (mut text, mut entities) = (String::new(), Vec::new());
    for (body, _) in task.numbered() {
        let enough = enough(body);
        writeln!(
            text,
            "permit(principal, action == Action::\"{ENVIRONMENT}\", resource in Body::\"{body}\") when {{ {enough} }};"
        )
        .unwrap();
    }
    for rule in &task.rules {
        let mut service = |name: &str| {
            let body = HashSet::from([uid("Body", &rule.body.to_string())]);
            entities.push(Entity::new_no_attrs(uid("Service", name), body));
        };
        match &rule.key {
            Key::Exact(name) => service(name),
            Key::Glob(prefix) => writeln!(text, "{}", by_glob(prefix, rule.body)).unwrap(),
            Key::Regex(_, names) => names.iter().for_each(|name| service(name)),
        }
    }
    (text, Entities::from_entities(entities, None).unwrap())
}

fn by_glob(prefix: &str, body: usize) -> String {
    let enough = enough(body);
    format!(
        "permit(principal, action == Action::\"{ENVIRONMENT}\", resource) when \
         {{ context.service like \"{prefix}*\" && {enough} }};"
    )
}

fn enough(body: usize) -> String {
    format!(
        "context.team{body} >= {OF_TEAM} && context.listed{body} >= {OF_LISTED} && context.either{body} >= {}",
        OF_TEAM + OF_LISTED
    )
}

fn uid(kind: &str, name: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.parse().unwrap(), name.parse().unwrap())
}
