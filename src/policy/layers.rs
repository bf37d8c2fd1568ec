//! The layers that rules are laid together from, one by one, for those who count them.

use super::{Policy, RuleBody};
use crate::ident::Target;

impl Policy {
    /// The lowest layer of every rule.
    #[must_use]
    pub const fn default_body(&self) -> &RuleBody {
        &self.defaults.body
    }

    /// The entries that the rule of a target is laid together from, the highest first.
    pub fn layers(&self, target: &Target) -> impl Iterator<Item = &RuleBody> {
        let environment = target.environment.as_str();
        let own =
            self.services.find(target.service.as_str()).and_then(|(_, service)| service.environments.find(environment));
        own.into_iter().chain(self.environments.find(environment)).map(|(_, layer)| &layer.body)
    }
}
