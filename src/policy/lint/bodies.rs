//! Every rule body and every list of selectors of a policy, with the places of their keys and values.

use super::super::assemble::{Section, nodes};
use super::super::requirement::{Require, Requirement};
use super::super::selector::Selectors;
use super::super::service::Service;
use super::super::yaml::{Entry, Node, Value, entries};
use super::super::{Field, Pattern, Policy, RuleBody, Setting, Sourced};
use super::context::Lint;
use crate::finding::Span;

/// A rule body as written.
#[derive(Clone, Copy)]
pub(super) struct Body<'l> {
    pub(super) layer: Layer<'l>,
    pub(super) body: &'l RuleBody,
    pub(super) node: &'l Node,
    /// The place of its key; of `defaults`, the whole mapping.
    pub(super) key_span: Span,
}

#[derive(Clone, Copy)]
pub(super) enum Layer<'l> {
    Defaults,
    Common(&'l Pattern),
    /// An environment of a service: the service's key, the service, the environment's key.
    Own(&'l Pattern, &'l Service, &'l Pattern),
}

/// The selectors of one level, as written.
pub(super) struct Keys<'l> {
    /// `environment` or `service`.
    pub(super) what: &'static str,
    pub(super) keys: Vec<(&'l Pattern, Span)>,
}

/// Each selector with its value and its entry. A sound policy keeps them in the order of the files.
fn beside<'l, T>(
    selectors: &'l Selectors<T>,
    entries: impl IntoIterator<Item = &'l Entry>,
) -> impl Iterator<Item = (&'l Pattern, &'l T, &'l Entry)> {
    let both = selectors.iter().zip(entries);
    both.filter(|((key, _), entry)| key.as_str() == &*entry.key).map(|((key, value), entry)| (key, value, entry))
}

pub(super) fn bodies<'l>(policy: &'l Policy, sections: &'l [Section<'l>]) -> Vec<Body<'l>> {
    let mut bodies = Vec::new();
    for node in nodes(sections, "defaults") {
        bodies.push(Body { layer: Layer::Defaults, body: &policy.defaults.body, node, key_span: node.span });
    }
    for (key, layer, entry) in beside(&policy.environments, entries(nodes(sections, "environments"))) {
        let (body, node, key_span) = (&layer.body, &entry.node, entry.key_span);
        bodies.push(Body { layer: Layer::Common(key), body, node, key_span });
    }
    for (service_key, service, entry) in beside(&policy.services, entries(nodes(sections, "services"))) {
        for (key, layer, entry) in beside(&service.environments, entry.node.entries_under("environments")) {
            let (body, node, key_span) = (&layer.body, &entry.node, entry.key_span);
            bodies.push(Body { layer: Layer::Own(service_key, service, key), body, node, key_span });
        }
    }
    bodies
}

pub(super) fn levels<'l>(policy: &'l Policy, sections: &'l [Section<'l>]) -> Vec<Keys<'l>> {
    fn keys<'l, T>(
        what: &'static str,
        selectors: &'l Selectors<T>,
        entries: impl IntoIterator<Item = &'l Entry>,
    ) -> Keys<'l> {
        let keys = beside(selectors, entries).map(|(key, _, entry)| (key, entry.key_span)).collect();
        Keys { what, keys }
    }
    let services = nodes(sections, "services");
    let mut levels = vec![
        keys("environment", &policy.environments, entries(nodes(sections, "environments"))),
        keys("service", &policy.services, entries(services)),
    ];
    for (_, service, entry) in beside(&policy.services, entries(services)) {
        levels.push(keys("environment", &service.environments, entry.node.entries_under("environments")));
    }
    levels
}

impl<'l> Body<'l> {
    /// The key of its environment. `None` for `defaults`.
    pub(super) const fn environment(&self) -> Option<&'l Pattern> {
        match self.layer {
            Layer::Defaults => None,
            Layer::Common(key) | Layer::Own(_, _, key) => Some(key),
        }
    }

    /// How a message names the rule.
    pub(super) fn named(&self) -> String {
        match self.layer {
            Layer::Defaults => "`defaults`".to_owned(),
            Layer::Common(key) => format!("`{key}`"),
            Layer::Own(service, _, key) => format!("`{key}` of `{service}`"),
        }
    }

    /// The place of a field: its value, or its key if the value is a list or a mapping. If the field is missing, the
    /// place of the body's key.
    pub(super) fn field_span(&self, field: &str) -> Span {
        match self.node.entry(field) {
            Some(entry) if matches!(entry.node.value, Value::List(_) | Value::Map(_)) => entry.key_span,
            Some(entry) => entry.node.span,
            None => self.key_span,
        }
    }

    /// Whether it has `require: none` itself.
    pub(super) fn requires_nobody(&self) -> bool {
        self.body.require().is_some_and(|require| *require == Require::Nobody)
    }

    /// Its own requirement, with the place of each leaf in the order of the leaves.
    pub(super) fn requirement(&self) -> Option<(&'l Requirement, Vec<Span>)> {
        match self.body.require()? {
            Require::People(requirement) => {
                let mut spans = Vec::new();
                leaf_spans(self.node.get("require")?, &mut spans);
                Some((requirement, spans))
            }
            Require::Nobody => None,
        }
    }
}

fn leaf_spans(node: &Node, spans: &mut Vec<Span>) {
    let parts = ["all_of", "any_of", "in_order"].iter().find_map(|key| node.get(key));
    match parts.map(|parts| &parts.value) {
        Some(Value::List(items)) => items.iter().for_each(|item| leaf_spans(item, spans)),
        Some(Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) | Value::Map(_))
        | None => spans.push(node.span),
    }
}

impl<'l> Lint<'l> {
    /// The value of a field with the layers below. The outer `None` means that it depends on the name of the target.
    pub(super) fn effective(&self, body: &Body<'l>, field: Field) -> Option<Option<&'l Setting>> {
        self.written(body, field).map(|setting| setting.map(|setting| &setting.value))
    }

    /// Like [`Lint::effective`], with the place at which the field is set.
    pub(super) fn written(&self, body: &Body<'l>, field: Field) -> Option<Option<&'l Sourced<Setting>>> {
        let get = |body: &'l RuleBody| body.get(field);
        let defaults = get(&self.policy.defaults.body);
        if let Some(own) = get(body.body) {
            return Some(Some(own));
        }
        match body.layer {
            Layer::Defaults | Layer::Common(_) => Some(defaults),
            Layer::Own(_, _, key) if key.is_exact() => {
                let common = self.policy.environments.find(key.as_str());
                Some(common.and_then(|(_, layer)| get(&layer.body)).or(defaults))
            }
            Layer::Own(..) => {
                let elsewhere = self.policy.environments.iter().any(|(_, layer)| get(&layer.body).is_some());
                (!elsewhere).then_some(defaults)
            }
        }
    }

    /// The bodies of environments, which are the top layer of a target's rule.
    pub(super) fn rules(&self) -> Vec<Body<'l>> {
        self.bodies.iter().filter(|body| body.environment().is_some()).copied().collect()
    }
}
