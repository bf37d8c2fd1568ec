//! `countersign decide`: one set of facts or many, and the errors for those that are invalid.
#![expect(clippy::indexing_slicing, clippy::string_slice, reason = "a key that is missing fails the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use serde_json::{Value, json};

use crate::command_line::{Countersign, Ran, assert_expected};

const FACTS: &str = include_str!("../facts/checkout.json");

fn facts() -> Value {
    serde_json::from_str(FACTS).expect("the facts are JSON")
}

/// Facts with the second payments approval, so that the request is approved.
fn approved() -> Value {
    let mut facts = facts();
    let mut review = facts["reviews"][0].clone();
    review["id"] = json!(9009);
    review["user"] = json!({ "id": 2, "login": "pat", "type": "User" });
    facts["reviews"].as_array_mut().expect("reviews are a list").push(review);
    facts
}

fn decide(words: &str, stdin: impl Into<Vec<u8>>) -> Ran {
    Countersign::new(format!("decide --policy sound --facts - {words}").trim_end()).stdin(stdin).run()
}

#[test]
fn a_decision_is_printed_with_everything_it_rests_on() {
    let ran = Countersign::new("decide --policy sound --facts facts/checkout.json").run();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_expected("facts/checkout.expected", &ran.stdout);
}

#[test]
fn as_json_it_is_the_decision_itself() {
    let document = decide("--format json", FACTS).json();
    assert_eq!(document["verdict"], "pending");
    let decision: countersign::approval::decision::Decision =
        serde_json::from_value(document.clone()).expect("it reads as a decision");
    assert_eq!(serde_json::to_value(&decision).expect("and is written as one"), document);
}

#[test]
fn if_approval_is_required_any_other_verdict_exits_with_5() {
    assert_eq!(decide("--require-approved", FACTS).code, Some(5));
    let ran = decide("--require-approved", approved().to_string());
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("approved: "), "{}", ran.stdout);
}

#[test]
fn every_line_gets_its_answer_in_order() {
    let input = format!("{}\n\n{{\"schema\":1}}\nx\n\u{feff}\n{}", facts(), approved()).into_bytes();
    let input = [input, b"\n\xff\xfe".to_vec()].concat();
    let ran = decide("--lines", input.clone());
    let lines = ran.json_lines();
    let seen: Vec<&Value> = lines.iter().map(|line| line.get("verdict").unwrap_or(&line["error"]["code"])).collect();
    assert_eq!(seen, ["pending", "invalid-facts", "invalid-json", "invalid-json", "approved", "not-utf8"]);
    assert_eq!(
        lines.iter().map(|line| line["line"].as_u64()).collect::<Vec<_>>(),
        [None, Some(3), Some(4), Some(5), None, Some(7)]
    );
    assert!(lines.iter().all(|line| line["schema"] == 1));
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.starts_with("error: 4 of 6 lines are not valid facts"), "{}", ran.stderr);
    assert_eq!(decide("--lines --require-approved", input).code, Some(5));
}

#[test]
fn lines_fail_closed_if_approval_is_required() {
    let good = approved().to_string();
    let exit = |input: &str| decide("--lines --require-approved", input).code;
    assert_eq!(exit(&format!("{good}\n{good}\n")), Some(0));
    assert_eq!(exit(&format!("{good}\n{}\n", facts())), Some(5), "a pending line");
    assert_eq!(exit(&format!("{good}\n{{\n")), Some(5), "a broken line");
    assert_eq!(exit(&format!("{good}\n{}", &good[..good.len() / 2])), Some(5), "a line that was cut off");
    assert_eq!(exit(""), Some(5), "no line at all");
    assert_eq!(exit("\n\n"), Some(5), "blank lines only");
    assert_eq!(decide("--lines", "").code, Some(0));
}

#[test]
fn a_line_without_end_is_refused_within_bounded_memory() {
    let mut input = vec![b' '; (64 << 20) + 2];
    input.extend_from_slice(format!("\n{}\n", facts()).as_bytes());
    let ran = decide("--lines", input);
    let lines = ran.json_lines();
    assert_eq!((lines[0]["error"]["code"].as_str(), lines[0]["line"].as_u64()), (Some("facts-too-long"), Some(1)));
    assert_eq!(lines[1]["verdict"], "pending");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn each_line_is_answered_before_the_next_is_read() {
    let run = Countersign::new("decide --policy sound --facts - --lines");
    let mut child = run.command().spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
    for _ in 0..3 {
        writeln!(stdin, "{}", facts()).and_then(|()| stdin.flush()).expect("the command reads");
        let mut answer = String::new();
        stdout.read_line(&mut answer).expect("the command answers");
        assert!(answer.contains("\"verdict\":\"pending\""), "{answer}");
    }
    drop(stdin);
    assert_eq!(child.wait().expect("the command ends").code(), Some(0));
}

#[test]
fn a_closed_output_is_neither_a_panic_nor_a_success() {
    let run = Countersign::new("decide --policy sound --facts - --lines");
    let mut child = run.command().spawn().expect("the command starts");
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    // The command may end before all is written.
    let _ = writeln!(stdin, "{}", approved());
    drop(stdin);
    let mut stderr = String::new();
    child.stderr.take().expect("stderr is a pipe").read_to_string(&mut stderr).expect("stderr is text");
    assert_eq!((child.wait().expect("the command ends").code(), stderr.as_str()), (Some(1), ""));
}

#[test]
fn invalid_facts_are_reported_with_their_place_and_a_hint() {
    let mut wrong = facts();
    wrong["reviews"][1]["state"] = json!("aproved");
    let ran = decide("--format json", wrong.to_string());
    assert_eq!(ran.code, Some(1));
    let error = &ran.json()["error"];
    assert!(
        error["message"].as_str().is_some_and(|message| message.starts_with("`reviews[1].state` is `aproved`")),
        "{error}"
    );
    assert_eq!(error["hint"], "did you mean `approved`?");
    assert!(ran.stderr.contains("hint: did you mean `approved`?"), "{}", ran.stderr);
}

#[test]
fn a_missing_file_of_facts_is_named() {
    let ran = Countersign::new("decide --policy sound --facts facts/nowhere.json").run();
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.starts_with("error: there is no file of facts at `facts/nowhere.json`\nhint: "),
        "{}",
        ran.stderr
    );
    assert_eq!(Countersign::new("decide --policy sound").run().code, Some(2));
}

#[test]
fn facts_given_as_a_list_are_refused_as_a_list() {
    let ran = Countersign::new("decide --policy sound --facts -").stdin("[1, null]").run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("the facts are a list"), "{}", ran.stderr);
}
