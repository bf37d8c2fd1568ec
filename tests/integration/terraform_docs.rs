//! terraform/README.md lists the inputs and outputs that the module's files declare.
//!
//! `COUNTERSIGN_UPDATE_DOCS=1 cargo test --test integration terraform_docs` writes the tables anew.

use std::collections::BTreeSet;
use std::path::Path;

use crate::docs::{first_cells, read, root};

const PAGE: &str = "terraform/README.md";

/// A block of a file: `variable "name" {` and its lines.
struct Block {
    name: String,
    lines: Vec<String>,
}

/// The blocks of a kind, as `terraform fmt` writes them: each from a line at the margin to the next brace there.
fn blocks(file: &str, kind: &str) -> Vec<Block> {
    let text = read(&format!("terraform/{file}"));
    let opening = format!("{kind} \"");
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix(&opening) {
            let name = rest.split('"').next().expect("a name").to_owned();
            blocks.push(Block { name, lines: Vec::new() });
            open = true;
        } else if line == "}" {
            open = false;
        } else if open {
            blocks.last_mut().expect("a block").lines.push(line.to_owned());
        }
    }
    blocks
}

impl Block {
    /// The value of an argument, over all its lines.
    fn argument(&self, name: &str) -> Option<String> {
        let is = |line: &String| {
            line.starts_with("  ") && line.trim_start().split(' ').next() == Some(name) && !line.starts_with("   ")
        };
        let begin = self.lines.iter().position(is)?;
        let (_, first) = self.lines[begin].split_once('=')?;
        let mut value = first.trim().to_owned();
        if value.ends_with(['{', '(']) {
            for line in &self.lines[begin + 1..] {
                value.push('\n');
                value.push_str(line.strip_prefix("  ").unwrap_or(line));
                if line.starts_with("  }") {
                    break;
                }
            }
        }
        Some(value)
    }

    fn description(&self) -> String {
        let text = self.argument("description").unwrap_or_else(|| panic!("`{}` is not described", self.name));
        text.trim_matches('"').replace("\\\"", "\"").replace('|', "\\|")
    }
}

fn inputs() -> String {
    let mut table = "| input | type | default | |\n|---|---|---|---|\n".to_owned();
    let mut types = String::new();
    for variable in blocks("variables.tf", "variable") {
        let kind = variable.argument("type").expect("a type");
        let default = variable.argument("default").map_or("required".to_owned(), |default| format!("`{default}`"));
        let name = &variable.name;
        let cell = if kind.contains('\n') { format!("[object](#{name})") } else { format!("`{kind}`") };
        table.push_str(&format!("| `{name}` | {cell} | {default} | {} |\n", variable.description()));
        if kind.contains('\n') {
            types.push_str(&format!("\n#### {name}\n\n```hcl\n{kind}\n```\n"));
        }
    }
    table + &types
}

fn outputs() -> String {
    let mut table = "| output | |\n|---|---|\n".to_owned();
    for output in blocks("outputs.tf", "output") {
        table.push_str(&format!("| `{}` | {} |\n", output.name, output.description()));
    }
    table
}

/// The page with new text between `<!-- name -->` and `<!-- /name -->`.
fn with(page: &str, name: &str, content: &str) -> String {
    let (before, rest) =
        page.split_once(&format!("<!-- {name} -->\n")).unwrap_or_else(|| panic!("no {name} in {PAGE}"));
    let (_, after) = rest.split_once(&format!("<!-- /{name} -->")).expect("its end");
    format!("{before}<!-- {name} -->\n{content}<!-- /{name} -->{after}")
}

#[test]
fn the_modules_page_lists_its_inputs_and_outputs_as_they_are() {
    let page = read(PAGE);
    let fresh = with(&with(&page, "inputs", &inputs()), "outputs", &outputs());
    if std::env::var_os("COUNTERSIGN_UPDATE_DOCS").is_some() {
        std::fs::write(root().join(PAGE), &fresh).expect("the page is written");
    }
    assert_eq!(page, fresh, "COUNTERSIGN_UPDATE_DOCS=1 cargo test --test integration terraform_docs writes it");
}

#[test]
fn every_input_is_described_and_every_object_is_validated() {
    let variables = blocks("variables.tf", "variable");
    assert!(variables.len() > 10);
    for variable in variables {
        assert!(variable.description().len() > 20, "{}", variable.name);
        let object = variable.argument("type").is_some_and(|kind| kind.starts_with("object"));
        let validated = variable.lines.iter().any(|line| line == "  validation {");
        assert!(!object || validated, "{}", variable.name);
    }
}

#[test]
fn every_validation_has_a_test_that_it_refuses() {
    let validations = read("terraform/variables.tf").matches("\n  validation {").count();
    let runs = read("terraform/tests/validations.tftest.hcl");
    let refused: usize = runs
        .split("expect_failures = ")
        .skip(1)
        .map(|list| list.split(']').next().unwrap_or_default().matches("var.").count())
        .sum();
    assert!(refused >= validations, "{validations} validations, and {refused} that a test sees refuse");
}

#[test]
fn every_resource_is_made_only_if_the_module_is_enabled() {
    for entry in std::fs::read_dir(root().join("terraform")).expect("the module") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        if Path::new(&name).extension().is_some_and(|extension| extension == "tf") {
            let text = read(&format!("terraform/{name}"));
            for resource in text.split("\nresource \"").skip(1) {
                let head: Vec<&str> = resource.lines().skip(1).take(1).collect();
                assert!(
                    head[0].contains("count ") || head[0].contains("for_each "),
                    "{name}: resource \"{}",
                    resource.lines().next().unwrap_or("")
                );
            }
        }
    }
}

#[test]
fn every_alarm_is_documented_with_what_to_do() {
    let tested = read("terraform/tests/monitoring.tftest.hcl");
    let (_, list) = tested.split_once("output.monitoring.alarms == tolist([").expect("the test lists every alarm");
    let (list, _) = list.split_once(']').expect("an end");
    let there: BTreeSet<&str> = list.split('"').filter_map(|text| text.strip_prefix("countersign-")).collect();
    let documented = first_cells(&read("docs/aws.md"), "Alarms");
    assert!(there.len() > 10);
    assert_eq!(documented.iter().map(String::as_str).collect::<BTreeSet<_>>(), there);
}

#[test]
fn the_roles_may_make_the_calls_that_the_store_makes_and_no_other() {
    // Each call, and the right that it needs. A transaction needs those of its parts.
    const CALLS: [(&str, &str); 9] = [
        (".get_item()", "GetItem"),
        (".put_item()", "PutItem"),
        (".update_item()", "UpdateItem"),
        (".delete_item()", "DeleteItem"),
        (".query()", "Query"),
        (".batch_get_item()", "BatchGetItem"),
        ("Put::builder()", "PutItem"),
        ("Delete::builder()", "DeleteItem"),
        ("ConditionCheck::builder()", "ConditionCheckItem"),
    ];
    let mut made = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("src/adapters/aws/dynamodb")).expect("the store") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a file");
        made.extend(CALLS.iter().filter(|(call, _)| text.contains(call)).map(|(_, right)| (*right).to_owned()));
    }
    let roles = read("terraform/iam.tf");
    let rights = roles.split("\"dynamodb:").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned);
    // The key of a condition has the form of a right.
    assert_eq!(rights.filter(|right| right != "LeadingKeys").collect::<BTreeSet<_>>(), made);
}
