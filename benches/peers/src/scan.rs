//! The naive scan: one regular expression for each rule, tried in order, and hand-written counting.

use regex::Regex;

use crate::engine::Engine;
use crate::task::{ENVIRONMENT, Key, OF_LISTED, OF_TEAM, Query, Task};

pub struct Scan<'t> {
    task: &'t Task,
    rules: Vec<(Regex, usize)>,
}

impl<'t> Scan<'t> {
    pub fn new(task: &'t Task) -> Self {
        let compiled = |key: &Key| match key {
            Key::Exact(name) => format!("^{}$", regex::escape(name)),
            Key::Glob(prefix) => format!("^{}.*$", regex::escape(prefix)),
            Key::Regex(text, _) => format!("^(?:{text})$"),
        };
        let rules = task.rules.iter().map(|rule| (Regex::new(&compiled(&rule.key)).unwrap(), rule.body)).collect();
        Self { task, rules }
    }
}

impl Engine for Scan<'_> {
    fn approved(&mut self, query: usize) -> bool {
        let query = &self.task.queries[query];
        let found = self.rules.iter().find(|(pattern, _)| pattern.is_match(&query.service));
        found.is_some_and(|(_, body)| {
            let given = Given::count(self.task, query, *body);
            query.environment == ENVIRONMENT && given.met()
        })
    }
}

/// The number of approvals by a rule's people. The host counts them for engines that cannot count.
pub struct Given {
    pub team: usize,
    pub listed: usize,
    pub either: usize,
}

impl Given {
    pub fn count(task: &Task, query: &Query, body: usize) -> Self {
        let body = &task.bodies[body];
        let mut given = Self { team: 0, listed: 0, either: 0 };
        for review in query.reviews.iter().filter(|review| review.holds(&query.author)) {
            let (team, listed) = (body.team.contains(&review.login), body.listed.contains(&review.login));
            given.team += usize::from(team);
            given.listed += usize::from(listed);
            given.either += usize::from(team || listed);
        }
        given
    }

    /// Two leaves can both be met if and only if each has enough approvals, and both together have enough people.
    fn met(&self) -> bool {
        self.team >= OF_TEAM && self.listed >= OF_LISTED && self.either >= OF_TEAM + OF_LISTED
    }
}
