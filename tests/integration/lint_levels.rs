//! The levels of lints that `check` is given, how it counts waived findings, and the formats of other tools.

use serde_json::Value;

use crate::command_line::Countersign;

const UNUSED: &str = "lint/unused-group/bad.yaml";

#[test]
fn a_warning_is_denied_from_its_severity_or_by_its_code() {
    let ends = |words: &str| Countersign::new(&format!("check {UNUSED} {words}")).run().code;
    assert_eq!(ends("--deny error"), Some(0));
    assert_eq!(ends("--deny warning"), Some(3));
    assert_eq!(ends("--deny note"), Some(3));
    assert_eq!(ends("--deny unused-group"), Some(3));
    assert_eq!(ends("--deny unused-channel,sole-approver --deny unused-group"), Some(3));
    assert_eq!(ends("--deny unused-channel"), Some(0));
    assert_eq!(ends("--deny warning --allow unused-group"), Some(0));
}

#[test]
fn a_level_changes_the_severity_of_a_finding() {
    let severity = |words: &str| {
        let document =
            Countersign::new(&format!("check --allow unpinned-login{words} --format json lint/sole-approver/bad.yaml"))
                .run()
                .json();
        (document["findings"][0]["severity"].clone(), document["notes"].clone(), document["warnings"].clone())
    };
    assert_eq!(severity(""), ("note".into(), 1.into(), 0.into()));
    assert_eq!(severity(" --warn sole-approver"), ("warning".into(), 0.into(), 1.into()));
    assert_eq!(severity(" --deny sole-approver"), ("error".into(), 0.into(), 0.into()));
    assert_eq!(severity(" --allow sole-approver"), (Value::Null, 0.into(), 0.into()));
}

#[test]
fn a_code_that_is_unknown_or_not_a_lint_or_has_two_levels_is_wrong_usage() {
    for (words, said) in [
        ("--allow unsed-group", "did you mean `unused-group`?"),
        ("--deny warnin", "did you mean `warning`?"),
        ("--deny everything", "`docs/findings.md` lists the codes"),
        ("--allow none-for-all", "`none-for-all` is not a lint: a policy that has it cannot be used, at any level"),
        ("--warn version", "`version` is not a lint"),
        ("--deny unused-group --allow unused-group", "`unused-group` is given to both `--deny` and `--allow`"),
    ] {
        let ran = Countersign::new(&format!("check sound {words}")).run();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{words}");
        assert!(ran.stderr.contains(said), "{words}: {}", ran.stderr);
    }
}

#[test]
fn waived_findings_are_counted_and_listed_with_their_reasons() {
    let waived = "lint/unused-waiver/good.yaml";
    let ran = Countersign::new(&format!("check --deny sole-approver --allow unpinned-login {waived}")).run();
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("; 0 errors, 0 warnings, 1 waived\n"), "{}", ran.stdout);
    let document = Countersign::new(&format!("check --format json {waived}")).run().json();
    assert_eq!(document["waived"][0]["code"], "sole-approver");
    assert_eq!(document["waived"][0]["reason"], "only Dana knows the tax rules");
    assert_eq!(document["waived"][0]["line"], 9);
    assert_eq!(
        Countersign::new(&format!("check --format json {UNUSED}")).run().json()["waived"],
        Value::Array(Vec::new())
    );
}

#[test]
fn a_missing_path_does_not_hide_the_others() {
    let paths = format!("sound lint/nowhere {UNUSED}");
    let ran = Countersign::new(&format!("check --format json --deny warning {paths}")).run();
    let lines = ran.json_lines();
    assert_eq!((ran.code, lines.len()), (Some(1), 3));
    assert_eq!(lines.iter().map(|line| line["path"].clone()).collect::<Vec<_>>(), ["sound", "lint/nowhere", UNUSED]);
    assert_eq!(lines[1]["error"]["code"], "policy-missing");
    assert_eq!((&lines[0]["error"], &lines[2]["warnings"]), (&Value::Null, &1.into()));
    assert!(ran.stderr.starts_with("error: there is no policy at `lint/nowhere`\n"), "{}", ran.stderr);
    let ran = Countersign::new(&format!("check {paths}")).run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains(&format!("== lint/nowhere\n== {UNUSED}\nwarning[unused-group]")), "{}", ran.stdout);
}

#[test]
fn a_workflow_gets_a_command_for_each_finding_with_a_path_from_its_working_directory() {
    let ran =
        Countersign::new("check --format github lint/invalid-waiver/bad-load-error.yaml ./lint/duplicate-name/bad")
            .run();
    assert_eq!(ran.code, Some(3));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", ran.stdout);
    assert!(lines[0].starts_with("::error file=lint/invalid-waiver/bad-load-error.yaml,line=3,endLine=3,col=3,"));
    assert!(lines[1].contains(",title=none-for-all::`require: none` under the environment `*` lets"));
    assert!(lines[2].starts_with("::error file=lint/duplicate-name/bad/b.yaml,line=2,"), "{}", lines[2]);
    assert!(lines.iter().all(|line| line.contains("%0Ahelp: ")));
}

#[test]
fn only_check_prints_the_formats_of_findings() {
    for words in ["explain checkout production", "decide --facts -", "test", "dev", "demo"] {
        for format in ["sarif", "github"] {
            let ran = Countersign::new(&format!("{words} --format {format}")).run();
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{words}");
            let error =
                format!("error: invalid value '{format}' for '--format <FORMAT>'\n  [possible values: text, json]\n");
            assert!(ran.stderr.starts_with(&error), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_calendar_is_over_from_its_end_and_check_accepts_any_time() {
    let findings = |words: &str| {
        let arguments = format!("check --format json --allow unpinned-login lint/calendar-over/bad.yaml{words}");
        let ran = Countersign::new(&arguments).run();
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.json()["findings"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(findings(" --at 2024-12-31T23:59:59Z"), 0);
    assert_eq!(findings(" --at 2025-01-03T00:00:00Z"), 1);
    assert_eq!(findings(""), 1, "that day is past");
    let ran = Countersign::new("check sound --at tomorrow").run();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
}
