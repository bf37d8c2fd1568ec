//! The task that every engine performs: rules, queries, and the right answers. It does not depend on the engines.
//!
//! A service's rule says which team and which listed people must approve. A query is a target with ten reviews. The
//! answers come from a walk over the rules that shares no code with any engine and uses no regular expressions.

use std::collections::BTreeSet;

/// The one environment that has rules.
pub const ENVIRONMENT: &str = "production";
/// Rules differ in who must approve, so that a wrong rule gives a wrong answer.
pub const BODIES: usize = 4;
/// The commit to approve.
pub const HEAD: &str = "a1";

/// How a rule names its services.
pub enum Key {
    Exact(String),
    /// Every name with this prefix.
    Glob(String),
    /// A regular expression over the whole name, and all names that it matches.
    Regex(String, [String; 2]),
}

pub struct Rule {
    pub key: Key,
    /// The index of its [`Body`].
    pub body: usize,
}

/// Two of the team and one of the listed people. Nobody counts for both.
pub struct Body {
    pub team: Vec<String>,
    pub listed: Vec<String>,
}

pub const OF_TEAM: usize = 2;
pub const OF_LISTED: usize = 1;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum State {
    Approved,
    Commented,
    Dismissed,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Commented => "commented",
            Self::Dismissed => "dismissed",
        }
    }
}

/// One of ten reviews, each by another person.
pub struct Review {
    pub login: String,
    pub state: State,
    pub revision: &'static str,
}

impl Review {
    /// Whether it is an approval of the head, not by the author.
    pub fn holds(&self, author: &str) -> bool {
        self.state == State::Approved && self.revision == HEAD && self.login != author
    }
}

pub struct Query {
    pub service: String,
    pub environment: &'static str,
    pub author: String,
    pub reviews: Vec<Review>,
}

pub struct Task {
    pub rules: Vec<Rule>,
    pub bodies: Vec<Body>,
    pub queries: Vec<Query>,
    /// Whether a query is approved.
    pub answers: Vec<bool>,
}

impl Task {
    /// One rule for each service. Every tenth is a glob, one in a hundred a regular expression (at most ten).
    pub fn new(count: usize) -> Self {
        let rules: Vec<Rule> = (0..count)
            .map(|at| {
                let key = match at {
                    at if at > 0 && at % 100 == 0 && at <= 1_000 => {
                        Key::Regex(format!("re-{at}-(eu|us)"), ["eu", "us"].map(|end| format!("re-{at}-{end}")))
                    }
                    at if at % 10 == 9 => Key::Glob(format!("group-{at}-")),
                    at => Key::Exact(format!("service-{at}")),
                };
                Rule { key, body: at / 3 % BODIES }
            })
            .collect();
        let bodies: Vec<Body> = (0..BODIES)
            .map(|body| {
                let team: Vec<String> = (body * 8..body * 8 + 8).map(|at| format!("p{at}")).collect();
                // One of the listed people is also in the team, so the engine must choose where they count.
                let listed = vec![format!("lead{body}"), team[0].clone()];
                Body { team, listed }
            })
            .collect();
        let queries = queries(&rules, &bodies);
        let answers = queries.iter().map(|query| answer(&rules, &bodies, query)).collect();
        Self { rules, bodies, queries, answers }
    }

    /// The bodies with their indexes.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &Body)> {
        self.bodies.iter().enumerate()
    }
}

/// Deterministic numbers without a visible pattern.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// 32 queries: most by exact name, spread over all rules, some by glob or regular expression, four without a rule. The
/// first four have one query of each kind.
fn queries(rules: &[Rule], bodies: &[Body]) -> Vec<Query> {
    let mut numbers = Numbers(7);
    let of_kind = |wanted: fn(&Key) -> bool| -> Vec<&Rule> { rules.iter().filter(|rule| wanted(&rule.key)).collect() };
    let exact = of_kind(|key| matches!(key, Key::Exact(_)));
    let globs = of_kind(|key| matches!(key, Key::Glob(_)));
    let regexes = of_kind(|key| matches!(key, Key::Regex(..)));
    (0..32)
        .map(|at| {
            let kind = match at % 4 {
                1 if at % 8 == 1 => &globs,
                2 if at % 8 == 2 && !regexes.is_empty() => &regexes,
                _ => &exact,
            };
            let rule = kind[numbers.below(kind.len())];
            let service = match &rule.key {
                Key::Exact(name) => name.clone(),
                Key::Glob(prefix) => format!("{prefix}x"),
                Key::Regex(_, names) => names[numbers.below(2)].clone(),
            };
            let query = Query {
                service,
                environment: ENVIRONMENT,
                author: bodies[rule.body].team[numbers.below(8)].clone(),
                reviews: reviews(&mut numbers, bodies, rule.body),
            };
            match at {
                3 => Query { service: "service-none".to_owned(), ..query },
                11 => Query { service: "group-9".to_owned(), ..query },
                19 => Query { service: "re-100-asia".to_owned(), ..query },
                27 => Query { environment: "staging", ..query },
                _ => query,
            }
        })
        .collect()
}

/// Ten people's reviews, most by people whom the rule names.
fn reviews(numbers: &mut Numbers, bodies: &[Body], body: usize) -> Vec<Review> {
    let (asked, other) = (&bodies[body], &bodies[(body + 1) % BODIES]);
    let mut people: Vec<String> = asked.team.clone();
    people.extend([&asked.listed[0], &other.team[0], &other.listed[0]].map(String::clone));
    (0..10)
        .map(|_| Review {
            login: people.swap_remove(numbers.below(people.len())),
            state: match numbers.below(8) {
                0 | 1 => State::Commented,
                2 => State::Dismissed,
                _ => State::Approved,
            },
            revision: if numbers.below(8) == 0 { "a0" } else { HEAD },
        })
        .collect()
}

fn answer(rules: &[Rule], bodies: &[Body], query: &Query) -> bool {
    let named = |rule: &&Rule| match &rule.key {
        Key::Exact(name) => *name == query.service,
        Key::Glob(prefix) => query.service.starts_with(prefix),
        Key::Regex(_, names) => names.contains(&query.service),
    };
    let Some(rule) = rules.iter().find(named).filter(|_| query.environment == ENVIRONMENT) else { return false };
    let body = &bodies[rule.body];
    let given: BTreeSet<&String> =
        query.reviews.iter().filter(|review| review.holds(&query.author)).map(|review| &review.login).collect();
    // Tries one listed person after the other, unlike the engines, which count.
    body.listed
        .iter()
        .filter(|lead| given.contains(lead))
        .any(|lead| body.team.iter().filter(|person| *person != lead && given.contains(person)).count() >= OF_TEAM)
}
