//! Test files: the facts of a case, and the steps that may follow.

use serde_json::Value;

use super::build::{
    Keys, Node, any_of, anything, defined, document, flag, keys, list, map_of, matching, number, some_of, some_text,
    text, words,
};
use super::{expect, form};
use crate::approval::facts::{BoundBy, ReviewState};

pub(super) fn schema(id: &str) -> Value {
    let mut definitions = form::shared();
    definitions.extend([
        ("instant", instant()),
        ("person", person()),
        ("given", given()),
        ("pull_request", pull_request()),
        ("changed_file", changed_file()),
        ("requester", requester()),
        ("commit", commit()),
        ("review", review()),
        ("veto", veto()),
        ("step", step()),
        ("case", case()),
    ]);
    definitions.extend(expect::definitions());
    let root = keys()
        .key("defaults", defined("given"), "Facts that every case starts from. A case replaces them field by field.")
        .must("cases", some_of(defined("case")), "The tests. Each needs a unique name.")
        .node();
    document(id, "countersign policy tests", root.says("Policy tests, run by `countersign test`."), definitions)
}

fn case() -> Node {
    keys()
        .must("name", matching(r"\S"), "What the case shows, as a sentence.")
        .key("given", defined("given"), "The facts. A fact that is left out has a default.")
        .key(
            "expect",
            defined("decision"),
            "What the decision must contain. Only the keys that you write are compared.",
        )
        .key("steps", some_of(defined("step")), "Events in order, each with what is expected after it.")
        .one_of(&["expect", "steps"])
        .node()
}

fn instant() -> Node {
    let time = "[0-9]{2}(:?[0-9]{2}){0,2}([.,][0-9]+)?";
    let offset = r"([Zz]|[+-][0-9]{2}(:?[0-9]{2}){0,2})(\[[^\]]+\])*";
    matching(&format!("^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt ]{time}{offset}$"))
        .says("A point in time, with its offset from UTC.")
        .examples(["2026-11-18T10:00:00Z"])
}

fn person() -> Node {
    let in_full = keys()
        .must("login", some_text(), "The login.")
        .key("id", number(0), "The numeric id. Default: derived from the login.")
        .key(
            "type",
            words(["User", "Bot", "Organization", "Mannequin", "Other"]),
            "The type of account, as GitHub reports it.",
        )
        .node();
    any_of([some_text(), in_full]).says("A person: the login, or a mapping with `login`, `id` and `type`.")
}

fn requester() -> Node {
    let in_full = keys()
        .must("login", some_text(), "The login.")
        .key("id", number(0).or_null(), "The numeric id. Default: derived from the login. `null`: not known.")
        .node();
    any_of([some_text(), in_full]).says("A requester: the login, or a mapping with `login` and `id`.")
}

fn given() -> Node {
    keys()
        .key("service", defined("name"), "The service that is deployed.")
        .key("environment", defined("name"), "The environment that it is deployed to.")
        .key("now", defined("instant").default("2026-01-01T00:00:00Z"), "When the decision is made.")
        .key(
            "requested_at",
            defined("instant").or_null(),
            "When the gate opened the request. Default: an hour before `now`. `null`: not yet.",
        )
        .key("approved_at", defined("instant").or_null(), "When the request was settled as approved.")
        .key("input", map_of(text(), anything()), "The execution's input, for the condition `input`.")
        .key("version", text().or_null(), "The version that is deployed.")
        .key("requester", defined("requester").or_null(), "Who requested the deployment.")
        .key("revision", some_text().or_null(), "The commit that is deployed. Default: the head.")
        .key("pull_request", any_of([defined("pull_request"), Node::null()]), "The pull request. `null`: none.")
        .key(
            "teams",
            map_of(matching("^[^/]+/[^/]+$"), list(defined("person"))),
            "The members of each team, by `org/slug`.",
        )
        .key("reviews", list(defined("review")), "The reviews, in any order.")
        .key(
            "vetoes",
            list(defined("veto")),
            "Requests for changes that ended an earlier request for the same revision.",
        )
        .node()
}

fn pull_request() -> Node {
    let at = || defined("instant").or_null();
    keys()
        .key("repository", some_text(), "The repository, `owner/name`. Default: one that the rule allows.")
        .key("number", number(0).default(1), "Its number.")
        .key("author", defined("person").or_null(), "Who opened it. `null`: a deleted account.")
        .key("head", some_text().default("a1"), "Its head commit.")
        .key("head_first_seen", at(), "When the head became the head. Default: a day before `now`.")
        .key("base", text(), "The base branch. Default: one that the rule allows.")
        .key("base_changed_at", at(), "When the base branch was last changed.")
        .key("default_branch", text().default("main"), "The repository's default branch.")
        .key("state", words(["open", "closed"]).default("open"), "Whether it is open.")
        .key("merged", flag().default(false), "Whether it is merged.")
        .key("merge_commit", some_text().or_null(), "The merge commit.")
        .key("labels", list(text()), "Its labels.")
        .key("additions", number(0).default(0), "How many lines it adds.")
        .key("deletions", number(0).default(0), "How many lines it deletes.")
        .key("files", list(defined("changed_file")), "The files that it changes.")
        .key("files_complete", flag().default(true), "Whether these are all.")
        .key("commits", list(defined("commit")), "Its commits. Default: one by the author.")
        .key("commits_complete", flag().default(true), "Whether these are all.")
        .key("pushers", list(defined("person")), "Who pushed to its branch. Default: the author.")
        .key("pushers_complete", flag().default(true), "Whether these are all.")
        .node()
}

fn changed_file() -> Node {
    let in_full = keys()
        .must("path", some_text(), "Its path.")
        .key("previous_path", text().or_null(), "Its path before it was renamed.")
        .node();
    any_of([text(), in_full]).says("A file: its path, or a mapping with `path`.")
}

fn commit() -> Node {
    keys()
        .key("sha", some_text(), "The commit.")
        .key("author", defined("person").or_null(), "Its git author. `null`: no GitHub account.")
        .key("committer", defined("person").or_null(), "Its git committer. `null`: no GitHub account.")
        .key("co_authors", list(defined("person")), "The accounts of its `Co-authored-by` lines.")
        .key("verified", flag().default(true), "Whether GitHub has verified its signature.")
        .key("parents", list(some_text()), "Its parents, in their order.")
        .node()
}

/// Words in lower case as we write them, and in upper case as GitHub's API does.
fn any_case(lower: &[&str]) -> Node {
    let upper: Vec<String> = lower.iter().map(|word| word.to_uppercase()).collect();
    words(lower.iter().copied().chain(upper.iter().map(String::as_str)))
}

fn review() -> Node {
    let states = [
        ReviewState::Approved,
        ReviewState::ChangesRequested,
        ReviewState::Commented,
        ReviewState::Dismissed,
        ReviewState::Pending,
    ];
    let states = states.map(expect::word);
    let bound = [BoundBy::Delivery, BoundBy::Api].map(expect::word);
    let by = || defined("person").or_null();
    let at = || defined("instant").or_null();
    keys()
        .key("id", number(0), "Its id. Default: a running number.")
        .key("by", by(), "The reviewer. `null`: a deleted account.")
        .key("user", by(), "The same as `by`.")
        .must("state", any_case(&states.each_ref().map(String::as_str)), "The state of the review.")
        .key("was", any_case(&["approved", "changes_requested"]).or_null(), "The state before it was dismissed.")
        .key("dismissed_by", by(), "Who dismissed it.")
        .key("revision", some_text().or_null(), "The commit that it was given on. Default: the head.")
        .key("bound_by", words(bound.iter().map(String::as_str)).default("delivery"), "How the gate knows that commit.")
        .key("at", at(), "When it was submitted. Default: half an hour before `now`.")
        .key("submitted_at", at(), "The same as `at`.")
        .key("edited", flag().default(false), "Whether its text was edited after it was submitted.")
        .key("body", text(), "Its text. A line of it may be a command: `/approve checkout:production`.")
        .one_of(&["by", "user"])
        .node()
}

fn veto() -> Node {
    keys()
        .must("by", defined("person"), "Who requested changes.")
        .key("at", defined("instant"), "When. Default: half an hour before `now`.")
        .key("pull_request", matching("^[^#]+#[0-9]+$"), "The other pull request that it was on, `owner/name#number`.")
        .node()
}

fn step() -> Node {
    let events = ["review", "dismiss", "push", "label", "base", "close", "merge", "tick"];
    let label = at_some_time()
        .key("add", list(text()), "Labels that are added.")
        .key("remove", list(text()), "Labels that are removed.")
        .one_of(&["add", "remove"])
        .node();
    let base = at_some_time().must("to", text(), "The new base branch.").node();
    let merge = at_some_time().key("commit", some_text(), "The merge commit.").node();
    let tick = keys()
        .key("to", defined("instant"), "The new time.")
        .key("by", defined("duration"), "How much time passes.")
        .one_of(&["to", "by"])
        .node();
    keys()
        .key("review", submitted(), "A review is submitted.")
        .key("dismiss", dismissal(), "A review is dismissed.")
        .key("push", push(), "Commits are pushed to the branch.")
        .key("label", label, "Labels are added or removed.")
        .key("base", base, "The base branch changes.")
        .key("close", any_of([at_some_time().node(), Node::null()]), "The pull request is closed unmerged.")
        .key("merge", any_of([merge, Node::null()]), "The pull request is merged.")
        .key("tick", tick, "Time passes.")
        .key("expect", defined("decision"), "What the decision must contain then.")
        .one_of(&events)
        .node()
}

/// The keys of an event, beginning with its time.
fn at_some_time() -> Keys {
    keys().key("at", defined("instant"), "When. Default: a minute after the previous event.")
}

fn submitted() -> Node {
    let states = [ReviewState::Approved, ReviewState::ChangesRequested, ReviewState::Commented].map(expect::word);
    let bound = [BoundBy::Delivery, BoundBy::Api].map(expect::word);
    at_some_time()
        .must("by", defined("person"), "The reviewer.")
        .must("state", any_case(&states.each_ref().map(String::as_str)), "The state of the review.")
        .key("edited", flag().default(false), "Whether its text was edited after it was submitted.")
        .key("body", text(), "Its text. A line of it may be a command: `/approve checkout:production`.")
        .key("revision", some_text().or_null(), "The commit that it was given on. Default: the head.")
        .key("id", number(0), "Its id. Default: a running number.")
        .key("bound_by", words(bound.iter().map(String::as_str)).default("delivery"), "How the gate knows that commit.")
        .key("edited", flag().default(false), "Whether its text was edited after it was submitted.")
        .node()
}

fn dismissal() -> Node {
    at_some_time()
        .must(
            "of",
            any_of([some_text(), number(0)]),
            "Which review: a login, for the last review of that person, or its id.",
        )
        .must("by", defined("person"), "Who dismisses it.")
        .node()
}

fn push() -> Node {
    at_some_time()
        .must("by", defined("person"), "Who pushes.")
        .must("head", some_text(), "The new head commit.")
        .key("force", flag().default(false), "Whether it is a force push, which replaces all commits of the branch.")
        .key("commits", list(defined("commit")), "The commits that are added. Default: one by the person who pushes.")
        .key("files", list(defined("changed_file")), "Additional files that it changes.")
        .key("additions", number(0).default(0), "How many lines it adds.")
        .key("deletions", number(0).default(0), "How many lines it deletes.")
        .node()
}
