//! The bodies of webhook deliveries, in GitHub's shapes. Source: `@octokit/openapi` 23.0.2, `x-webhooks`.

use serde_json::{Value, json};

use super::delivery::{APP_ID, INSTALLATION_ID};
use super::published::{CheckRun, Deployment};
use super::pull::{PullRequest, Review};
use super::shape::{Case, Shapes, with};
use super::world::{Hook, Repository, World};
use crate::ident::UserId;

/// A `pull_request` event. `extra` holds the fields of this action.
pub(super) fn pull_request(world: &World, pull: &PullRequest, sender: UserId, (action, extra): (&str, Value)) -> Value {
    let body = json!({
        "action": action,
        "number": pull.number,
        "pull_request": Shapes(world).pull_full(pull),
    });
    with(with(body, common_fields(world, pull.repository, sender)), extra)
}

/// A `pull_request_review` event. The pull request is in its simple form, as GitHub sends it here.
pub(super) fn review(
    world: &World,
    (pull, review): (&PullRequest, &Review),
    sender: UserId,
    (action, extra): (&str, Value),
) -> Value {
    let shapes = Shapes(world);
    let mut given = shapes.review(pull, review, Case::Lower);
    // GitHub sends null here, and an empty text over REST.
    if let (true, Some(fields)) = (review.body.is_empty(), given.as_object_mut()) {
        fields.insert("body".to_owned(), Value::Null);
    }
    let body = json!({
        "action": action,
        "review": given,
        "pull_request": shapes.pull_simple(pull),
    });
    with(with(body, common_fields(world, pull.repository, sender)), extra)
}

/// A `check_run` event: it was rerequested, or one of its buttons was pressed.
pub(super) fn check_run(
    world: &World,
    (repository, run): (&Repository, &CheckRun),
    sender: UserId,
    button: Option<&str>,
) -> Value {
    let shapes = Shapes(world);
    let mut body = json!({
        "action": if button.is_some() { "requested_action" } else { "rerequested" },
        "check_run": shapes.check_event(repository, run),
    });
    if let (Some(button), Some(fields)) = (button, body.as_object_mut()) {
        fields.insert("requested_action".to_owned(), json!({ "identifier": button }));
    }
    with(body, common_fields(world, repository.id, sender))
}

/// A `deployment_protection_rule` event. As on GitHub, it lists every pull request whose head is the commit, also those of
/// other repositories.
pub(super) fn deployment_protection_rule(world: &World, deployment: &Deployment, (run, event): (u64, &str)) -> Value {
    let shapes = Shapes(world);
    let name = world.repositories.get(&deployment.repository).map(|repository| repository.name.to_string());
    let callback = format!("/repos/{}/actions/runs/{run}/deployment_protection_rule", name.unwrap_or_default());
    let pulls = world.pulls.values().filter(|pull| pull.head.sha == deployment.sha);
    let body = json!({
        "action": "requested",
        "environment": deployment.environment,
        "event": event,
        "sha": deployment.sha,
        "ref": deployment.reference,
        "deployment_callback_url": shapes.api(&callback),
        "deployment": shapes.deployment(deployment),
        "pull_requests": pulls.map(|pull| shapes.pull_full(pull)).collect::<Vec<_>>(),
    });
    with(body, common_fields(world, deployment.repository, deployment.creator))
}

/// A `ping`, which a hook gets when it is set.
pub(super) fn ping(world: &World, hook: &Hook) -> Value {
    json!({
        "zen": "Approachable is better than simple.",
        "hook_id": hook.id,
        "hook": {
            "type": "App",
            "id": hook.id,
            "name": "web",
            "active": true,
            "events": ["check_run", "pull_request", "pull_request_review"],
            "config": { "content_type": "json", "insecure_ssl": "0", "secret": "********", "url": hook.url },
            "created_at": hook.created_at,
            "updated_at": hook.created_at,
            "app_id": APP_ID,
            "deliveries_url": Shapes(world).api("/app/hook/deliveries"),
        },
    })
}

/// The fields of every event of a repository.
fn common_fields(world: &World, repository: u64, sender: UserId) -> Value {
    let shapes = Shapes(world);
    let repository = world.repositories.get(&repository);
    let organization = repository.and_then(|repository| shapes.organization(repository.name.parts().0));
    let fields = json!({
        "repository": repository.map(|repository| shapes.repository(repository)),
        "sender": shapes.user(sender),
        "installation": { "id": INSTALLATION_ID, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMQ==" },
    });
    match organization {
        Some(organization) => with(fields, json!({ "organization": organization })),
        None => fields,
    }
}
