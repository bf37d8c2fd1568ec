//! Check runs, comments, review requests and deployments: GitHub's limits, also those that its description lacks.

use serde_json::json;

use super::*;
use crate::adapters::embedded::simulator::change::{CheckWrite, NewDeployment, NewDeploymentStatus, Reviewers};
use crate::adapters::embedded::simulator::published::{CheckAction, CheckOutput};

const APP: &str = "countersign[bot]";

fn check() -> CheckWrite {
    let output = CheckOutput { title: Some("waits".into()), summary: Some("so".into()), text: None };
    CheckWrite {
        name: Some("countersign / a / b".into()),
        head_sha: Some(sha('a')),
        status: Some("in_progress".into()),
        output: Some(output),
        ..CheckWrite::default()
    }
}

fn saying(summary: String, text: Option<String>) -> CheckWrite {
    let output = CheckOutput { title: Some("waits".into()), summary: Some(summary), text };
    CheckWrite { output: Some(output), ..check() }
}

fn buttons(count: usize, label: &str) -> CheckWrite {
    let button = CheckAction { label: label.into(), description: "d".repeat(40), identifier: "i".repeat(20) };
    CheckWrite { actions: Some(vec![button; count]), ..check() }
}

impl Scene {
    fn make_check(&self, by: &str, write: &CheckWrite) -> Result<u64, Refusal> {
        self.host.change(|change| change.create_check(&login(by), &repository(), write))
    }

    fn request_reviews(&self, people: &[&str], teams: &[&str]) -> Result<(), Refusal> {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let named = Reviewers { reviewers: texts(people), team_reviewers: texts(teams) };
        self.host.change(|change| change.request_reviews(&login(APP), &first(), &named))
    }

    fn requested(&self) -> (usize, usize) {
        (self.pull().requested_reviewers.len(), self.pull().requested_teams.len())
    }

    fn deploy(&self, required: Option<Vec<String>>) -> Result<u64, Refusal> {
        let new = NewDeployment {
            reference: sha('a').to_string(),
            environment: Some("staging".into()),
            required_contexts: required,
            ..NewDeployment::default()
        };
        self.host.change(|change| change.deploy(&login(APP), &repository(), &new))
    }

    fn status(&self, id: u64, state: &str, auto_inactive: Option<bool>) -> Result<u64, Refusal> {
        let new = NewDeploymentStatus { state: state.into(), description: None, auto_inactive };
        self.host.change(|change| change.set_deployment(&login(APP), &repository(), id, &new))
    }

    fn states(&self, id: u64) -> Vec<String> {
        self.host.world().deployments[&id].statuses.iter().map(|status| status.state.clone()).collect()
    }
}

#[test]
fn only_an_app_creates_a_check_run_and_only_on_a_known_commit() {
    let scene = Scene::new();
    assert_eq!(scene.make_check("pia", &check()).unwrap_err().status(), 403);
    let elsewhere = CheckWrite { head_sha: Some(sha('e')), ..check() };
    assert_eq!(scene.make_check(APP, &elsewhere).unwrap_err().status(), 422);
    assert!(scene.make_check(APP, &check()).is_ok());
}

#[test]
fn the_output_of_a_check_run_is_limited_in_bytes() {
    let scene = Scene::new();
    for (write, taken) in [
        (saying("a".repeat(65_535), Some("a".repeat(65_535))), true),
        (saying("a".repeat(65_536), None), false),
        (saying("a".into(), Some("ä".repeat(32_767))), true),
        (saying("a".into(), Some("ä".repeat(32_768))), false),
    ] {
        assert_eq!(scene.make_check(APP, &write).is_ok(), taken);
    }
    let bare =
        CheckWrite { output: Some(CheckOutput { title: Some("t".into()), ..CheckOutput::default() }), ..check() };
    assert_eq!(scene.make_check(APP, &bare).unwrap_err().status(), 422);
}

#[test]
fn a_completed_check_run_has_a_conclusion_and_a_resumed_one_has_none() {
    let scene = Scene::new();
    let ended = |conclusion: Option<&str>| CheckWrite {
        status: Some("completed".into()),
        conclusion: conclusion.map(Into::into),
        ..check()
    };
    assert_eq!(scene.make_check(APP, &ended(None)).unwrap_err().status(), 422);
    assert_eq!(scene.make_check(APP, &ended(Some("fine"))).unwrap_err().status(), 422);
    let id = scene.make_check(APP, &ended(Some("success"))).unwrap();
    assert!(scene.host.world().checks[&id].completed_at.is_some());
    scene.host.change(|change| change.update_check(&login(APP), &repository(), id, &check())).unwrap();
    let run = scene.host.world().checks[&id].clone();
    assert_eq!((run.status.as_str(), run.conclusion.clone(), run.completed_at), ("in_progress", None, None));
}

#[test]
fn a_check_run_has_at_most_three_buttons_with_short_labels() {
    let scene = Scene::new();
    assert!(scene.make_check(APP, &buttons(3, &"l".repeat(20))).is_ok());
    assert_eq!(scene.make_check(APP, &buttons(4, "l")).unwrap_err().status(), 422);
    assert_eq!(scene.make_check(APP, &buttons(1, &"l".repeat(21))).unwrap_err().status(), 422);
    let id = scene.make_check(APP, &buttons(1, "l")).unwrap();
    let press = |button: &str| scene.host.change(|change| change.press(&login("pia"), &repository(), id, Some(button)));
    assert!(press(&"i".repeat(20)).is_ok() && press("other").is_err());
}

#[test]
fn a_comment_is_neither_blank_nor_too_long() {
    let scene = Scene::new();
    let write = |body: &str| scene.host.change(|change| change.comment(&login("pia"), &first(), body));
    assert!(write(&"ä".repeat(65_536)).is_ok());
    assert_eq!(write(&"a".repeat(65_537)).unwrap_err().status(), 422);
    assert_eq!(write(" \n").unwrap_err().status(), 422);
}

#[test]
fn reviews_are_requested_from_all_who_are_named_or_from_nobody() {
    let scene = Scene::new();
    for (people, teams) in [(vec!["pia", "dave"], vec![]), (vec!["pia", "nobody"], vec![]), (vec!["pia"], vec!["none"])]
    {
        assert_eq!(scene.request_reviews(&people, &teams).unwrap_err().status(), 422);
        assert_eq!(scene.requested(), (0, 0));
    }
    assert_eq!(scene.request_reviews(&[APP], &[]).unwrap_err().status(), 422);
    scene.request_reviews(&["pia", "lee"], &["payments"]).unwrap();
    assert_eq!(scene.requested(), (2, 1));
    // A review fulfils the requests to the reviewer and to the team.
    scene.approve("pia");
    assert_eq!(scene.requested(), (1, 0));
}

#[test]
fn a_deployment_needs_successful_checks_unless_it_requires_none() {
    let scene = Scene::new();
    scene.make_check(APP, &check()).unwrap();
    assert_eq!(scene.deploy(None).unwrap_err().status(), 409);
    assert!(scene.deploy(Some(Vec::new())).is_ok());
}

#[test]
fn a_success_makes_earlier_deployments_to_the_environment_inactive_unless_it_opts_out() {
    let scene = Scene::new();
    let (one, two) = (scene.deploy(None).unwrap(), scene.deploy(None).unwrap());
    assert_eq!(scene.status(one, "done", None).unwrap_err().status(), 422);
    scene.status(one, "success", Some(false)).unwrap();
    scene.status(two, "success", Some(false)).unwrap();
    assert_eq!(scene.states(one), ["success"]);
    scene.status(two, "success", None).unwrap();
    assert_eq!(scene.states(one), ["success", "inactive"]);
    // Only a successful deployment becomes inactive, and only once.
    let waiting = scene.deploy(None).unwrap();
    scene.status(waiting, "pending", None).unwrap();
    scene.status(two, "success", None).unwrap();
    assert_eq!((scene.states(one).len(), scene.states(waiting)), (2, vec!["pending".to_owned()]));
}

#[test]
fn published_records_survive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(MovableClock::fixed("2026-11-18T10:00:00Z".parse().unwrap()));
    let host = GithubSimulator::open(folder.path(), clock.clone()).unwrap();
    host.change(populate).unwrap();
    let scene = Scene { host, clock: clock.clone() };
    let run = scene.make_check(APP, &check()).unwrap();
    let made = scene.deploy(Some(Vec::new())).unwrap();
    scene.request_reviews(&["pia"], &["payments"]).unwrap();
    let comment = scene.host.change(|change| change.comment(&login("pia"), &first(), "so")).unwrap();
    let before = scene.host.world();
    drop(scene);
    let after = GithubSimulator::open(folder.path(), clock).unwrap().world();
    assert_eq!(after.checks[&run], before.checks[&run]);
    assert_eq!(after.deployments[&made], before.deployments[&made]);
    assert_eq!(after.comments[&comment], before.comments[&comment]);
    assert_eq!(after.pull(&first()).unwrap().requested_teams.len(), 1);
}

#[test]
fn a_pressed_button_is_delivered_with_the_check_and_its_repository() {
    let scene = Scene::new();
    scene.host.change(|change| change.set_hook("http://127.0.0.1:9/", "secret")).unwrap();
    let write = CheckWrite { external_id: Some("req-1".into()), ..buttons(1, "l") };
    let id = scene.make_check(APP, &write).unwrap();
    let button = "i".repeat(20);
    scene.host.change(|change| change.press(&login("pia"), &repository(), id, Some(&button))).unwrap();
    let world = scene.host.world();
    let delivery = world.deliveries.values().next_back().unwrap();
    let body: serde_json::Value = serde_json::from_str(&delivery.body).unwrap();
    assert_eq!((delivery.event.as_str(), delivery.action.as_deref()), ("check_run", Some("requested_action")));
    assert_eq!(body["requested_action"], json!({ "identifier": button }));
    assert_eq!(body["check_run"]["external_id"], "req-1");
    assert_eq!(body["check_run"]["pull_requests"][0]["number"], 1);
    assert_eq!(body["repository"]["full_name"], "acme/checkout");
}
