//! Checks that need the whole bundle: rules that lack something, rules that a misspelt name would open, and patterns
//! whose order would depend on file names.

use std::collections::HashMap;

use super::assemble::{Section, nodes};
use super::bounds::bounds;
use super::read::{Place, Reader};
use super::requirement::Require;
use super::selector::Selectors;
use super::service::{Layer, Service};
use super::yaml::{Entry, Node, Value, entries};
use super::{Pattern, Policy, RuleBody};
use crate::finding::{Code, Finding, Span};

/// Checks a policy as a whole.
pub(super) fn check(reader: &mut Reader<'_>, policy: &Policy, sections: &[Section<'_>]) {
    let (environments, services) = (nodes(sections, "environments"), nodes(sections, "services"));
    none_for_all(reader, nodes(sections, "defaults"), environments, services);
    pattern_order(reader, &policy.environments, environments, "environment");
    pattern_order(reader, &policy.services, services, "service");
    for entry in entries(services) {
        if let Some(service) = policy.services.get(&entry.key) {
            check_service(reader, policy, entry, service);
        }
    }
    unreached_environments(reader, policy, environments);
    bounds(reader, policy);
}

fn is_people(body: &RuleBody) -> bool {
    body.require().is_some_and(|require| *require != Require::Nobody)
}

fn none_for_all(reader: &mut Reader<'_>, defaults: &[&Node], environments: &[&Node], services: &[&Node]) {
    let require_span = |node: &Node| {
        node.entry("require")
            .filter(|entry| matches!(&entry.node.value, Value::Text(text) if text.trim() == "none"))
            .map(|entry| entry.node.span)
    };
    for node in defaults {
        if let (Some(span), Some(entry)) = (require_span(node), node.entry("require")) {
            let len = span.start.saturating_add(span.len).saturating_sub(entry.key_span.start);
            report_none_for_all(reader, Span { len, ..entry.key_span }, "in `defaults`");
        }
    }
    for entry in entries(environments).filter(|entry| &*entry.key == "*") {
        if let Some(span) = require_span(&entry.node) {
            report_none_for_all(reader, span, "under the environment `*`");
        }
    }
    for service in entries(services) {
        let own = service.node.entries_under("environments").iter();
        for entry in own.filter(|entry| &*service.key == "*" || &*entry.key == "*") {
            let place = if &*service.key == "*" { "inside the service `*`" } else { "under the environment `*`" };
            if let Some(span) = require_span(&entry.node) {
                report_none_for_all(reader, span, place);
            }
        }
    }
}

fn report_none_for_all(reader: &mut Reader<'_>, span: Span, place: &str) {
    reader.report(
        Finding::at(Code::NoneForAll, span, format!("`require: none` {place} lets every misspelt name pass"))
            .hint("write it by name, for each environment or service that needs no approval"),
    );
}

/// Patterns of one level that can match the same name must be in one file.
fn pattern_order<T: HasSource>(reader: &mut Reader<'_>, level: &Selectors<T>, nodes: &[&Node], what: &str) {
    let pairs = level.overlaps(|a, b| a.source().file() != b.source().file());
    if pairs.is_empty() {
        return;
    }
    let mut spans: HashMap<&str, Span> = HashMap::new();
    for entry in entries(nodes) {
        // If a name is defined twice, the first definition counts.
        spans.entry(&entry.key).or_insert(entry.key_span);
    }
    let span_of = |key: &Pattern| spans.get(key.as_str()).copied().unwrap_or_default();
    for (first, second) in pairs {
        let (Some((first, _)), Some((second, _))) = (level.nth(first), level.nth(second)) else { continue };
        let message =
            format!("the {what} patterns `{first}` and `{second}` can match the same name, in different files");
        reader.report(
            Finding::at(Code::PatternOrder, span_of(second), message)
                .related(span_of(first), format!("`{first}` is here"))
                .hint("put both into one file, in the order in which to try them"),
        );
    }
}

/// Something with a place in a file.
trait HasSource {
    fn source(&self) -> &Place;
}

impl HasSource for Layer {
    fn source(&self) -> &Place {
        &self.source
    }
}

impl HasSource for Service {
    fn source(&self) -> &Place {
        &self.source
    }
}

/// Reports a service whose rules surely lack `require`, or that needs approvals and has no repository.
fn check_service(reader: &mut Reader<'_>, policy: &Policy, entry: &Entry, service: &Service) {
    let mut needs_people = false;
    for environment in entry.node.entries_under("environments") {
        let Some((key, layer)) = service.environments.get_key_value(&environment.key) else { continue };
        let below: Vec<&RuleBody> = if key.is_exact() {
            policy.environments.find(&environment.key).map(|(_, layer)| &layer.body).into_iter().collect()
        } else {
            policy.environments.iter().map(|(_, layer)| &layer.body).collect()
        };
        let defaults = &policy.defaults.body;
        let written = layer.body.require().is_some()
            || below.iter().any(|body| body.require().is_some())
            || defaults.require().is_some();
        if !written && environment.node.get("require").is_none() {
            let message = format!("`{}` of `{}` has no `require`", environment.key, entry.key);
            reader.report(
                Finding::at(Code::RequirementMissing, environment.key_span, message)
                    .hint("write `require:` here, in the top-level environment, or in `defaults`"),
            );
        }
        needs_people |= is_people(&layer.body)
            || (layer.body.require().is_none()
                && (below.iter().any(|body| is_people(body)) || (below.is_empty() && is_people(defaults))));
    }
    let inherited = policy.environments.iter().filter(|(key, _)| service.environments.get(key.as_str()).is_none());
    needs_people |= inherited
        .map(|(_, layer)| &layer.body)
        .any(|body| is_people(body) || (body.require().is_none() && is_people(&policy.defaults.body)));
    let has_repository = service.repository.is_some() || policy.defaults.repository.is_some();
    if needs_people && !has_repository && entry.node.get("repository").is_none() {
        let message = format!("`{}` needs approvals, but has no `repository`", entry.key);
        reader.report(
            Finding::at(Code::RepositoryMissing, entry.key_span, message)
                .hint("write `repository: owner/name` here or in `defaults`"),
        );
    }
}

/// Reports a top-level environment without `require` that some service uses without a `require` of its own.
fn unreached_environments(reader: &mut Reader<'_>, policy: &Policy, nodes: &[&Node]) {
    if policy.defaults.body.require().is_some() {
        return;
    }
    for entry in entries(nodes) {
        let exact = policy.environments.get_key_value(&entry.key).is_some_and(|(key, _)| key.is_exact());
        if entry.node.get("require").is_some() || !exact {
            continue;
        }
        // `check_service` checks the service's own exact keys. A pattern of its own may set what is missing here.
        let lacks = |service: &Service| match service.environments.find(&entry.key) {
            None => true,
            Some((key, layer)) => !key.is_exact() && layer.body.require().is_none(),
        };
        let reached = policy.services.iter().find(|(_, service)| lacks(service));
        if let Some((service, _)) = reached {
            let message = format!("`{}` of `{service}` has no `require`", entry.key);
            reader.report(
                Finding::at(Code::RequirementMissing, entry.key_span, message)
                    .hint("write `require:` here, in the service's own environment, or in `defaults`"),
            );
        }
    }
}
