//! What the action reports about a change, and when it passes.

use std::fs;

use serde_json::{Value, json};

use super::world::{LABEL, ONE, TWO, World, policy};

/// The lines of a log that the runner runs as commands, without those between `stop-commands`.
fn commands(log: &str) -> Vec<&str> {
    let mut stopped: Option<String> = None;
    let mut commands = Vec::new();
    for line in log.lines() {
        match &stopped {
            Some(word) if line == format!("::{word}::") => stopped = None,
            Some(_) => {}
            None => match line.strip_prefix("::stop-commands::") {
                Some(word) => stopped = Some(word.to_owned()),
                None if line.trim_start().starts_with("::") => commands.push(line),
                None => {}
            },
        }
    }
    commands
}

#[test]
fn a_change_that_loosens_fails_without_the_label_and_passes_with_it() {
    let mut world = World::looser();
    let ran = world.act();
    assert_eq!(ran.code, Some(6), "{}", ran.log);
    assert!(ran.log.contains(&format!("set the label `{LABEL}`")), "{}", ran.log);
    world.label(LABEL);
    let ran = world.act();
    assert_eq!(ran.code, Some(0), "{}", ran.log);
}

#[test]
fn a_change_that_makes_things_stricter_passes_without_a_label() {
    let ran = World::stricter().act();
    assert_eq!(ran.code, Some(0), "{}", ran.log);
}

#[test]
fn a_change_without_effect_passes_and_posts_no_comment() {
    let same = policy(TWO);
    let world = World::new(Some(&same), &format!("# a better comment\n{same}"));
    let ran = world.act();
    assert_eq!(ran.code, Some(0), "{}", ran.log);
    assert!(world.github.comments().is_empty());
    assert!(world.summary().contains("Nothing changes"));
}

#[test]
fn the_label_is_read_from_github_and_not_from_the_event() {
    let mut world = World::looser();
    world.event["pull_request"]["labels"] = json!([{ "name": LABEL }]);
    assert_eq!(world.act().code, Some(6), "it was removed since");
    world.event["pull_request"]["labels"] = json!([]);
    world.github.set(|stage| stage.labels = vec![LABEL.to_uppercase()]);
    let ran = world.act();
    assert_eq!(ran.code, Some(0), "it was set since, and labels ignore case: {}", ran.log);
    assert!(ran.log.contains("the label changed since the event"), "{}", ran.log);
}

#[test]
fn if_the_labels_cannot_be_read_none_is_set() {
    let mut world = World::looser();
    world.label(LABEL);
    world.github.set(|stage| stage.silent = Some(403));
    let ran = world.act();
    assert_eq!(ran.code, Some(6), "{}", ran.log);
    assert!(ran.log.contains("the labels cannot be read (GitHub answered 403)"), "{}", ran.log);
}

#[test]
fn a_label_that_was_set_before_a_push_is_removed() {
    let mut world = World::looser();
    world.label(LABEL);
    world.event["action"] = json!("synchronize");
    let ran = world.act();
    assert_eq!(ran.code, Some(6), "{}", ran.log);
    assert!(world.github.requests().iter().any(|request| request.ends_with(&format!("/issues/7/labels/{LABEL}"))));
    // Someone reviews the push and sets it again.
    world.event["action"] = json!("labeled");
    assert_eq!(world.act().code, Some(6));
    world.label(LABEL);
    assert_eq!(world.act().code, Some(0));
}

#[test]
fn a_label_that_cannot_be_removed_does_not_count_for_the_push_either() {
    let mut world = World::looser();
    world.label(LABEL);
    world.event["action"] = json!("synchronize");
    world.github.set(|stage| stage.refuses = Some(403));
    let ran = world.act();
    assert_eq!(ran.code, Some(6), "{}", ran.log);
    assert!(ran.log.contains("take it off and, if all is well, set it again"), "{}", ran.log);
}

#[test]
fn a_policy_that_is_new_counts_as_looser() {
    let world = World::new(None, &policy(TWO));
    let ran = world.act();
    assert_eq!(ran.code, Some(6), "{}", ran.log);
    assert!(world.summary().contains("all of it is new"), "{}", world.summary());
}

#[test]
fn a_base_with_errors_can_be_corrected_with_the_label() {
    let mut world = World::new(Some(&policy("2 of nobody-known")), &policy(TWO));
    let ran = world.act();
    assert_eq!(ran.code, Some(6), "{}", ran.log);
    assert!(world.summary().contains("The base's policy has errors"), "{}", world.summary());
    world.label(LABEL);
    assert_eq!(world.act().code, Some(0));
}

#[test]
fn a_malformed_policy_fails_with_its_lines_annotated() {
    let mut world = World::new(Some(&policy(TWO)), &policy("2 of nobody-known"));
    world.label(LABEL);
    let ran = world.act();
    assert_eq!(ran.code, Some(3), "no label makes it pass: {}", ran.log);
    let annotated = commands(&ran.log);
    let at = "::error file=policies/policy.yaml,line=11,";
    assert!(annotated.iter().any(|line| line.starts_with(at) && line.contains("unknown-name")), "{annotated:?}");
    assert!(world.github.comments()[0].2.contains("the policy has errors"));
}

#[test]
fn a_policy_test_that_fails_fails_the_job() {
    let world = World::stricter();
    world.write(
        "policies/policy.test.yaml",
        "cases:\n  - name: nobody suffices\n    given: { service: checkout, environment: production }\n    \
         expect: { verdict: approved }\n",
    );
    let ran = world.act();
    assert_eq!(ran.code, Some(4), "{}", ran.log);
    assert!(world.summary().contains("nobody suffices"), "{}", world.summary());
}

#[test]
fn the_summary_holds_the_markdown_of_the_change() {
    let world = World::looser();
    world.act();
    let summary = world.summary();
    assert!(summary.starts_with("<!-- countersign-diff -->\n"), "{summary}");
    assert!(summary.contains("<b>looser</b> checkout:production"), "{summary}");
    assert!(summary.contains("| check | passed |\n| tests | passed |\n| against the base | looser |"), "{summary}");
    assert!(summary.contains("1 passed, 0 failed"), "{summary}");
}

#[test]
fn the_base_is_the_merged_commit_and_not_the_one_in_the_payload() {
    let mut world = World::stricter();
    // The payload names the base at the last push. Since then the base became stricter, and GitHub merged with that.
    let old = world.git(&["rev-parse", "HEAD^1"]);
    world.git(&["checkout", "--quiet", "-B", "main", "HEAD^1"]);
    world.write("policies/policy.yaml", &policy("3 of payments"));
    world.commit("stricter");
    world.git(&["checkout", "--quiet", "-b", "again"]);
    world.write("policies/policy.yaml", &policy(TWO));
    world.commit("two of three");
    let head = world.git(&["rev-parse", "HEAD"]);
    world.git(&["checkout", "--quiet", "main"]);
    world.git(&["merge", "--quiet", "--no-ff", "-m", "test merge", "again"]);
    world.event["pull_request"]["head"]["sha"] = json!(head);
    world.event["pull_request"]["base"]["sha"] = json!(old);
    let ran = world.act();
    assert_eq!(ran.code, Some(6), "from three to two is looser: {}", ran.log);
}

#[test]
fn a_base_that_is_not_in_the_checkout_fails_with_a_message() {
    let mut world = World::stricter();
    world.git(&["checkout", "--quiet", "change"]);
    world.event["pull_request"]["base"]["sha"] = json!("0123456789012345678901234567890123456789");
    let ran = world.act();
    assert_eq!(ran.code, Some(1), "{}", ran.log);
    assert!(ran.log.contains("`fetch-depth: 2`"), "{}", ran.log);
}

#[test]
fn a_push_is_checked_and_tested_but_not_compared() {
    let mut world = World::looser();
    world.event_name = "push";
    world.event = json!({ "ref": "refs/heads/main" });
    let ran = world.act();
    assert_eq!(ran.code, Some(0), "{}", ran.log);
    assert!(world.github.requests().is_empty());
    assert!(world.summary().contains("| tests | passed |"));
}

#[test]
fn an_event_that_gives_write_access_to_forks_is_refused() {
    let mut world = World::stricter();
    world.event_name = "pull_request_target";
    let ran = world.act();
    assert_eq!(ran.code, Some(1), "{}", ran.log);
    assert!(ran.log.contains("use `pull_request`"), "{}", ran.log);
}

/// Texts that a shell, the runner, curl, jq or a path might interpret.
const HOSTILE: [&str; 7] = [
    "$(touch \"$HOME/pwned\")",
    "`touch $HOME/pwned`",
    "\"; touch \"$HOME/pwned\"; \"",
    "x\n::error::it is not so\n::add-mask::a",
    "../../../user",
    "--output=/tmp/countersign-pwned",
    "'\\''; touch $HOME/pwned #",
];

#[test]
fn hostile_texts_in_the_event_and_the_inputs_stay_texts() {
    for hostile in HOSTILE {
        let mut world = World::looser();
        world.event["pull_request"]["title"] = json!(hostile);
        world.event["pull_request"]["head"]["ref"] = json!(hostile);
        world.event["pull_request"]["base"]["ref"] = json!(hostile);
        // It is the required label, and it is set. A push removes it.
        world.label(hostile);
        world.given.push(("INPUT_LABEL", hostile.to_owned()));
        let ran = world.act();
        assert_eq!(ran.code, Some(0), "{hostile}: {}", ran.log);
        world.event["action"] = json!("synchronize");
        assert_eq!(world.run("verdict.sh", &[]).code, Some(6), "{hostile}");
        let requests = world.github.requests();
        let removals = |request: &&String| request.starts_with("DELETE /repos/acme/policy/issues/7/labels/");
        assert_eq!(requests.iter().filter(removals).count(), 1, "{requests:?}");
        assert!(!world.path("home").join("pwned").exists(), "{hostile}");
        assert!(commands(&ran.log).iter().all(|line| !line.contains("it is not so") || line.contains("%0A")));
    }
}

#[test]
fn hostile_commits_in_the_event_are_refused() {
    for hostile in HOSTILE.map(Value::from).into_iter().chain([json!(7), json!(["a"]), json!("main"), json!("--all")]) {
        let mut world = World::stricter();
        world.event["pull_request"]["base"]["sha"] = hostile.clone();
        world.event["pull_request"]["head"]["sha"] = hostile.clone();
        let ran = world.act();
        assert_eq!(ran.code, Some(1), "{hostile}: {}", ran.log);
        assert!(!world.path("home").join("pwned").exists(), "{hostile}");
    }
}

#[test]
fn a_hostile_policy_gives_the_runner_no_command_and_stays_inside_its_block() {
    let name = "\"x\\n::error::it is not so\\n::add-mask::a\\n</details>\\n\\n```\\n# taken over\"";
    let world = World::new(Some(&policy(ONE)), &policy(TWO));
    world.write(
        "policies/policy.test.yaml",
        &format!(
            "cases:\n  - name: {name}\n    given: {{ service: checkout, environment: production }}\n    \
             expect: {{ verdict: approved }}\n"
        ),
    );
    let ran = world.act();
    assert_eq!(ran.code, Some(4), "{}", ran.log);
    assert!(ran.log.contains("it is not so"), "the log shows it: {}", ran.log);
    assert!(commands(&ran.log).iter().all(|line| !line.contains("it is not so")), "{}", ran.log);
    let summary = world.summary();
    assert!(summary.lines().all(|line| !line.starts_with("# taken over")), "{summary}");
}

#[test]
fn the_program_that_reads_the_policy_has_no_token() {
    let mut world = World::stricter();
    let dump = world.path("environment");
    let program = world.path("temp").join("program");
    fs::write(&program, format!("#!/bin/sh\nenv > '{}'\n", dump.display())).expect("a program");
    world.given.push(("COUNTERSIGN_BIN", program.display().to_string()));
    world.given.push(("INPUT_TOKEN", String::new()));
    make_executable(&program);
    world.run("review.sh", &[]);
    let environment = fs::read_to_string(dump).expect("it ran");
    assert!(environment.contains("INPUT_POLICY="), "{environment}");
    assert!(!environment.contains(super::github::TOKEN), "{environment}");
}

fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it may be run");
}

#[test]
fn a_given_program_is_used_and_a_missing_one_is_reported() {
    let mut world = World::stricter();
    world.given.push(("INPUT_BINARY", env!("CARGO_BIN_EXE_countersign").to_owned()));
    assert_eq!(world.run("install.sh", &[]).code, Some(0));
    let output = fs::read_to_string(world.path("output")).expect("an output");
    assert_eq!(output, format!("binary={}\n", env!("CARGO_BIN_EXE_countersign")));
    world.given.push(("INPUT_BINARY", "/nowhere/countersign".to_owned()));
    let ran = world.run("install.sh", &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.log.contains("there is no program at `/nowhere/countersign`"), "{}", ran.log);
}

#[test]
fn a_built_program_is_cached_under_the_digest_of_its_source() {
    let world = World::stricter();
    for _ in 0..2 {
        assert_eq!(world.run("install.sh", &["key"]).code, Some(0));
    }
    let output = fs::read_to_string(world.path("output")).expect("an output");
    let keys: Vec<&str> = output.lines().filter(|line| line.starts_with("key=countersign-")).collect();
    assert_eq!(keys.len(), 2, "{output}");
    assert_eq!(keys[0], keys[1]);
    let digest = keys[0].rsplit('-').next().expect("a digest");
    assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
}
