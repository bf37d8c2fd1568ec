//! An organization with everything that the simulator can have.

use std::sync::Arc;

use countersign::adapters::embedded::clock::MovableClock;
use countersign::adapters::embedded::simulator::change::{
    Attribution, Change, CheckWrite, NewAccount, NewApp, NewCommit, NewMember, NewProtected, NewPullRequest,
    NewRepository, NewReview, NewTeam, PullRequestEdit, Push, ReviewEvent, Reviewers,
};
use countersign::adapters::embedded::simulator::published::CheckAction;
use countersign::adapters::embedded::simulator::world::{AccountType, FileChange, MembershipState, Switches};
use countersign::adapters::embedded::simulator::{GithubSimulator, Refusal};
use countersign::ident::{Login, PullRequestRef, RepositoryName, Revision, TeamSlug};

use crate::github_world::APP_PUBLIC_KEY;

/// More than a page of a hundred.
pub(crate) const FILES: usize = 130;
/// More than a page of a hundred.
pub(crate) const COMMITS: usize = 104;

pub(crate) fn login(text: &str) -> Login {
    Login::new(text).expect("a login")
}

pub(crate) fn checkout() -> RepositoryName {
    RepositoryName::new("acme/checkout").expect("a repository")
}

pub(crate) fn pull(number: u64) -> PullRequestRef {
    PullRequestRef { repository: checkout(), number }
}

fn team(text: &str) -> TeamSlug {
    TeamSlug::new(text).expect("a team")
}

/// A commit whose hash is the number.
pub(crate) fn sha(number: usize) -> Revision {
    Revision::new(&format!("{number:040x}")).expect("a commit")
}

pub(crate) fn commit(number: usize, files: Vec<FileChange>) -> NewCommit {
    NewCommit { sha: Some(sha(number)), files, ..NewCommit::default() }
}

fn file(path: String) -> FileChange {
    FileChange { path, previous_path: None, additions: 10, deletions: 2 }
}

/// A clock that stands still.
pub(crate) fn clock() -> Arc<MovableClock> {
    Arc::new(MovableClock::fixed("2026-11-18T10:00:00Z".parse().expect("an instant")))
}

/// dave opened acme/checkout#1, which has more than a page of everything, a renamed file and commits of nobody. #2 comes from a
/// fork, #3 is merged, #4 is a draft of a deleted account. pia and pat are in acme/payments, pat through a child team; lee
/// is only invited. acme/everyone has more than a page of members.
pub(crate) fn simulator() -> GithubSimulator {
    let host = GithubSimulator::in_memory(clock()).expect("a simulator");
    host.change(|change| {
        change.set_app(&NewApp { slug: "countersign".into(), public_key: APP_PUBLIC_KEY.into() })?;
        people(change)?;
        requests(change)
    })
    .expect("it is set up");
    host
}

fn people(change: &mut Change<'_>) -> Result<(), Refusal> {
    let user = |name: &str| NewAccount { login: login(name), id: None, kind: AccountType::User };
    for name in ["dave", "pia", "pat", "lee", "eve", "gone"] {
        change.create_account(&user(name))?;
    }
    change.create_account(&NewAccount { kind: AccountType::Bot, ..user("renovate[bot]") })?;
    let mut everyone = Vec::new();
    for number in 0..120 {
        let name = format!("member-{number}");
        change.create_account(&user(&name))?;
        everyone.push(NewMember { login: login(&name), state: MembershipState::Active });
    }
    let member = |name: &str, state| NewMember { login: login(name), state };
    let new = |slug: &str, parent: Option<&str>, members| NewTeam {
        team: team(slug),
        name: None,
        parent: parent.map(team),
        members,
    };
    let (active, pending) = (MembershipState::Active, MembershipState::Pending);
    change.create_team(&new("acme/payments", None, vec![member("pia", active), member("lee", pending)]))?;
    change.create_team(&new("acme/payments-core", Some("acme/payments"), vec![member("pat", active)]))?;
    change.create_team(&new("acme/everyone", None, everyone))?;
    Ok(())
}

fn requests(change: &mut Change<'_>) -> Result<(), Refusal> {
    let new = NewRepository { name: checkout(), default_branch: None, switches: Switches::default() };
    change.create_repository(&new)?;
    let push = |by: &str, commits| Push { by: login(by), commits, force: false, rebind_reviews: false };
    let open = |title: &str, head: &str| NewPullRequest {
        title: title.to_owned(),
        head: head.to_owned(),
        base: "main".to_owned(),
        body: Some("why".to_owned()),
        draft: false,
    };

    let mut files: Vec<FileChange> = (0..FILES - 1).map(|number| file(format!("src/{number}.rs"))).collect();
    files.push(FileChange { previous_path: Some("old name.txt".into()), ..file("new näme.txt".into()) });
    let mut commits = vec![commit(1, files)];
    commits.extend((2..COMMITS).map(|number| commit(number, vec![file("src/0.rs".into())])));
    commits.push(NewCommit {
        author: Attribution::Nobody,
        committer: Attribution::Account(login("eve")),
        ..commit(COMMITS, vec![])
    });
    change.push(&checkout(), "feature", &push("dave", commits))?;
    change.open(&login("dave"), &checkout(), &open("Retry payments", "feature"))?;
    change.label(&login("dave"), &pull(1), &["hotfix".into(), "needs care/1".into()])?;

    let fork = RepositoryName::new("eve/checkout").expect("a repository");
    change.create_fork(&checkout(), &login("eve"))?;
    change.push(&fork, "typo", &push("eve", vec![commit(2000, vec![file("README.md".into())])]))?;
    change.open(&login("eve"), &checkout(), &open("Fix a typo", "eve:typo"))?;

    change.push(&checkout(), "old", &push("dave", vec![commit(3000, vec![file("a".into())])]))?;
    change.open(&login("dave"), &checkout(), &open("Merged long ago", "old"))?;
    let approval = NewReview { event: Some(ReviewEvent::Approve), body: None, commit_id: None };
    change.review(&login("pia"), &pull(3), &approval)?;
    change.merge(&login("pia"), &pull(3), &Default::default())?;

    change.push(&checkout(), "orphan", &push("gone", vec![commit(4000, vec![file("b".into())])]))?;
    change.open(&login("gone"), &checkout(), &NewPullRequest { draft: true, ..open("Nobody's", "orphan") })?;
    change.delete_account(&login("gone"))
}

/// Queues every kind of delivery.
pub(crate) fn deliver_everything(url: &str, secret: &str) -> GithubSimulator {
    let host = simulator();
    host.change(|change| {
        change.set_hook(url, secret)?;
        let (dave, pia, at) = (login("dave"), login("pia"), pull(2));
        let review = |event| NewReview { event: Some(event), body: Some("so".into()), commit_id: None };
        let approval = change.review(&pia, &at, &review(ReviewEvent::Approve))?;
        change.review(&login("pat"), &at, &review(ReviewEvent::RequestChanges))?;
        change.review(&dave, &at, &NewReview { body: Some("hm".into()), ..review(ReviewEvent::Comment) })?;
        change.edit_review(&pia, &at, approval, "fine")?;
        change.dismiss(&dave, &at, approval, "not any more")?;
        change.label(&dave, &at, &["hotfix".into()])?;
        change.unlabel(&dave, &at, "hotfix")?;
        let fix = Push { by: login("eve"), commits: vec![commit(2001, vec![])], force: false, rebind_reviews: false };
        change.push_to_pull(&at, &fix)?;
        change.edit(&dave, &at, &edit(|edit| edit.title = Some("Fix two typos".into())))?;
        change.push(&checkout(), "release", &Push { commits: vec![commit(5000, vec![])], ..fix })?;
        change.edit(&dave, &at, &edit(|edit| edit.base = Some("release".into())))?;
        change.edit(&dave, &at, &edit(|edit| edit.state = Some("closed".into())))?;
        change.edit(&dave, &at, &edit(|edit| edit.state = Some("open".into())))?;
        request(change, &at)?;
        change.merge(&pia, &at, &Default::default())?;
        let again =
            NewPullRequest { title: "Again".into(), head: "old".into(), base: "release".into(), ..Default::default() };
        change.open(&dave, &checkout(), &again)?;
        Ok(())
    })
    .expect("everything happens");
    host
}

/// Requests and removes reviews, rerequests a check, presses its button, and starts a deployment of Actions.
fn request(change: &mut Change<'_>, at: &PullRequestRef) -> Result<(), Refusal> {
    let (dave, app) = (login("dave"), login("countersign[bot]"));
    let both = Reviewers { reviewers: vec!["pia".into()], team_reviewers: vec!["payments-core".into()] };
    change.request_reviews(&app, at, &both)?;
    change.unrequest_reviews(&dave, at, &both)?;
    let action = CheckAction { label: "Go".into(), description: "Goes".into(), identifier: "go".into() };
    let check = CheckWrite {
        name: Some("countersign / checkout / production".into()),
        head_sha: Some(sha(COMMITS)),
        actions: Some(vec![action]),
        ..CheckWrite::default()
    };
    let check = change.create_check(&app, &checkout(), &check)?;
    change.press(&dave, &checkout(), check, None)?;
    change.press(&dave, &checkout(), check, Some("go"))?;
    let (environment, sha) = ("production".to_owned(), sha(COMMITS));
    let run = NewProtected { by: dave, environment, sha, reference: None, event: None };
    change.deploy_from_actions(&checkout(), &run).map(drop)
}

fn edit(set: impl FnOnce(&mut PullRequestEdit)) -> PullRequestEdit {
    let mut edit = PullRequestEdit::default();
    set(&mut edit);
    edit
}
