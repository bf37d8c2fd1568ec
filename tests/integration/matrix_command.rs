//! `countersign matrix`: every service in every environment, in each format.

use serde_json::{Value, json};

use crate::command_line::{Countersign, Ran, assert_expected};

fn matrix(arguments: &str) -> Ran {
    let ran = Countersign::new(&format!("matrix {arguments}")).run();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments}");
    ran
}

/// The matrix of a policy with two groups and `rest`.
fn matrix_of(rest: &str, format: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("p.yaml");
    let head = "version: 1\ngroups: { a: { users: [ana, abe, ali] }, bots: { users: [\"deploy[bot]\"] } }\n";
    std::fs::write(&path, format!("{head}{rest}")).expect("it is written");
    let ran = Countersign::new(&format!("matrix --format {format} --policy")).arg(&path).run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran
}

fn rows_of(rest: &str) -> Vec<Value> {
    matrix_of(rest, "json").json()["rows"].as_array().expect("rows").clone()
}

fn row<'r>(rows: &'r [Value], service: &str, environment: &str) -> &'r Value {
    let found = rows.iter().find(|row| row["service"] == service && row["environment"] == environment);
    found.unwrap_or_else(|| panic!("{service}:{environment} in {rows:?}"))
}

#[test]
fn a_small_matrix_is_a_table_of_a_hundred_columns() {
    let output = matrix("--policy sound").stdout;
    assert!(output.lines().all(|line| line.chars().count() <= 100 && !line.ends_with(' ')));
    assert_expected("matrix/sound.expected", &output);
}

#[test]
fn a_wide_matrix_has_a_block_for_each_service() {
    let output = matrix("--policy matrix/hostile.yaml").stdout;
    assert!(output.lines().all(|line| line.chars().count() <= 100 && !line.ends_with(' ')));
    assert!(!output.contains('\u{1b}'));
    assert_expected("matrix/hostile.expected", &output);
}

#[test]
fn text_of_the_policy_is_only_text_in_markdown() {
    let output = matrix("--policy matrix/hostile.yaml --format markdown").stdout;
    assert!(output.lines().all(|line| line.matches('|').count() == 10), "no text ends a cell");
    assert!(!output.contains('@'), "nobody is mentioned");
    assert_expected("matrix/hostile.md.expected", &output);
}

#[test]
fn a_row_in_json_has_the_rule_and_its_place() {
    let document = matrix("--policy sound --format json").json();
    assert_eq!(document["schema"], 1);
    let rows = document["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 4, "two services in two environments");
    let expected = json!({
        "service": "checkout", "environment": "production", "require": "2 of payments and 1 of security",
        "strictness": "several", "fewest_people": 3, "denied": null, "timeout": "4h", "timeout_seconds": 14_400,
        "explicit": false, "exclude": ["author", "committers"], "notify": ["oncall", "payments"],
        "repository": ["acme/checkout"], "description": null, "source": "checkout.yaml:19",
        "freeze": [], "window": [], "wait": null, "override": null, "override_for": null, "mode": "enforce",
        "on_changes_requested": "reject", "veto": []
    });
    assert_eq!(row(rows, "checkout", "production"), &expected);
    assert_eq!(row(rows, "internal-*", "production")["require"], "1 of sre");
    assert_eq!(row(rows, "internal-*", "staging")["strictness"], "nobody");
}

#[test]
fn the_terms_include_who_may_request_changes_and_how_long_an_override_counts() {
    let shop = |fields: &str| {
        format!("services: {{ shop: {{ repository: acme/shop, environments: {{ production: {{ {fields} }} }} }} }}\n")
    };
    let strict =
        "require: 2 of a, on_changes_requested: block, veto: [bots, \"@acme/sec\"], override: { by: 1 of a, for: 2h }";
    let rows = rows_of(&shop(strict));
    let row = row(&rows, "shop", "production");
    assert_eq!(row["on_changes_requested"], "block");
    assert_eq!(row["veto"], json!(["bots", "@acme/sec"]));
    assert_eq!((&row["override"], &row["override_for"]), (&json!("1 of a"), &json!("2h")));
    let terms = "on_changes_requested block; veto bots, @acme/sec; override by 1 of a for 2h";
    let in_a_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(matrix_of(&shop(strict), "html").stdout.contains(terms));
    assert!(in_a_line(&matrix_of(&shop(strict), "markdown").stdout).contains("veto bots, &#64;acme/sec"));
    // Defaults are not printed. If nobody must approve, nobody may request changes.
    for fields in ["require: 2 of a", "require: none, on_changes_requested: block, veto: [bots]"] {
        let output = matrix_of(&shop(fields), "text").stdout;
        assert!(!output.contains("on_changes_requested") && !output.contains("veto"), "{output}");
    }
}

#[test]
fn a_target_without_a_rule_has_a_row_that_is_denied() {
    let rows = rows_of(
        "services:\n  one: { repository: o/r, environments: { qa: { require: 1 of a } } }\n  two: { repository: o/r }\n",
    );
    let denied = row(&rows, "two", "qa");
    assert_eq!(denied["denied"], "no rule for this environment");
    assert_eq!(
        (&denied["strictness"], &denied["require"], &denied["source"]),
        (&json!("denied"), &Value::Null, &Value::Null)
    );
}

#[test]
fn strictness_is_the_fewest_people_who_could_satisfy_the_rule() {
    let requirements = [
        ("1 of a", "one", 1),
        ("{ any_of: [2 of a, \"@abe\"] }", "one", 1),
        ("{ all_of: [1 of a, \"@abe\"] }", "several", 2),
        ("{ in_order: [1 of a, { any_of: [3 of a, 2 of a] }] }", "several", 3),
        ("all of a", "several", 3),
        ("1 of bots", "nobody", 0),
        ("{ all_of: [1 of bots, \"@abe\"] }", "one", 1),
        ("none", "nobody", 0),
    ];
    let environment = |n: usize, distinct: &str| format!("e{n}: {{ require: {}{distinct} }}", requirements[n].0);
    let all: Vec<String> = (0..requirements.len()).map(|n| environment(n, "")).collect();
    let rows = rows_of(&format!("services: {{ s: {{ repository: o/r, environments: {{ {} }} }} }}\n", all.join(", ")));
    for (n, (requirement, strictness, fewest)) in requirements.iter().enumerate() {
        let row = row(&rows, "s", &format!("e{n}"));
        assert_eq!((&row["strictness"], &row["fewest_people"]), (&json!(strictness), &json!(fewest)), "{requirement}");
    }
    let shared = environment(2, ", distinct: false");
    let rows = rows_of(&format!("services: {{ s: {{ repository: o/r, environments: {{ {shared} }} }} }}\n"));
    assert_eq!(row(&rows, "s", "e2")["fewest_people"], 1, "one person may count for both");
}

#[test]
fn a_pattern_has_a_row_with_the_rule_of_the_names_that_it_matches() {
    let rows = matrix("--policy decisions/layering.yaml --format json").json()["rows"].clone();
    let rows = rows.as_array().expect("rows");
    assert_eq!(row(rows, "world-*", "prod-eu-*")["timeout"], "12h");
    assert_eq!(row(rows, "/w[0-9]/", "/qa-[0-9]+/")["timeout"], "13h");
    let own = row(rows, "world", "prod-*");
    assert_eq!((&own["require"], &own["source"]), (&json!("1 of people"), &json!("layering.yaml:32")));
}

#[test]
fn a_bare_star_applies_to_patterns_of_other_services() {
    let rows = rows_of(
        "services:\n  one: { repository: o/r, environments: { \"*\": { require: 1 of a } } }\n  \
         two: { repository: o/r, environments: { \"qa-*\": { require: 2 of a } } }\n",
    );
    assert_eq!(row(&rows, "one", "qa-*")["require"], "1 of a");
    assert_eq!(row(&rows, "two", "*")["strictness"], "denied");
}

#[test]
fn services_and_environments_can_be_chosen_by_name_or_by_key() {
    let chosen = "--policy sound --format json --environment production --service internal-wiki --service internal-*";
    let document = matrix(chosen).json();
    let rows = document["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 2);
    assert_eq!(row(rows, "internal-wiki", "production")["require"], "1 of sre");
    assert_eq!(row(rows, "internal-*", "production")["require"], "1 of sre");
    let document = matrix("--policy sound --format json --service chekout --environment production").json();
    assert_eq!(document["rows"][0]["denied"], "no service of the policy matches");
}

#[test]
fn a_pattern_that_is_not_a_key_of_the_policy_is_refused() {
    let ran = Countersign::new("matrix --policy sound --service internal?* --format json").run();
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.json()["error"]["code"], "unknown-key");
    assert!(ran.stderr.contains("did you mean `internal-*`?"), "{}", ran.stderr);
}

#[test]
fn a_policy_without_services_says_that_everything_is_denied() {
    assert!(rows_of("").is_empty());
    assert_eq!(matrix_of("", "text").stdout, "there are no services, or no environments: every request is denied\n");
    assert!(matrix_of("", "html").stdout.contains("<p>There are no services, or no environments"));
}

#[test]
fn other_commands_do_not_have_the_formats_of_the_matrix() {
    for format in ["html", "markdown"] {
        for (command, formats) in [
            ("check sound", "text, json, sarif, github"),
            ("explain a b --policy sound", "text, json"),
            ("test --policy sound", "text, json"),
            ("schema", "json"),
        ] {
            let ran = Countersign::new(&format!("{command} --format {format}")).run();
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{command}");
            let error =
                format!("error: invalid value '{format}' for '--format <FORMAT>'\n  [possible values: {formats}]\n");
            assert!(ran.stderr.starts_with(&error), "{}", ran.stderr);
        }
    }
}

// The page.

fn page(policy: &str) -> String {
    matrix(&format!("--format html --policy {policy}")).stdout
}

/// The page without its style and script, and those.
fn split(page: &str) -> (String, String, String) {
    let (before, rest) = page.split_once("<style>").expect("a style");
    let (style, rest) = rest.split_once("</style>").expect("it ends");
    let (middle, rest) = rest.split_once("<script>").expect("a script");
    let (script, after) = rest.split_once("</script>").expect("it ends");
    (format!("{before}{middle}{after}"), style.to_owned(), script.to_owned())
}

#[test]
fn text_of_the_policy_is_only_text_on_the_page() {
    let (markup, ..) = split(&page("matrix/hostile.yaml"));
    for harm in ["<script", "<img", "onmouseover=alert(4)\"", "\"onmouseover", "style=", "\u{1b}"] {
        assert!(!markup.contains(harm), "{harm}");
    }
    for output in [
        "&lt;script&gt;alert(1)&lt;/script&gt;*",
        "&lt;img src=x onerror=alert(2)&gt;",
        "/a|b\\|&quot;onmouseover=alert(4)/",
    ] {
        assert!(markup.contains(output), "{output}");
    }
}

#[test]
fn the_page_needs_no_network_and_allows_only_its_own_style_and_script() {
    let (markup, style, script) = split(&page("sound"));
    let policy = markup.split_once("Content-Security-Policy\" content=\"").and_then(|(_, rest)| rest.split_once('"'));
    let (policy, _) = policy.expect("the page has a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && policy.contains("script-src 'sha256-"));
    assert!(!policy.contains("unsafe"));
    for text in [&markup, &style, &script] {
        for reach in ["http:", "https:", "url(", "@import", "fetch(", "src=", "href=", "innerHTML"] {
            assert!(!text.contains(reach), "{reach}");
        }
    }
    let handlers = regex::Regex::new(r"<[^>]* on[a-z]+=").expect("the pattern is one");
    assert!(!handlers.is_match(&markup), "the markup has no handler");
}

#[test]
fn the_page_has_strictness_as_text_and_as_class() {
    let (markup, ..) = split(&page("matrix/hostile.yaml"));
    for cell in [
        "<td class=\"several\"><b>3 people</b><p>2 of people and @acme/sre</p>",
        "<td class=\"one\"><b>1 person</b><p>1 of people</p>",
        "<td class=\"nobody\"><b>nobody</b><p>1 of bots</p>",
        "<td class=\"nobody\"><b>nobody</b><small>notify oncall</small>",
        "<td class=\"denied\"><b>denied</b><p>no rule for this environment</p></td>",
    ] {
        assert!(markup.contains(cell), "{cell}");
    }
    for level in ["nobody", "one", "several", "denied"] {
        assert!(markup.contains(&format!("<input type=\"checkbox\" checked value=\"{level}\"><b class=\"{level}\">")));
    }
    assert!(markup.contains("<dt>people</dt><dd>@acme/people, @pia, @pat</dd>"));
}

#[test]
fn every_row_of_the_page_has_a_cell_for_every_environment() {
    let (markup, ..) = split(&page("decisions/layering.yaml"));
    let columns = markup.matches("<th scope=\"col\">").count() - 1;
    let rows: Vec<&str> = markup.lines().filter(|line| line.starts_with("<tr><th scope=\"row\">")).collect();
    assert_eq!((columns, rows.len()), (10, 6));
    assert!(rows.iter().all(|row| row.matches("<td class=").count() == columns));
}
