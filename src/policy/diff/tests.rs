//! Each kind of change, with its direction.

use super::{Diff, Direction, diff};
use crate::finding::{Source, SourceContent};
use crate::policy::{Policy, load};

const HEAD: &str = "version: 1
groups:
  payments: { users: [pia, pat, paul] }
  sre: { teams: [acme/sre], users: [ana] }
  security: { users: [dana, lee] }
channels: { oncall: { email: [oncall@acme.example] }, ops: { email: [ops@acme.example] } }
calendars:
  weekend: { timezone: UTC, weekly: [{ from: \"fri 16:00\", to: \"mon 08:00\" }] }
  saturday: { timezone: UTC, weekly: [{ from: \"sat 00:00\", to: \"sun 00:00\" }] }
  both-days: { timezone: UTC, weekly: [{ from: \"fri 16:00\", to: \"sun 00:00\" }, { from: \"sat 12:00\", to: \"mon 08:00\" }] }
  berlin: { timezone: Europe/Berlin, weekly: [{ from: \"sat 00:00\", to: \"sun 00:00\" }] }
  christmas: { timezone: UTC, dates: [{ from: \"2026-12-24 00:00\", to: \"2026-12-27 00:00\" }] }
";

fn policy(text: &str) -> Policy {
    let source = Source { name: "p.yaml".to_owned(), content: SourceContent::Bytes(text.as_bytes().to_vec()) };
    let loaded = load(vec![source]);
    let findings: Vec<_> = loaded.findings.iter().map(|finding| &finding.message).collect();
    loaded.policy.unwrap_or_else(|| panic!("{findings:?}\n{text}"))
}

/// A policy with one service, by its fields and those of its production.
fn of(service: &str, production: &str) -> Policy {
    let repository = if service.contains("repository:") { "" } else { "repository: acme/shop, " };
    policy(&format!(
        "{HEAD}services:\n  shop: {{ {repository}{service} environments: {{ production: {{ {production} }} }} }}\n"
    ))
}

/// The directions of the fields, `field: direction`, and all in all.
fn directions(diff: &Diff<'_>) -> (Option<Direction>, Vec<String>) {
    assert!(diff.changes.len() <= 1, "one target changes at most");
    let change = diff.changes.first();
    let fields = change.map(|change| change.fields.to_vec()).unwrap_or_default();
    let fields = fields.iter().map(|field| format!("{}: {}", field.part.as_str(), field.change)).collect();
    (change.map(|change| change.change), fields)
}

#[track_caller]
fn check(old: &Policy, new: &Policy, expected: &[&str]) {
    let diff = diff(old, new);
    let (_, fields) = directions(&diff);
    let texts: Vec<&str> =
        diff.changes.iter().flat_map(|change| change.fields.iter()).map(|f| f.text.as_str()).collect();
    assert_eq!(fields, expected, "{texts:?}");
}

/// A change of production, its directions, and those of the way back.
#[track_caller]
fn production(before: &str, now: &str, there: &str, back: &str) {
    let (old, new) = (of("", before), of("", now));
    let split =
        |fields: &'static str| -> Vec<&'static str> { fields.split(", ").filter(|part| !part.is_empty()).collect() };
    let leak = |fields: &str| -> &'static str { Box::leak(fields.to_owned().into_boxed_str()) };
    check(&old, &new, &split(leak(there)));
    check(&new, &old, &split(leak(back)));
}

#[track_caller]
fn require(before: &str, now: &str, there: &str, back: &str) {
    production(&format!("require: {before}"), &format!("require: {now}"), there, back);
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    for text in ["require: 1 of sre, freeze: [weekend], override: { by: 2 of payments }", "require: none"] {
        assert!(diff(&of("", text), &of("", text)).changes.is_empty());
    }
}

#[test]
fn fewer_people_are_looser_and_more_are_stricter() {
    require("2 of payments", "1 of payments", "require: looser", "require: stricter");
    let ignoring = |require: &str| format!("require: {require}, on_changes_requested: ignore");
    let (both, one) = (ignoring("{ all_of: [1 of payments, 1 of security] }"), ignoring("1 of payments"));
    production(&both, &one, "require: looser", "require: stricter");
    require("1 of payments", "{ any_of: [1 of payments, 1 of security] }", "require: mixed", "require: mixed");
    require("all of security", "1 of security", "require: looser", "require: stricter");
    require("1 of payments", "none", "require: looser", "require: stricter");
}

#[test]
fn names_in_another_case_are_the_same_target() {
    let text = |service: &str, environment: &str, pattern: &str, repository: &str| {
        policy(&format!(
            "{HEAD}defaults: {{ repository: {repository} }}\n\
             services:\n  {service}: {{ environments: {{ {environment}: {{ require: 1 of sre }}, \"{pattern}\": {{ require: 2 of sre }} }} }}\n\
             floor: {{ {environment}: {{ approvals: 1 }} }}\n"
        ))
    };
    let (old, new) =
        (text("shop", "production", "prod-*", "acme/shop"), text("SHOP", "Production", "Prod-*", "Acme/Shop"));
    assert!(diff(&old, &new).changes.is_empty(), "{:?}", diff(&old, &new).changes);
    let stricter = text("Shop", "PRODUCTION", "PROD-*", "acme/shop");
    let fewer = policy(&format!(
        "{HEAD}services: {{ shop: {{ repository: acme/shop, environments: {{ production: {{ require: 2 of sre }} }} }} }}\n"
    ));
    let names: Vec<_> = diff(&fewer, &stricter).changes.iter().map(|change| change.environment.name.clone()).collect();
    assert_eq!(names, ["PROD-any", "PRODUCTION"], "each target once, as the newer policy spells it");
}

#[test]
fn the_same_people_written_in_another_way_are_only_different() {
    let same = "require: different";
    require("\"1 of payments, security\"", "\"1 of security, payments\"", same, same);
    require("{ all_of: [1 of payments, 1 of security] }", "{ in_order: [1 of security, 1 of payments] }", same, same);
    require("all of security", "2 of security", same, same);
    require("\"@Dana\"", "{ count: 1, of: [\"@dana\"], name: the chief }", same, same);
    let absorbed = "{ any_of: [1 of payments, { all_of: [1 of payments, 2 of payments] }] }";
    require(absorbed, "1 of payments", same, same);
}

#[test]
fn the_text_names_people_who_suffice_and_did_not_before() {
    let (old, new) = (of("", "require: 2 of payments"), of("", "require: 1 of payments"));
    let text = |old, new| diff(old, new).changes.first().unwrap().fields.first().unwrap().text.clone();
    assert_eq!(text(&old, &new), "pat alone suffices now, and did not before");
    assert_eq!(text(&new, &old), "pat alone sufficed, and no longer does");
    let team = of("", "require: 2 of sre");
    assert!(
        text(&old, &team).starts_with("2 members of acme/sre suffice now, and did not before"),
        "{}",
        text(&old, &team)
    );
}

#[test]
fn a_pinned_account_is_another_than_the_login() {
    require("\"@dana\"", "\"@dana#5\"", "require: mixed", "require: mixed");
    require("\"@dana#5\"", "\"@lee#5\"", "require: different", "require: different");
}

#[test]
fn a_condition_that_stands_in_both_is_the_same_and_one_more_is_looser() {
    let when = |paths: &str| {
        format!("{{ all_of: [1 of payments, {{ count: 1, of: [security], when: {{ paths: [{paths}] }} }}] }}")
    };
    let both = "{ all_of: [1 of payments, 1 of security] }";
    require(both, &when("infra/"), "require: looser", "require: stricter");
    require(&when("infra/"), "1 of payments", "require: mixed", "require: mixed");
    require(&when("infra/"), &when("other/"), "require: mixed", "require: mixed");
    let negated =
        "{ all_of: [1 of payments, { count: 1, of: [security], when: { not: { not: { paths: [infra/] } } } }] }";
    require(&when("infra/"), negated, "require: different", "require: different");
    // If the condition does not hold, the request is denied.
    let alone = "{ count: 1, of: [security], when: { labels: [safe] } }";
    require("1 of security", alone, "require: stricter", "require: looser");
}

#[test]
fn people_who_leave_a_group_may_no_longer_request_changes() {
    let with = |users: &str| {
        policy(&format!(
            "version: 1\ngroups: {{ payments: {{ users: [{users}] }} }}\nservices: {{ shop: {{ repository: acme/shop, environments: {{ production: {{ require: 1 of payments }} }} }} }}\n"
        ))
    };
    check(&with("pia, pat, paul"), &with("pia, pat"), &["require: mixed"]);
    check(&with("pia, pat"), &with("pat, PIA"), &[]);
    let ignoring = |users: &str| {
        policy(&format!(
            "version: 1\ngroups: {{ payments: {{ users: [{users}] }} }}\nservices: {{ shop: {{ repository: acme/shop, environments: {{ production: {{ require: 1 of payments, on_changes_requested: ignore }} }} }} }}\n"
        ))
    };
    check(&ignoring("pia, pat, paul"), &ignoring("pia, pat"), &["require: stricter"]);
}

#[test]
fn too_many_people_or_conditions_are_looser_with_the_reason() {
    require("101 of sre", "102 of sre", "require: looser", "require: looser");
    let conditions = |count: usize| {
        let part = |at| format!("{{ count: 1, of: [sre], when: {{ paths: [p{at}/] }} }}");
        format!("{{ all_of: [{}] }}", (0..count).map(part).collect::<Vec<_>>().join(", "))
    };
    let (old, new) = (of("", &format!("require: {}", conditions(7))), of("", &format!("require: {}", conditions(8))));
    let diff = diff(&old, &new);
    let field = diff.changes.first().unwrap().fields.first().unwrap();
    assert_eq!(field.change, Direction::Looser);
    assert_eq!(
        field.text,
        "it is unknown whether people suffice now who did not before: there are too many conditions to go through"
    );
}

#[test]
fn one_person_for_several_parts_is_looser() {
    let with = |distinct: bool| format!("require: {{ all_of: [1 of payments, 1 of sre] }}, distinct: {distinct}");
    production(&with(true), &with(false), "distinct: looser", "distinct: stricter");
    let alone = |distinct: bool| format!("require: 2 of payments, distinct: {distinct}");
    production(&alone(true), &alone(false), "distinct: different", "distinct: different");
    let apart = |distinct: bool| format!("require: {{ all_of: [1 of payments, 1 of security] }}, distinct: {distinct}");
    production(&apart(true), &apart(false), "distinct: different", "distinct: different");
}

#[test]
fn fields_with_an_order_are_looser_or_stricter_by_their_value() {
    let with = |field: &str| format!("require: 1 of sre{}{field}", if field.is_empty() { "" } else { ", " });
    let cases = [
        ("", "timeout: 24h", "", ""),
        ("timeout: 4h", "timeout: 8h", "timeout: looser", "timeout: stricter"),
        ("explicit: true", "", "explicit: looser", "explicit: stricter"),
        ("remind: [1h]", "", "remind: different", "remind: different"),
        ("exclude: [author, committers, pushers]", "", "exclude: looser", "exclude: stricter"),
        ("exclude: [pushers]", "exclude: [requester]", "exclude: mixed", "exclude: mixed"),
        ("", "on_changes_requested: block", "on_changes_requested: looser", "on_changes_requested: stricter"),
        (
            "on_changes_requested: block",
            "on_changes_requested: ignore",
            "on_changes_requested: looser",
            "on_changes_requested: stricter",
        ),
        ("veto: [security]", "", "veto: mixed", "veto: mixed"),
        ("veto: [sre]", "", "veto: different", "veto: different"),
        ("max_age: 1d", "", "max_age: looser", "max_age: stricter"),
        ("max_age: 1d", "max_age: 2d", "max_age: looser", "max_age: stricter"),
        ("wait: 1h", "", "wait: looser", "wait: stricter"),
        ("wait: 1h", "wait: 2h", "wait: stricter", "wait: looser"),
        ("notify: [oncall]", "", "notify: different", "notify: different"),
        ("notify: [oncall]", "notify: { requested: [oncall] }", "notify: different", "notify: different"),
        ("mode: audit", "", "mode: stricter", "mode: looser"),
    ];
    for (before, now, there, back) in cases {
        production(&with(before), &with(now), there, back);
    }
}

#[test]
fn more_people_who_may_request_changes_are_looser_if_they_can_dismiss_one() {
    let mixed = ["require: mixed", "require: mixed"];
    let one_way = ["require: stricter", "require: looser"];
    let cases = [
        ("1 of payments", "{ all_of: [1 of payments, 1 of security] }", mixed),
        ("1 of payments", "{ in_order: [1 of payments, 1 of security] }", mixed),
        ("\"@acme/sre\"", "{ all_of: [\"@acme/sre\", 1 of security] }", mixed),
        // Dana must approve, so she has withdrawn her own request.
        ("\"@dana\"", "{ all_of: [\"@dana\", 1 of payments] }", one_way),
        ("all of security", "{ all_of: [all of security, 1 of payments] }", one_way),
        ("\"@dana\"", "{ all_of: [{ count: 1, of: [\"@dana\"], when: { labels: [big] } }, 1 of payments] }", mixed),
        ("1 of payments", "2 of payments", one_way),
    ];
    for (before, now, [there, back]) in cases {
        require(before, now, there, back);
    }
    let fields = [
        ("require: 1 of payments", "veto: [security]", "veto: mixed", "veto: mixed"),
        ("require: \"@dana\"", "veto: [payments]", "veto: stricter", "veto: looser"),
        ("require: 1 of payments, on_changes_requested: ignore", "veto: [sre]", "veto: different", "veto: different"),
    ];
    for (before, more, there, back) in fields {
        production(before, &format!("{before}, {more}"), there, back);
    }
    // Requests for changes are ignored before and after.
    let ignoring = "require: 1 of payments, on_changes_requested: ignore";
    let all = "require: { all_of: [1 of payments, 1 of security] }";
    let (there, back) =
        ("require: stricter, on_changes_requested: stricter", "require: looser, on_changes_requested: looser");
    production(ignoring, all, there, back);
}

#[test]
fn a_mixed_change_has_a_text_for_each_side() {
    let sides = |before: &str, now: &str| {
        let (old, new) = (of("", before), of("", now));
        let diff = diff(&old, &new);
        let field = diff.changes.first().unwrap().fields.first().unwrap().clone();
        let sides = field.sides.unwrap();
        assert_eq!(field.text, format!("{}; {}", sides.looser, sides.stricter));
        [sides.looser, sides.stricter]
    };
    assert_eq!(
        sides("require: 1 of payments", "require: 1 of payments, veto: [security]"),
        ["dana and lee may now dismiss requests for changes by others", "dana and lee may now request changes"]
    );
    assert_eq!(
        sides("require: 1 of payments, veto: [security]", "require: 1 of payments"),
        [
            "dana and lee may no longer request changes",
            "dana and lee may no longer dismiss requests for changes by others"
        ]
    );
}

#[test]
fn freezes_are_compared_by_the_times_at_which_they_hold() {
    let with = |freeze: &str| format!("require: 1 of sre, freeze: {freeze}");
    let cases = [
        ("[weekend]", "[]", "freeze: looser", "freeze: stricter"),
        ("[weekend]", "[saturday]", "freeze: looser", "freeze: stricter"),
        ("[weekend]", "[both-days]", "freeze: different", "freeze: different"),
        ("[weekend]", "[saturday, both-days]", "freeze: different", "freeze: different"),
        ("[weekend]", "[christmas]", "freeze: mixed", "freeze: mixed"),
        ("[saturday]", "[berlin]", "freeze: mixed", "freeze: mixed"),
        ("[weekend]", "[{ calendar: weekend, effect: wait }]", "freeze: looser", "freeze: stricter"),
        (
            "[weekend]",
            "[{ calendar: weekend, effect: deny, except: { labels: [hotfix] } }]",
            "freeze: looser",
            "freeze: stricter",
        ),
        (
            "[{ calendar: weekend, effect: deny, except: { labels: [hotfix] } }]",
            "[{ calendar: weekend, effect: deny, except: { labels: [other] } }]",
            "freeze: mixed",
            "freeze: mixed",
        ),
    ];
    for (before, now, there, back) in cases {
        production(&with(before), &with(now), there, back);
    }
}

#[test]
fn calendars_are_compared_by_their_times() {
    let with = |to: &str| {
        policy(&format!(
            "version: 1\ncalendars: {{ quiet: {{ timezone: UTC, weekly: [{{ from: \"fri 16:00\", to: \"{to}\" }}] }} }}\nservices: {{ shop: {{ environments: {{ production: {{ require: none, freeze: [quiet] }} }} }} }}\n"
        ))
    };
    check(&with("mon 08:00"), &with("mon 06:00"), &["freeze: looser"]);
    check(&with("mon 08:00"), &with("mon 10:00"), &["freeze: stricter"]);
}

#[test]
fn a_narrower_window_is_stricter() {
    let with = |window: &str| format!("require: 1 of sre, window: {window}");
    production(&with("[weekend]"), &with("[saturday]"), "window: stricter", "window: looser");
    production(&with("[saturday]"), "require: 1 of sre", "window: looser", "window: stricter");
    production(&with("[weekend]"), &with("[both-days]"), "window: different", "window: different");
}

#[test]
fn an_override_by_more_people_or_for_longer_is_looser() {
    let with = |field: &str| format!("require: 2 of payments, override: {{ {field} }}");
    production("require: 2 of payments", &with("by: 1 of sre"), "override: looser", "override: stricter");
    production(&with("by: 1 of sre"), &with("by: 2 of sre"), "override: stricter", "override: looser");
    production(&with("by: 1 of sre"), &with("by: 1 of sre, for: 8h"), "override: looser", "override: stricter");
    production(
        &with("by: 1 of sre"),
        &with("by: 1 of sre, notify: [oncall]"),
        "override: different",
        "override: different",
    );
    // It also sets a freeze aside if nobody had to approve before.
    production(
        "require: none, freeze: [weekend]",
        "require: 1 of sre, freeze: [weekend], override: { by: 1 of sre }",
        "require: stricter, override: looser",
        "require: looser, override: stricter",
    );
}

#[test]
fn a_stand_in_that_comes_sooner_is_looser_and_may_request_changes_sooner() {
    let with = |steps: &str| format!("require: 1 of payments, escalate: [{steps}]");
    let step = |after: &str| format!("{{ after: {after}, stand_in: {{ payments: [sre] }} }}");
    production("require: 1 of payments", &with(&step("3h")), "escalate: mixed", "escalate: mixed");
    production(&with(&step("3h")), &with(&step("2h")), "escalate: mixed", "escalate: mixed");
    let quiet = |steps: &str| format!("{}, on_changes_requested: ignore", with(steps));
    production(&quiet(&step("3h")), &quiet(&step("2h")), "escalate: looser", "escalate: stricter");
    let notify = "{ after: 1h, notify: [oncall] }";
    production("require: 1 of payments", &with(notify), "escalate: different", "escalate: different");
}

#[test]
fn a_target_that_gains_a_rule_is_looser_and_one_that_loses_it_is_stricter() {
    let rule = |name: &str| {
        policy(&format!(
            "{HEAD}environments: {{ production: {{ require: 1 of sre }} }}\nservices: {{ shop: {{ repository: acme/shop }}, {name}: {{ repository: acme/shop }} }}\n"
        ))
    };
    let (old, new) = (rule("a"), rule("b"));
    let diff = diff(&old, &new);
    let changes: Vec<_> = diff.changes.iter().map(|change| (change.service.name.as_str(), change.change)).collect();
    assert_eq!(changes, [("a", Direction::Stricter), ("b", Direction::Looser)]);
}

#[test]
fn more_repositories_and_branches_are_looser() {
    let with = |service: &str| of(service, "require: 1 of sre");
    let cases: [(&str, &str, &[&str], &[&str]); 6] = [
        ("repository: acme/a,", "repository: [acme/a, acme/b],", &["repository: looser"], &["repository: stricter"]),
        ("repository: acme/a,", "repository: \"acme/*\",", &["repository: looser"], &["repository: stricter"]),
        ("repository: acme/a,", "repository: ACME/a,", &[], &[]),
        ("branches: [main],", "branches: [main, \"release/*\"],", &["branches: looser"], &["branches: stricter"]),
        ("", "branches: [main],", &["branches: mixed"], &["branches: mixed"]),
        ("", "branches: [\"*\"],", &["branches: looser"], &["branches: stricter"]),
    ];
    for (before, now, there, back) in cases {
        check(&with(before), &with(now), there);
        check(&with(now), &with(before), back);
    }
    let text = "branches: [main], notify: [oncall], description: a shop,";
    check(&with("branches: [main],"), &with(text), &["service_notify: different", "description: different"]);
}

#[test]
fn a_rule_that_falls_below_a_new_floor_is_stricter() {
    let with = |floor: &str| {
        policy(&format!(
            "{HEAD}defaults: {{ repository: acme/shop }}\nservices: {{ shop: {{ environments: {{ \"prod-*\": {{ require: 1 of sre }} }} }} }}\n{floor}"
        ))
    };
    let (old, new) = (with(""), with("floor: { \"prod-e*\": { approvals: 2 } }\n"));
    let diff = diff(&old, &new);
    let changes: Vec<_> = diff
        .changes
        .iter()
        .map(|change| (change.environment.name.as_str(), change.fields.first().unwrap().part.as_str(), change.change))
        .collect();
    assert_eq!(changes, [("prod-eany", "floor", Direction::Stricter)]);
}

#[test]
fn a_channel_with_another_address_is_different() {
    let with = |address: &str| {
        policy(&format!(
            "version: 1\nchannels: {{ oncall: {{ email: [{address}@acme.example] }} }}\nservices: {{ shop: {{ environments: {{ production: {{ require: none, notify: [oncall] }} }} }} }}\n"
        ))
    };
    check(&with("a"), &with("b"), &["notify: different"]);
}

#[test]
fn every_pattern_has_an_example() {
    let with = |services: &str| {
        policy(&format!(
            "{HEAD}defaults: {{ repository: acme/shop }}\nenvironments: {{ production: {{ require: 1 of sre }} }}\nservices: {{ {services} }}\n"
        ))
    };
    let names = |old: &Policy, new: &Policy| -> Vec<(String, Option<String>, Direction)> {
        let changes = diff(old, new).changes;
        changes.into_iter().map(|change| (change.service.name, change.service.pattern, change.change)).collect()
    };
    let looser = |name: &str, pattern: &str| (name.to_owned(), Some(pattern.to_owned()), Direction::Looser);
    let shop = with("shop: {}");
    assert_eq!(names(&shop, &with("shop: {}, \"*\": {}")), [looser("any", "*")]);
    assert_eq!(names(&shop, &with("shop: {}, \"pay-*\": {}")), [looser("pay-any", "pay-*")]);
    assert_eq!(names(&shop, &with("shop: {}, \"/pay-(eu|us)/\": {}")), [looser("pay-eu", "/pay-(eu|us)/")]);
    assert_eq!(names(&shop, &with("shop: {}, \"/é/\": {}")), [looser("/é/", "/é/")]);
    assert_eq!(names(&with("\"/é/\": {}"), &with("\"/é/\": {}")), []);
}

#[test]
fn a_reordering_of_patterns_changes_the_names_that_both_match() {
    let with =
        |services: &str| policy(&format!("{HEAD}defaults: {{ repository: acme/shop }}\nservices: {{ {services} }}\n"));
    let strict = "{ environments: { production: { require: 2 of payments } } }";
    let loose = "{ environments: { production: { require: 1 of payments } } }";
    let old = with(&format!("\"a-*\": {strict}, \"*-b\": {loose}"));
    let new = with(&format!("\"*-b\": {loose}, \"a-*\": {strict}"));
    let diff = diff(&old, &new);
    let changes: Vec<_> = diff
        .changes
        .iter()
        .map(|change| (change.service.name.as_str(), change.service.pattern.as_deref(), change.change))
        .collect();
    assert_eq!(changes, [("a-b", Some("a-* and *-b"), Direction::Looser)]);
}
