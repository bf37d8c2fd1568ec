//! Reads test files, and reports everything that is wrong with them at once.

use std::collections::BTreeMap;

use super::event::{Step, read_step};
use super::expect::read_expect;
use super::given::{GIVEN_KEYS, Given, read_given};
use super::{Case, complete, overlay};
use crate::finding::{Code, Finding, Findings, Source, SourceId, SourceMap, Span};
use crate::policy::load::decode;
use crate::policy::read::{Keys, Reader};
use crate::policy::yaml::{Node, Room, Value, parse};

/// Test files, with what is wrong with them.
#[derive(Debug)]
pub struct Suites {
    /// In the order given.
    pub files: Vec<Suite>,
    /// In the order of files and places.
    pub findings: Findings,
    pub sources: SourceMap,
}

/// One test file.
#[derive(Debug)]
pub struct Suite {
    pub source: SourceId,
    pub file: String,
    /// In the order written. Cases with findings are left out.
    pub cases: Vec<Case>,
}

impl Suites {
    /// The findings of one file.
    pub fn findings_of(&self, suite: &Suite) -> impl Iterator<Item = &Finding> {
        let source = suite.source;
        self.findings.iter().filter(move |finding| finding.span.is_some_and(|span| span.source == source))
    }
}

const FILE_KEYS: Keys = Keys { what: "a test file", known: &["defaults", "cases"] };
const CASE_KEYS: Keys = Keys { what: "a case", known: &["name", "given", "expect", "steps"] };

#[must_use]
pub fn read(files: Vec<Source>) -> Suites {
    let mut sources = SourceMap::default();
    let mut findings = Findings::new();
    let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
    let mut trees = BTreeMap::new();
    for id in decode(files, &mut sources, &mut findings) {
        match parse(id, sources.text(id), &mut Room::default()) {
            Ok(root) => {
                trees.insert(id, root);
            }
            Err(finding) => findings.push(finding),
        }
    }
    let mut reader = Reader::new(&sources);
    reader.findings = findings;
    let mut suites = Vec::with_capacity(names.len());
    for (id, file) in (0_u32..).map(SourceId).zip(names) {
        let cases = trees.get(&id).map(|root| read_file(&mut reader, root)).unwrap_or_default();
        suites.push(Suite { source: id, file, cases });
    }
    let mut findings = reader.findings;
    findings.sort();
    Suites { files: suites, findings, sources }
}

fn read_file(reader: &mut Reader<'_>, root: &Node) -> Vec<Case> {
    if matches!(root.value, Value::Null) {
        let span = Span { line: 1, column: 1, ..root.span };
        reader.report(Finding::at(Code::MissingKey, span, "the test file is empty").hint("write `cases:`"));
        return Vec::new();
    }
    if !reader.fields(root, &FILE_KEYS) {
        return Vec::new();
    }
    let defaults = root.get("defaults").filter(|node| reader.fields(node, &GIVEN_KEYS));
    let Some(cases) = root.get("cases") else {
        reader.report(Finding::at(Code::MissingKey, root.span, "the test file has no `cases`").hint("write `cases:`"));
        return Vec::new();
    };
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    let mut read = Vec::new();
    for node in reader.list(cases, "cases").unwrap_or_default() {
        let before = reader.findings.len();
        let case = read_case(reader, node, defaults);
        if let Some(name) = node.get("name")
            && let Value::Text(text) = &name.value
        {
            match names.get(&**text) {
                Some(first) => reader.report(
                    Finding::at(Code::DuplicateName, name.span, format!("a second case is called `{text}`"))
                        .related(*first, "the first is here")
                        .hint("give it a name that tells them apart"),
                ),
                None => {
                    names.insert(text, name.span);
                }
            }
        }
        read.extend(case.filter(|_| reader.findings.len() == before));
    }
    read
}

fn read_case(reader: &mut Reader<'_>, node: &Node, defaults: Option<&Node>) -> Option<Case> {
    if !reader.fields(node, &CASE_KEYS) {
        return None;
    }
    let name = read_name(reader, node);
    let given = match (node.get("given"), defaults) {
        (Some(given), Some(defaults)) if matches!(given.value, Value::Map(_)) => given.over(defaults),
        (Some(given), _) => given.clone(),
        (None, Some(defaults)) => Node { span: node.span, ..defaults.clone() },
        (None, None) => Node { span: node.span, value: Value::Map(Vec::new()) },
    };
    let given = read_given(reader, &given);
    let expect = node.get("expect").map(|expect| read_expect(reader, expect));
    let steps = node.get("steps").map(|steps| read_steps(reader, steps));
    let expects = expect.is_some() || steps.iter().flatten().flatten().any(|step| step.expect.is_some());
    // Steps that cannot be read may have an `expect`.
    if !expects && !matches!(steps, Some(None)) {
        reader.report(
            Finding::at(Code::MissingKey, node.span, "the case has no `expect`")
                .hint("write what the decision must contain, e.g. `expect: { verdict: approved }`"),
        );
        return None;
    }
    let (given, steps) = (given?, steps.unwrap_or_else(|| Some(Vec::new()))?);
    if !steps.is_empty() {
        rehearse(reader, &given, &steps);
    }
    let expect = match expect {
        Some(expect) => Some(expect?),
        None => None,
    };
    Some(Case { name: name?, place: reader.place(node.span), given, expect, steps })
}

/// All steps. `None` if one cannot be read: then those after it would apply to the wrong facts.
fn read_steps(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Step>> {
    let items = reader.list(node, "steps")?;
    let steps: Vec<Step> = items.iter().filter_map(|item| read_step(reader, item)).collect();
    (steps.len() == items.len()).then_some(steps)
}

/// Reports the first event that cannot happen to the facts. Events after it may fail just because of it.
fn rehearse(reader: &mut Reader<'_>, given: &Given, steps: &[Step]) {
    let mut facts = complete::facts(given, None);
    let has_base = given.pull_request.iter().flatten().any(|pull_request| pull_request.base.is_some());
    if let Some(pull_request) = facts.pull_request.as_mut().filter(|_| !has_base) {
        // The default depends on the policy. No branch has an empty name.
        pull_request.base = String::new();
    }
    for step in steps {
        if let Err(why) = overlay::apply(step, &mut facts) {
            reader.report(Finding::at(Code::InvalidValue, step.span, format!("this cannot happen: {why}")).hint(
                "each step applies to the facts that the steps before it left, one minute later unless it gives a time",
            ));
            return;
        }
    }
}

fn read_name(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let Some(name) = node.get("name") else {
        reader.report(
            Finding::at(Code::MissingKey, node.span, "the case has no `name`")
                .hint("write in one sentence what it shows"),
        );
        return None;
    };
    let text = reader.text(name, "name")?.trim();
    if text.is_empty() {
        reader.report(
            Finding::at(Code::InvalidValue, name.span, "`name` is empty").hint("write in one sentence what it shows"),
        );
        return None;
    }
    Some(text.to_owned())
}
