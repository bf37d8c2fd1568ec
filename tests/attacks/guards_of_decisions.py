"""The guards in the engine and in the policy: which reviews count, and for what."""

from guard import Guard, begin

REVIEW = "src/approval/review.rs"
EXCLUSION = "src/approval/exclusion.rs"
JUDGE = "src/approval/judge.rs"
ELIGIBILITY = "src/approval/eligibility.rs"

DECISIONS = (
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
)
