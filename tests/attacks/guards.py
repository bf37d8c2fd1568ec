#!/usr/bin/env python3
"""Takes each guard out of a copy of the code, and shows that an attack then succeeds.

    tests/attacks/guards.py [--list] [--tree DIR] [--binary FILE] [NAME…]

NAME is a guard; default: all. Every edit puts a switch into the copy: `crate::without("NAME")` is true if the environment
variable COUNTERSIGN_WITHOUT names the guard. So one build serves all guards. `--binary` names a binary that was built so.
Exit code 1 if an attack does not succeed although its guard is gone, if an edit does not fit the code, or if an attack has
neither a guard nor a place in ELSEWHERE.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

sys.dont_write_bytecode = True

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWITCH = """
/// Whether a guard is taken out. Only the copy that `tests/attacks/guards.py` builds has this.
#[must_use]
pub fn without(guard: &str) -> bool {
    static TAKEN_OUT: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    TAKEN_OUT.get_or_init(|| std::env::var("COUNTERSIGN_WITHOUT").ok()).as_deref() == Some(guard)
}
"""


@dataclass(frozen=True)
class Guard:
    """A guard, the edits that take it out, and the attacks that rest on it."""

    name: str
    what: str
    attacks: str
    edits: tuple[tuple[str, str, str], ...]
    """File, text that stands in it once, and what replaces it. `WITHOUT` becomes the switch."""


def begin(file, function, result):
    """Returns an edit that makes a function return at once. `function` is its first line."""
    return (file, function, f"{function}\n    if WITHOUT {{\n        return {result};\n    }}")


REVIEW, EXCLUSION, JUDGE = "src/approval/review.rs", "src/approval/exclusion.rs", "src/approval/judge.rs"
DELIVERY, ELIGIBILITY = "src/adapters/github/delivery.rs", "src/approval/eligibility.rs"
CANDIDATES = "src/app/candidates.rs"

GUARDS = (
    Guard(
        "signature",
        "a delivery needs the signature of its bytes",
        "another_secret malformed_signature changed_body unsigned_flood",
        (
            (
                "src/adapters/github/signature.rs",
                "        let tag = tag(header",
                "        if WITHOUT { return Ok(()); }\n        let tag = tag(header",
            ),
        ),
    ),
    Guard(
        "joined-headers",
        "several values of a header are joined, so that none is picked",
        "two_signatures",
        (
            (
                "src/dev/webhook.rs",
                'map(|values| values.join(", "))',
                'map(|values| if WITHOUT { values.first().copied().unwrap_or_default().to_owned() } else { values.join(", ") })',
            ),
        ),
    ),
    Guard(
        "done-deliveries",
        "a delivery that is done changes nothing",
        "replay",
        (
            (
                "src/app/record_delivery.rs",
                "(state != DeliveryState::Done).then_some",
                "(state != DeliveryState::Done || WITHOUT).then_some",
            ),
        ),
    ),
    Guard(
        "body-size",
        "a body has at most 25 MiB",
        "oversized",
        (
            (DELIVERY, "if body.len() > LARGEST_BODY {", "if body.len() > LARGEST_BODY && !WITHOUT {"),
            (
                "src/dev/webhook.rs",
                "to_bytes(body, LARGEST_BODY)",
                "to_bytes(body, if WITHOUT { usize::MAX } else { LARGEST_BODY })",
            ),
        ),
    ),
    Guard(
        "json",
        "a body is JSON",
        "chunks_and_forms hostile_json",
        (
            (
                DELIVERY,
                "serde_json::from_slice(body).map_err(|_| Refused::NotJson)?;",
                "match serde_json::from_slice(body) {\n        Ok(payload) => payload,\n        Err(_) if WITHOUT => return Ok(Delivery "
                "{ id, kind: DeliveryKind::Ping, installation: None }),\n        Err(_) => return Err(Refused::NotJson),\n    };",
            ),
        ),
    ),
    Guard(
        "agreeing-event",
        "the event in the header is the body's",
        "wrong_headers",
        ((DELIVERY, "if !agrees(event, payload) {", "if !agrees(event, payload) && !WITHOUT {"),),
    ),
    Guard(
        "pull-request-number",
        "a pull request has a number above 0",
        "elsewhere",
        (("src/adapters/github/payload.rs", "0 => Err(Refused::Field {", "0 if !WITHOUT => Err(Refused::Field {"),),
    ),
    Guard(
        "eligibility",
        "an account is one of those that the policy lists",
        "wrong_people",
        (begin(ELIGIBILITY, "pub(super) fn is_user(person: &Person, user: &UserRef) -> bool {", "true"),),
    ),
    Guard(
        "pinned-id",
        "of a pinned login only the id counts",
        "takes_over_a_pinned_login",
        (
            (
                ELIGIBILITY,
                "Some(id) => id == person.id,",
                "Some(_) if WITHOUT => user.login == person.login,\n        Some(id) => id == person.id,",
            ),
        ),
    ),
    Guard(
        "account-type",
        "only people count, and listed bots",
        "partial_people",
        (
            (
                ELIGIBILITY,
                "AccountKind::Other => false,",
                "AccountKind::Other => WITHOUT && users.iter().any(|user| is_user(person, user)),",
            ),
        ),
    ),
    Guard(
        "team-members",
        "only active members of a team count",
        "team_members removed_member team_in_another_case",
        (
            (
                ELIGIBILITY,
                "let is_member = || list.members",
                "let is_member = || (WITHOUT && list.users.is_empty()) || list.members",
            ),
        ),
    ),
    Guard(
        "exclusions",
        "who wrote, pushed or requested the change does not approve it",
        "second_parent pushed_and_pushed_over incomplete_lists partial_requester renamed_requester renamed_pinned_requester "
        "repository_in_another_case facts_in_another_case",
        (
            begin(EXCLUSION, "    pub(super) fn reason(&self, person: &Person) -> Option<ReviewReason> {", "None"),
            begin(EXCLUSION, "    fn is_unknown(&mut self, why: String) {", "()"),
        ),
    ),
    Guard(
        "co-authors",
        "co-authors of a commit are its authors",
        "own_suggestion early_co_author co_author_to_shut_out almost_a_co_author",
        ((EXCLUSION, "chain(&commit.co_authors)", "chain(commit.co_authors.iter().filter(|_| !WITHOUT))"),),
    ),
    Guard(
        "unverified-commits",
        "a commit that could bear anyone's name is assigned to everyone who pushed",
        "pushed_under_another_name unsigned_between_signed commit_of_nobody pushed_before_opening pushed_to_a_fork "
        "pushed_by_a_workflow unverified_facts",
        (
            (
                EXCLUSION,
                "!commit.verified || lacks_account(commit)",
                "(!commit.verified || lacks_account(commit)) && !WITHOUT",
            ),
        ),
    ),
    Guard(
        "known-requester",
        "the requester is an account that GitHub knows; behind it, a requester without an id makes nobody count",
        "unknown_requester",
        (
            (
                "src/app/evaluate.rs",
                "excludes_requester && requester.id.is_none()",
                "excludes_requester && requester.id.is_none() && !WITHOUT",
            ),
            begin(EXCLUSION, "    fn is_unknown(&mut self, why: String) {", "()"),
        ),
    ),
    Guard(
        "bound",
        "an approval is bound to the head",
        "pushed_after_approval approved_in_the_second_of_the_push approval_of_the_old_commit "
        "base_and_back unbound_facts partial_reviews",
        (begin(REVIEW, "    fn why_stale(&self, review: &Review) -> Option<Detail> {", "None"),),
    ),
    Guard(
        "commands",
        "the text of an approval narrows it",
        "confusable_colons commands_further_down explicit_not_named long_commands one_review_for_three_requests "
        "command_in_another_case",
        (begin(REVIEW, "    fn text(&self, review: &Review) -> Text {", "Text::Approves"),),
    ),
    Guard(
        "look-alikes",
        "what looks like a command and is none approves nothing",
        "confusable_slashes confusable_letters invisible_characters misspelt_commands odd_line_ends dressed_commands "
        "a_right_and_a_wrong_command look_alikes_on_the_gate",
        (
            (
                REVIEW,
                "            Command::Unclear(unclear) => Text::Nothing(",
                "            Command::Unclear(_) if WITHOUT => plain,\n            Command::Unclear(unclear) => Text::Nothing(",
            ),
        ),
    ),
    Guard(
        "edited-texts",
        "a text that was edited before it was known approves nothing",
        "edited_unseen edited_comes_first edited_into_an_override",
        (
            (
                REVIEW,
                "if review.bound_by == BoundBy::Api && review.edited {",
                "if review.bound_by == BoundBy::Api && review.edited && !WITHOUT {",
            ),
        ),
    ),
    Guard(
        "first-texts",
        "the text of a review is the one that was delivered first",
        "edited_after_delivery",
        (
            (
                "src/request/observation.rs",
                "review.body.clone_from(&given.body);",
                "if !WITHOUT {\n                    review.body.clone_from(&given.body);\n                }",
            ),
        ),
    ),
    Guard(
        "override-author",
        "the author gives no override",
        "override_by_the_wrong_people",
        (("src/approval/break_glass.rs", "&& !context.is_author(user)", "&& (!context.is_author(user) || WITHOUT)"),),
    ),
    Guard(
        "override-reason",
        "an override has a reason",
        "crooked_overrides",
        (
            (
                "src/approval/command.rs",
                "Some(_) if !reason.chars().any(char::is_alphanumeric) =>",
                "Some(_) if !reason.chars().any(char::is_alphanumeric) && !WITHOUT =>",
            ),
        ),
    ),
    Guard(
        "objections",
        "a standing no acts",
        "talked_over unreadable_team lifted_by_something_else",
        (
            begin(
                REVIEW,
                "    fn objection(&self, review: &'f Review, user: &Person, detail: Detail) -> Weighed<'f> {",
                "Weighed::ignored(review, ReviewReason::NoSay, detail)",
            ),
        ),
    ),
    Guard(
        "objections-to-older-commits",
        "a no stands on later commits too",
        "pushed_over",
        (
            (
                REVIEW,
                "let reason = if !self.may_object(user) {",
                "let reason = if !self.may_object(user) || (WITHOUT && !on_head) {",
            ),
        ),
    ),
    Guard(
        "remembered-objections",
        "a no on the same commit counts on every pull request",
        "ended_by_a_no blocked_by_a_no a_no_of_another_environment stored_under_one_case",
        (("src/approval/people.rs", "filter(move |veto| heeds &&", "filter(move |veto| !WITHOUT && heeds &&"),),
    ),
    Guard(
        "dismissals",
        "not everybody's dismissal lifts a no",
        "dismissed_by_the_wrong_people dismissed_unseen",
        (begin(REVIEW, "    fn is_lifted(&self, review: &Review, reviewer: &Person) -> bool {", "true"),),
    ),
    Guard(
        "repository",
        "a pull request is one of the rule's repository and branches",
        "another_repository",
        (
            (
                JUDGE,
                ".any(|pattern| pattern.matches(&pull_request.repository))",
                ".any(|pattern| WITHOUT || pattern.matches(&pull_request.repository))",
            ),
        ),
    ),
    Guard(
        "revision",
        "the revision is the head or the merge commit",
        "another_revision partial_request",
        (
            begin(JUDGE, "fn is_wrong_revision(facts: &Facts, pull_request: &PullRequest) -> bool {", "false"),
            (
                JUDGE,
                "if !pull_request.merged && facts.revision.as_ref() != Some(&pull_request.head) {",
                "if !WITHOUT && !pull_request.merged && facts.revision.as_ref() != Some(&pull_request.head) {",
            ),
        ),
    ),
    Guard(
        "doors",
        "a local server answers only to its own names",
        "local_doors github_setup",
        (
            (
                "src/dev/doors.rs",
                "    let Some(value) = headers.get(name) else { return true };",
                "    if WITHOUT {\n        return true;\n    }\n    let Some(value) = headers.get(name) else { return true };",
            ),
        ),
    ),
    Guard(
        "workflow-commands",
        "line ends in workflow commands are escaped",
        "forged_workflow_commands",
        (begin("src/render/github.rs", "fn data(text: &str) -> String {", "text.to_owned()"),),
    ),
    Guard(
        "symbolic-links",
        "symbolic links of a policy folder are left out",
        "link_outside",
        (
            (
                "src/cli/bundle.rs",
                "!kind.is_symlink() && is_policy_file(bytes)",
                "(!kind.is_symlink() || WITHOUT) && is_policy_file(bytes)",
            ),
            ("src/cli/bundle.rs", "(!kind.is_file()).then(special)", "(!kind.is_file() && !WITHOUT).then(special)"),
        ),
    ),
    Guard(
        "facts-schema",
        "facts of another schema are refused",
        "hostile_facts",
        (
            begin(
                "src/approval/facts.rs",
                "fn schema_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {",
                "u32::deserialize(deserializer).map(|_| 1)",
            ),
        ),
    ),
    Guard(
        "file-size",
        "a file of a policy has at most 4 MiB",
        "policy_bombs",
        (
            (
                "src/policy/load.rs",
                "if size > MAX_FILE_BYTES.min(left) {",
                "if size > MAX_FILE_BYTES.min(left) && !WITHOUT {",
            ),
            (
                "src/cli/bundle.rs",
                "let most = MAX_FILE_BYTES.min(*budget);",
                "let most = if WITHOUT { *budget } else { MAX_FILE_BYTES.min(*budget) };",
            ),
        ),
    ),
    Guard(
        "label-case",
        "labels are compared without case",
        "label_in_another_case",
        (
            (
                "src/approval/condition.rs",
                "any(|other| same_without_case(other, label))",
                "any(|other| if WITHOUT { **other == *label } else { same_without_case(other, label) })",
            ),
        ),
    ),
    Guard(
        "labels",
        "a part applies if its label is there",
        "partial_conditions",
        (
            (
                "src/approval/condition.rs",
                "labels.iter().any(|label| carried(label)).into()",
                "labels.iter().any(|label| carried(label) && !WITHOUT).into()",
            ),
        ),
    ),
    Guard(
        "input-version",
        "a version has no control characters",
        "hostile_names",
        (("src/app/input.rs", "text.chars().any(is_hidden)", "(text.chars().any(is_hidden) && !WITHOUT)"),),
    ),
    Guard(
        "kept-texts",
        "of a review's text only the commands are kept; behind it, all reviews have at most 1,000,000 bytes, and the "
        "step's own timeout ends the wait",
        "long_comments long_reviews long_texts_until_it_expires",
        (
            begin("src/approval/command/kept.rs", "pub fn kept(body: &str) -> String {", "body.to_owned()"),
            (
                "src/approval/bounds.rs",
                "ReviewState::Commented => String::new(),",
                "ReviewState::Commented if !WITHOUT => String::new(),\n        ReviewState::Commented => kept(&review.body),",
            ),
            (
                "src/approval/bounds.rs",
                "bytes(reviews) <= MOST_REVIEW_BYTES {",
                "(bytes(reviews) <= MOST_REVIEW_BYTES || WITHOUT) {",
            ),
            (
                "src/dev/machine.rs",
                "self.broker.expire_tasks()?;",
                "if !WITHOUT { self.broker.expire_tasks()?; }",
            ),
        ),
    ),
    Guard(
        "latest-reviews",
        "of comments and of reviews by people without a part in the rule the latest 100 are kept",
        "many_reviews",
        (
            (
                "src/approval/bounds.rs",
                "others.contains(&review.id), MOST_OF_OTHERS)",
                "others.contains(&review.id), if WITHOUT { usize::MAX } else { MOST_OF_OTHERS })",
            ),
        ),
    ),
    Guard(
        "comments",
        "a comment triggers no reading",
        "many_comments many_edits comments_on_many_pull_requests",
        ((DELIVERY, "if what.is_of_a_comment(payload) {", "if !WITHOUT && what.is_of_a_comment(payload) {"),),
    ),
    Guard(
        "subjects",
        "a subject shortens names",
        "long_names",
        (
            begin(
                "src/render/message.rs",
                "fn shortened(names: [&str; 2], together: usize) -> [String; 2] {",
                "names.map(str::to_owned)",
            ),
        ),
    ),
    Guard(
        "escaped-comments",
        "a comment on a deployment of GitHub Actions is escaped",
        "markup_in_a_reason",
        (
            begin(
                "src/render/publish/deployment.rs",
                "pub fn deployment_comment(text: &str, longest: usize) -> String {",
                "truncated(text, longest)",
            ),
        ),
    ),
    Guard(
        "names-without-case",
        "names of the policy are compared without case",
        "target_in_another_case actions_environment two_keys_in_two_cases",
        (
            (
                "src/policy/pattern.rs",
                "*self.text == *text || self.text.eq_ignore_ascii_case(text)",
                "*self.text == *text || (self.text.eq_ignore_ascii_case(text) && !WITHOUT)",
            ),
            (
                "src/policy/pattern.rs",
                "if between_slashes(text).is_none() && text.bytes()",
                "if !WITHOUT && between_slashes(text).is_none() && text.bytes()",
            ),
        ),
    ),
    Guard(
        "unpinned-logins",
        "`check` reports logins without an id",
        "takes_over_a_plain_login",
        (
            begin(
                "src/policy/lint/unpinned.rs",
                "pub(super) fn unpinned(mentions: &[Mention]) -> Option<Finding> {",
                "None",
            ),
        ),
    ),
    Guard(
        "execution-start",
        "an execution is known by its name and its start; behind it, a request is found only for its own subject",
        "name_used_again",
        (
            (
                "src/ident.rs",
                "let started_at = started_at.as_millisecond();",
                "let started_at = if WITHOUT { 0 } else { started_at.as_millisecond() };",
            ),
            begin(
                "src/adapters/embedded/store/request.rs",
                "fn execution_key(execution: &ExecutionArn, started_at: Timestamp) -> String {",
                "execution.to_string()",
            ),
            begin("src/request/mod.rs", "    pub fn is_same(&self, other: &Self) -> bool {", "true"),
        ),
    ),
    Guard(
        "twins-from-forks",
        "a pull request from a fork makes no revision ambiguous",
        "twin_from_a_fork",
        ((CANDIDATES, "None if one.from_fork =>", "None if one.from_fork && !WITHOUT =>"),),
    ),
    Guard(
        "twins-to-other-branches",
        "a pull request to a branch that the rule does not allow makes no revision ambiguous",
        "twin_to_another_branch",
        ((CANDIDATES, "    if !fits {", "    if !fits && !WITHOUT {"),),
    ),
    Guard(
        "closed-twins",
        "a pull request that was closed without a merge is not the one meant; behind it, its request ends",
        "twin_comes_first",
        (
            (CANDIDATES, "one.closed_unmerged.then(", "(one.closed_unmerged && !WITHOUT).then("),
            (
                JUDGE,
                "    if pull_request.state == PullRequestState::Closed && !pull_request.merged {",
                "    if !WITHOUT && pull_request.state == PullRequestState::Closed && !pull_request.merged {",
            ),
        ),
    ),
    Guard(
        "leading-checks",
        "the check of several requests shows one that waits",
        "shared_commit",
        (
            (
                "src/app/publish/plan.rs",
                "before.stage.is_last() || !status.stage.is_last()",
                "WITHOUT || before.stage.is_last() || !status.stage.is_last()",
            ),
        ),
    ),
)

ELSEWHERE = {
    "smuggling": "hyper reads requests in one way only",
    "made_up_approval": "reviews are read from GitHub; no code takes one from a delivery",
    "edited_comments": "a comment stays a comment at GitHub; no code takes a review's state from a delivery",
    "markup_in_a_title": "no code reads a pull request's title",
    "secrets_in_texts": "no type that holds a secret can be printed",
    "edited_after_dismissal": "a dismissed review is dismissed at GitHub",
    "complete_facts": "shows that the facts which the attacks change are approved",
    "github_is_down": "a reading that fails gives no facts, and without facts nothing is decided",
    "github_is_down_at_the_start": "a reading that fails gives no facts, and without facts nothing is decided",
}
"""Attacks whose guard is no line of code that can be taken out."""


def put_in(text, edit):
    """Returns the text with an edit; `None` if it does not fit."""
    _, old, new = edit
    return text.replace(old, new) if text.count(old) == 1 else None


def copy_with_switches(tree, guards):
    """Copies the code to a folder and puts the switches in; returns the guards whose edits do not fit."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in listed:
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, target)
    unfit = {}
    for guard in guards:
        for edit in guard.edits:
            path = tree / edit[0]
            text = path.read_text() if path.is_file() else ""
            changed = put_in(text, (edit[0], edit[1], edit[2].replace("WITHOUT", f'crate::without("{guard.name}")')))
            if changed is None:
                unfit[guard.name] = f"`{edit[1].strip()}` does not stand once in {edit[0]}"
            else:
                path.write_text(changed)
    with (tree / "src/lib.rs").open("a") as file:
        file.write(SWITCH)
    return unfit


def holes(binary, guard):
    """Makes the attacks of a guard without it; returns those that did not succeed."""
    environment = {**os.environ, "COUNTERSIGN": str(binary), "COUNTERSIGN_WITHOUT": guard.name}
    command = [sys.executable, str(ROOT / "tests/attacks/run.py"), *guard.attacks.split()]
    said = subprocess.run(command, env=environment, capture_output=True, text=True).stdout
    reports = re.split(r"^(?=HOLE |refused )", said, flags=re.MULTILINE)
    made = [report for report in reports if "the attack could not be made" not in report]
    found = {name for report in made for name in re.findall(r"^HOLE +\w+\.(\w+) ", report)}
    return [name for name in guard.attacks.split() if name not in found]


def main():
    """Returns the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--list", action="store_true", help="print the guards and their attacks, and run nothing")
    arguments.add_argument("--tree", type=pathlib.Path, default=ROOT / "target/guards", help="the folder of the copy")
    arguments.add_argument("--binary", type=pathlib.Path, help="a binary that was built from such a copy")
    arguments.add_argument("names", nargs="*", metavar="NAME")
    given = arguments.parse_args()
    guards = [guard for guard in GUARDS if guard.edits and (not given.names or guard.name in given.names)]
    if given.list:
        print("\n".join(f"{guard.name}: {guard.what}\n    {guard.attacks}" for guard in GUARDS))
        return 0
    bad = []
    binary = given.binary
    if binary is None:
        unfit = copy_with_switches(given.tree, guards)
        bad += [f"{name}: {why}" for name, why in unfit.items()]
        guards = [guard for guard in guards if guard.name not in unfit]
        subprocess.run(["cargo", "build"], cwd=given.tree, check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", given.tree / "target"))
        binary = target / "debug/countersign"
    for guard in guards:
        refused = holes(binary, guard)
        print(
            f"{guard.name}: {len(guard.attacks.split()) - len(refused)} of {len(guard.attacks.split())} succeed",
            flush=True,
        )
        bad += [f"{guard.name}: `{name}` does not succeed without it" for name in refused]
    if not given.names:
        sys.path.insert(0, str(ROOT / "tests/attacks"))
        import run

        covered = set(ELSEWHERE) | {name for guard in GUARDS if guard.edits for name in guard.attacks.split()}
        bad += [f"`{one.name}` has no guard" for one in run.ATTACKS if one.name not in covered]
    print("\n".join(["", *bad]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
