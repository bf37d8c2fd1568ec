//! regorus: Rego on its virtual machine, with the rules as data. Its interpreter gave the same answers but took 2 to 4
//! times as long.

use std::collections::BTreeSet;
use std::sync::Arc;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::program::Program;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine as Rego, Rc, Value};
use serde_json::{Map, json};

use crate::engine::Engine;
use crate::task::{ENVIRONMENT, HEAD, Key, Query, Task};

const RULE: &str = "data.approval.approved";
const COUNTED: &str = include_str!("rego/counted.rego");
const KEYED: &str = include_str!("rego/keyed.rego");
const LISTED: &str = include_str!("rego/listed.rego");

/// How the policies find the rule of a service.
#[derive(Clone, Copy)]
pub enum Form {
    /// By keys, as an expert would write it.
    Keyed,
    /// By walking a list.
    Listed,
}

pub struct Machine {
    machine: RegoVM,
    inputs: Vec<Value>,
}

impl Machine {
    pub fn new(task: &Task, form: Form) -> Self {
        let mut machine = RegoVM::new();
        machine.load_program(compiled(form));
        machine.set_data(data(task, form)).unwrap();
        // The default of 25,000 is too low for a walk over 1,000 rules.
        machine.set_max_instructions(usize::MAX);
        Self { machine, inputs: inputs(task) }
    }
}

impl Engine for Machine {
    fn approved(&mut self, query: usize) -> bool {
        self.machine.set_input(self.inputs[query].clone());
        self.machine.execute().unwrap() == Value::Bool(true)
    }
}

fn compiled(form: Form) -> Arc<Program> {
    let mut rego = Rego::new();
    let (name, text) = match form {
        Form::Keyed => ("keyed.rego", KEYED),
        Form::Listed => ("listed.rego", LISTED),
    };
    rego.add_policy(name.to_owned(), text.to_owned()).unwrap();
    rego.add_policy("counted.rego".to_owned(), COUNTED.to_owned()).unwrap();
    let entry: Rc<str> = RULE.into();
    let policy = rego.compile_with_entrypoint(&entry).unwrap();
    Compiler::compile_from_policy(&policy, &[RULE]).unwrap()
}

fn data(task: &Task, form: Form) -> Value {
    let bodies: Vec<_> =
        task.numbered().map(|(at, body)| json!({ "team": format!("team{at}"), "listed": set(&body.listed) })).collect();
    let mut data = match form {
        Form::Keyed => keyed(task),
        Form::Listed => listed(task),
    };
    data["bodies"] = json!(bodies);
    Value::from(data)
}

fn keyed(task: &Task) -> serde_json::Value {
    let (mut exact, mut globs, mut regexes, mut lengths) = (Map::new(), Map::new(), Vec::new(), BTreeSet::new());
    for rule in &task.rules {
        match &rule.key {
            Key::Exact(name) => {
                exact.insert(name.clone(), json!(rule.body));
            }
            Key::Glob(prefix) => {
                globs.insert(prefix.clone(), json!(rule.body));
                lengths.insert(prefix.len());
            }
            Key::Regex(text, _) => regexes.push(json!({ "pattern": format!("^(?:{text})$"), "body": rule.body })),
        }
    }
    json!({ "exact": { ENVIRONMENT: exact }, "globs": { ENVIRONMENT: globs }, "regexes": { ENVIRONMENT: regexes },
            "lengths": lengths })
}

fn listed(task: &Task) -> serde_json::Value {
    let rules: Vec<_> = task
        .rules
        .iter()
        .map(|rule| {
            let (key, text) = match &rule.key {
                Key::Exact(name) => ("service", name.clone()),
                Key::Glob(prefix) => ("prefix", prefix.clone()),
                Key::Regex(text, _) => ("pattern", format!("^(?:{text})$")),
            };
            json!({ "environment": ENVIRONMENT, key: text, "body": rule.body })
        })
        .collect();
    json!({ "rules": rules })
}

fn inputs(task: &Task) -> Vec<Value> {
    let teams: Map<_, _> = task.numbered().map(|(at, body)| (format!("team{at}"), set(&body.team))).collect();
    let input = |query: &Query| {
        let reviews: Vec<_> = query
            .reviews
            .iter()
            .map(|review| json!({ "user": review.login, "state": review.state.name(), "revision": review.revision }))
            .collect();
        Value::from(json!({
            "service": query.service, "environment": query.environment, "author": query.author, "head": HEAD,
            "teams": teams, "reviews": reviews
        }))
    };
    task.queries.iter().map(input).collect()
}

/// Names as keys of an object, which Rego finds without a walk.
fn set(names: &[String]) -> serde_json::Value {
    names.iter().map(|name| (name.clone(), json!(true))).collect::<Map<_, _>>().into()
}
