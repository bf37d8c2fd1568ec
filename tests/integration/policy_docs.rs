//! Checks the pages about policies: every policy in them loads, every quote is from a recipe that is tested, and the
//! reference has exactly the keys that the reader knows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use countersign::approval::decision::ReviewReason;
use regex::Regex;
use serde_json::Value;

use super::docs::{Block, anchor, blocks, bundle, first_cells, output, pages, read, refusals, root, sections};

const RECIPES: &str = "docs/policy/recipes";
const GUIDE: &str = "docs/policy/guide.md";
const REFERENCE: &str = "docs/policy/reference.md";

/// The path of every recipe from the root. A recipe is a file or a folder.
fn recipes() -> Vec<String> {
    let entries = root().join(RECIPES).read_dir().expect("the recipes are there");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    let mut recipes: Vec<String> =
        names.filter(|name| !name.ends_with(".test.yaml")).map(|name| format!("{RECIPES}/{name}")).collect();
    recipes.sort();
    assert!(recipes.len() > 20, "only {} recipes", recipes.len());
    recipes
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(arguments).current_dir(root()).env_clear().output().expect("the binary runs")
}

// Recipes, and quotes of them.

#[test]
fn a_recipe_has_no_findings_except_those_it_waives_with_a_reason_and_logins_without_ids() {
    for recipe in recipes() {
        let arguments = ["check", &recipe, "--format", "json", "--allow", "unpinned-login"];
        let checked: Value = serde_json::from_str(&output(&arguments)).expect("JSON");
        assert_eq!(checked["findings"], Value::Array(Vec::new()), "{recipe}");
    }
}

#[test]
fn every_recipe_passes_its_tests_with_full_coverage() {
    for recipe in recipes() {
        let ran = run(&["test", "--policy", &recipe, "--min-coverage", "100"]);
        assert!(ran.status.success(), "{recipe}: {}", String::from_utf8_lossy(&ran.stdout));
    }
}

/// Every block of a page that names its file, with the path of that file from the root.
fn quotes(page: &str) -> Vec<(String, Block)> {
    let folder = Path::new(page).parent().expect("a folder").to_string_lossy().into_owned();
    let all = blocks(&read(page)).into_iter();
    all.filter_map(|block| {
        let file = format!("{folder}/{}", block.kind.strip_prefix("yaml from ")?);
        Some((file, block))
    })
    .collect()
}

#[test]
fn a_quote_of_a_recipe_is_in_it_line_by_line() {
    let mut seen = 0;
    for page in pages() {
        for (file, block) in quotes(&page) {
            assert!(file.starts_with(RECIPES), "{page} quotes {file}, which no test runs");
            let there = format!("\n{}", read(&file)).contains(&format!("\n{}", block.text));
            assert!(there, "{page} quotes what is not in {file}:\n{}", block.text);
            seen += 1;
        }
    }
    assert!(seen > 20, "quotes are found");
}

#[test]
fn the_guide_quotes_every_recipe_and_no_other_policy() {
    let files: BTreeSet<String> = quotes(GUIDE).into_iter().map(|(file, _)| file).collect();
    for recipe in recipes() {
        let quoted = files.iter().any(|file| *file == recipe || file.starts_with(&format!("{recipe}/")));
        assert!(quoted, "{GUIDE} does not quote {recipe}");
    }
    for block in blocks(&read(GUIDE)) {
        assert!(
            block.kind.starts_with("yaml from ") || ["console", "sh", "yaml schema"].contains(&block.kind.as_str()),
            "{GUIDE} has a block that no test checks, as `{}`",
            block.kind
        );
    }
}

#[test]
fn the_guide_begins_with_a_link_to_every_task() {
    let page = read(GUIDE);
    let tasks = sections(&page, "##");
    let (index, _) = page.split_once("\n## ").expect("sections");
    for (heading, _) in tasks {
        assert!(index.contains(&format!("(#{})", anchor(heading))), "no link to `{heading}`");
    }
}

#[test]
fn the_line_for_editors_names_the_published_schema() {
    let schema: Value = serde_json::from_str(&read("schema/policy.schema.json")).expect("JSON");
    let address = schema["$id"].as_str().expect("an address");
    assert!(read(GUIDE).contains(&format!("# yaml-language-server: $schema={address}\n")));
}

// The reference.

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

/// An example of the reference as a whole policy. `yaml file` is a second file, `yaml rule` is a rule body, and `yaml when`
/// is a condition.
fn completed(block: &Block) -> String {
    let base = format!("# file: base.yaml\n{}", read("docs/policy/base.yaml"));
    let rule = |body: &str| {
        let service = "services:\n  shop:\n    repository: acme/shop\n    environments:\n      production:\n";
        format!("environments: {{ production: {{ require: 1 of payments }} }}\n{service}{}", indented(body, 8))
    };
    let example = match block.kind.as_str() {
        "yaml file" => block.text.clone(),
        "yaml rule" => rule(&block.text),
        "yaml when" => rule(&format!("require:\n  count: 1\n  of: [sre]\n  when:\n{}", indented(&block.text, 4))),
        other => panic!("an example as `{other}`"),
    };
    format!("{base}# file: example.yaml\n{example}")
}

#[test]
fn every_example_of_the_reference_is_valid() {
    let examples = blocks(&read(REFERENCE));
    assert!(examples.len() > 10);
    for example in examples {
        // Lints are allowed: the base has names that no single example uses.
        assert_eq!(refusals(&bundle(&completed(&example))), [""; 0], "{}", example.text);
    }
}

/// Which sections of the reference describe which objects of the schema.
const SECTIONS: [(&str, &[&str]); 14] = [
    ("Top-level keys", &["file"]),
    ("A group", &["group"]),
    ("A channel", &["channel"]),
    ("A calendar", &["calendar"]),
    ("A span", &["span_of_week", "span_of_days", "span_of_dates"]),
    ("A service", &["service"]),
    ("A rule", &["rule"]),
    ("Events", &["notify"]),
    ("A freeze", &["freeze"]),
    ("An escalation", &["escalation"]),
    ("An override", &["override"]),
    ("A requirement", &["leaf", "all_of", "any_of", "in_order"]),
    ("A condition", &["condition"]),
    ("A floor", &["floor"]),
];

/// The keys of each object that the schema defines, including those of all its forms.
fn keys_of_the_schema() -> BTreeMap<String, BTreeSet<String>> {
    let schema: Value = serde_json::from_str(&read("schema/policy.schema.json")).expect("JSON");
    let keys = |of: &Value| of["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    let of = |definition: &Value| -> BTreeSet<String> {
        let forms = definition["anyOf"].as_array().into_iter().flatten();
        std::iter::once(definition).chain(forms).flat_map(|form| -> BTreeSet<String> { keys(form) }).collect()
    };
    let definitions = schema["$defs"].as_object().expect("definitions").iter();
    definitions.map(|(name, it)| (name.clone(), of(it))).filter(|(_, keys)| !keys.is_empty()).collect()
}

#[test]
fn the_reference_has_exactly_the_keys_that_the_reader_knows() {
    let page = read(REFERENCE);
    let mut known = keys_of_the_schema();
    let key = Regex::new("(?m)^### `([a-z_]+)`").expect("the pattern is one");
    for (heading, objects) in SECTIONS {
        let there: BTreeSet<String> =
            objects.iter().flat_map(|object| known.remove(*object).unwrap_or_else(|| panic!("no {object}"))).collect();
        let all = sections(&page, "##");
        let (_, text) = all.iter().find(|(found, _)| *found == heading).unwrap_or_else(|| panic!("no `{heading}`"));
        let mut listed: BTreeSet<String> =
            key.captures_iter(text).filter_map(|found| found.get(1)).map(|found| found.as_str().to_owned()).collect();
        if listed.is_empty() {
            listed = first_cells(&page, heading).into_iter().collect();
        }
        assert_eq!(listed, there, "the keys in the section `{heading}` of {REFERENCE}");
    }
    assert_eq!(known, BTreeMap::new(), "objects of the schema that no section of {REFERENCE} describes");
}

#[test]
fn defaults_have_two_keys_besides_those_of_a_rule() {
    let schema: Value = serde_json::from_str(&read("schema/policy.schema.json")).expect("JSON");
    let of = |place: &Value| -> BTreeSet<String> {
        place["properties"].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
    };
    let defaults = of(&schema["$defs"]["file"]["properties"]["defaults"]);
    let rule = of(&schema["$defs"]["rule"]);
    assert!(rule.is_subset(&defaults));
    let besides: Vec<&String> = defaults.difference(&rule).collect();
    assert_eq!(besides, ["branches", "repository"], "the keys that the section on `defaults` adds");
}

// The page for approvers.

#[test]
fn the_page_for_approvers_has_every_reason() {
    let there: Vec<&str> = ReviewReason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(first_cells(&read("docs/approvers.md"), "Why my review does not count"), there);
}

#[test]
fn every_line_that_approvers_can_write_is_tested_by_a_recipe() {
    let tests: String =
        ["monorepo", "hotfix"].iter().map(|name| read(&format!("{RECIPES}/{name}.test.yaml"))).collect();
    let texts: Vec<Block> = blocks(&read("docs/approvers.md")).into_iter().filter(|it| it.kind == "text").collect();
    let lines: Vec<&str> = texts.iter().flat_map(|block| block.text.lines()).collect();
    assert_eq!(lines.len(), 4);
    for line in lines {
        let bodies = [format!("body: \"{line}\""), format!("body: {line} }}")];
        assert!(bodies.iter().any(|body| tests.contains(body)), "no recipe tests `{line}`");
    }
}
