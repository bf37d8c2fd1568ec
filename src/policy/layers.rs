//! The layers that rules are laid together from, one by one, for those who count them.

use super::{Policy, Rule, RuleBody};

impl Policy {
    /// The lowest layer of every rule.
    #[must_use]
    pub const fn default_body(&self) -> &RuleBody {
        &self.defaults.body
    }
}

impl<'p> Rule<'p> {
    /// The layers of the rule, the highest first.
    pub fn layers(&self) -> impl Iterator<Item = &'p RuleBody> {
        self.layers.into_iter().flatten()
    }
}
