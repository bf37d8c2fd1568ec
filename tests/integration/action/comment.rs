//! The action's single comment on the pull request.

use std::fs;

use super::github::AUTHOR;
use super::world::{ONE, TWO, World, policy};

const MARKER: &str = "<!-- countersign-diff -->";

#[test]
fn the_first_run_posts_a_comment_and_the_second_rewrites_it() {
    let world = World::looser();
    world.act();
    let first = world.github.comments();
    assert_eq!(first.len(), 1);
    assert!(first[0].2.starts_with(MARKER), "{}", first[0].2);
    assert!(first[0].2.contains("This can only pass with the label"), "{}", first[0].2);
    // The pull request is changed back.
    world.write("policies/policy.yaml", &policy(TWO));
    world.act();
    let second = world.github.comments();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].0, first[0].0);
    assert!(second[0].2.contains("Nothing changes"), "{}", second[0].2);
    assert_eq!(world.github.requests().iter().filter(|request| request.starts_with("POST ")).count(), 1);
}

#[test]
fn it_is_found_beyond_the_first_page_of_comments() {
    let world = World::looser();
    world.github.set(|stage| {
        stage.comments = (1..=250).map(|id| (id, "dave".to_owned(), "why?".to_owned())).collect();
        stage.comments[229] = (9000, AUTHOR.to_owned(), format!("{MARKER}\nold"));
    });
    world.act();
    let comments = world.github.comments();
    assert_eq!(comments.len(), 250);
    assert!(comments[229].2.contains("looser"), "{}", comments[229].2);
}

#[test]
fn a_comment_by_somebody_else_is_never_rewritten() {
    let world = World::looser();
    let forged = format!("{MARKER}\nall is well");
    world.github.set(|stage| {
        stage.comments =
            vec![(1, "mallory".to_owned(), forged.clone()), (2, AUTHOR.to_owned(), format!("quoted: {MARKER}"))];
    });
    world.act();
    let comments = world.github.comments();
    assert_eq!(comments.len(), 3);
    assert_eq!(comments[0].2, forged);
    assert!(comments[2].2.contains("looser"));
}

#[test]
fn a_fork_without_write_permission_gets_a_notice_and_does_not_fail() {
    for status in [401, 403, 404] {
        let world = World::stricter();
        world.github.set(|stage| stage.refuses = Some(status));
        let ran = world.act();
        assert_eq!(ran.code, Some(0), "{}", ran.log);
        assert!(ran.log.contains("::notice title=countersign::the comment was skipped"), "{}", ran.log);
        assert!(ran.log.contains("as on a pull request from a fork"), "{}", ran.log);
        assert!(world.summary().contains("<b>stricter</b>"), "{}", world.summary());
    }
}

#[test]
fn if_github_is_unreachable_only_the_comment_is_missing() {
    let mut world = World::stricter();
    world.given.push(("GITHUB_API_URL", "http://127.0.0.1:1".to_owned()));
    let ran = world.act();
    assert_eq!(ran.code, Some(0), "{}", ran.log);
    assert!(
        ran.log.contains("::warning title=countersign::the comment was skipped: GitHub answered 000"),
        "{}",
        ran.log
    );
}

#[test]
fn a_long_comment_is_truncated_to_what_github_accepts_and_says_so() {
    let world = World::stricter();
    assert_eq!(world.run("review.sh", &[]).code, Some(0));
    let rows = "<details open>\n<summary>é</summary>\n\n| é | é |\n\n</details>\n".repeat(4000);
    fs::write(world.path("temp/countersign/comment.md"), format!("{MARKER}\n{rows}")).expect("a long comment");
    let ran = world.run("comment.sh", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.log);
    let text = world.github.comments().pop().expect("it is taken").2;
    assert!(text.starts_with(MARKER) && text.chars().count() > 50_000);
    assert!(text.ends_with("The job summary has the rest.\n"));
}

#[test]
fn a_folded_section_is_closed_where_the_comment_is_truncated() {
    let world = World::stricter();
    assert_eq!(world.run("review.sh", &[]).code, Some(0));
    let rows = "| field | text |\n".repeat(5000);
    fs::write(world.path("temp/countersign/comment.md"), format!("{MARKER}\n<details open>\n\n{rows}")).expect("it");
    world.run("comment.sh", &[]);
    let text = world.github.comments().pop().expect("it is taken").2;
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    assert!(text.contains("| field | text |\n\n</details>") || text.contains("| field | text |\n</details>"));
}

#[test]
fn many_changes_at_once_still_make_a_comment() {
    let many = |require: &str| {
        let mut text = policy(require);
        for number in 0..600 {
            let count = if require == ONE { number % 2 + 1 } else { 3 };
            text.push_str(&format!(
                "  service-{number}:\n    repository: acme/service-{number}\n    notify: [payments]\n    \
                 environments: {{ env-{number}: {{ require: {count} of payments }} }}\n"
            ));
        }
        text
    };
    let world = World::new(Some(&many(TWO)), &many(ONE));
    world.act();
    let comments = world.github.comments();
    assert_eq!(comments.len(), 1, "GitHub accepts it");
    assert!(comments[0].2.contains("The comment is full"), "it says that there is more");
}
