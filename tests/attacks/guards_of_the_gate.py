"""The guards in the gate: what it lets in, reads, stores, publishes and releases."""

from guard import Guard, begin

EXCLUSION = "src/approval/exclusion.rs"
JUDGE = "src/approval/judge.rs"
DELIVERY = "src/adapters/github/delivery.rs"
CANDIDATES = "src/app/candidates.rs"

GATE = (
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
