//! Who must approve what: every service entry in every environment, as text, Markdown, a page or JSON.
//!
//! The rule of each target is laid together once, and everything that is shown of it is taken from its [`Row`].

mod html;
mod markdown;
mod text;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use serde::Serialize;

use crate::ident::{ChannelName, PolicyDigest};
use crate::policy::{
    ApproverRef, Duration, Escalation, Exclusion, Mode, NoRule, NotifyRule, OnChangesRequested, Place, Policy,
    RepositoryPattern, Require, Rule,
};

/// The whole of it, or what was asked for.
#[derive(Debug, Serialize)]
pub struct Matrix<'p> {
    schema: u32,
    policy_digest: &'p PolicyDigest,
    /// Service by service, and in each environment by environment.
    rows: Vec<Row<'p>>,
    #[serde(skip)]
    services: Vec<&'p str>,
    #[serde(skip)]
    environments: Vec<&'p str>,
    /// Who is in the groups that are asked.
    #[serde(skip)]
    groups: BTreeMap<&'p str, String>,
}

/// One service in one environment.
#[derive(Debug, Serialize)]
struct Row<'p> {
    service: &'p str,
    environment: &'p str,
    /// What must hold, in words; null where every request is denied.
    require: Option<Rc<str>>,
    strictness: Strictness,
    /// The fewest people who could satisfy it; null where every request is denied.
    fewest_people: Option<u32>,
    /// Why every request is denied.
    denied: Option<Rc<str>>,
    timeout: Option<Duration>,
    timeout_seconds: Option<u64>,
    explicit: Option<bool>,
    exclude: Option<&'p [Exclusion]>,
    /// What a request for changes does.
    on_changes_requested: Option<OnChangesRequested>,
    /// Who may request changes besides those who are asked.
    veto: Vec<String>,
    /// The calendars in which nothing is released.
    freeze: Vec<&'p str>,
    /// The calendars in which alone something is released; none: always.
    window: Vec<&'p str>,
    /// How long what is approved waits.
    wait: Option<Duration>,
    /// Who may set the rule aside, in words.
    #[serde(rename = "override")]
    override_by: Option<String>,
    /// For how long an override counts.
    override_for: Option<Duration>,
    mode: Option<Mode>,
    /// Who is told of something, by the rule or the service.
    notify: Vec<&'p str>,
    repository: &'p [RepositoryPattern],
    description: Option<&'p str>,
    source: Option<&'p Place>,
}

/// How hard it is to be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Strictness {
    /// It takes no person.
    Nobody,
    /// It takes one.
    One,
    /// It takes more.
    Several,
    /// There is no rule, or none that could be met.
    Denied,
}

/// What is the same wherever a requirement holds, with the same `distinct` and the same escalations.
#[derive(Clone)]
struct Asked {
    words: Rc<str>,
    fewest: u32,
}

/// What was worked out already.
#[derive(Default)]
struct Known<'p> {
    asked: HashMap<(*const Require, *const Escalation, bool), Asked>,
    no_service: Option<Rc<str>>,
    no_environment: Option<Rc<str>>,
    groups: BTreeMap<&'p str, String>,
}

impl<'p> Matrix<'p> {
    /// Every one of the services in every one of the environments. Both are keys as the policy has them, or names.
    #[must_use]
    pub fn new(policy: &'p Policy, services: Vec<&'p str>, environments: Vec<&'p str>) -> Self {
        let mut known = Known::default();
        let mut rows = Vec::with_capacity(services.len().saturating_mul(environments.len()));
        for service in &services {
            for environment in &environments {
                rows.push(match policy.rule_as_written(service, environment) {
                    Ok(rule) => row((service, environment), &rule, &mut known),
                    Err(why) => denied((service, environment), known.why(why)),
                });
            }
        }
        Self { schema: 1, policy_digest: policy.digest(), rows, services, environments, groups: known.groups }
    }

    /// For people who read a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(self)
    }

    /// For a comment on a pull request.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// A page that needs nothing else.
    #[must_use]
    pub fn html(&self) -> String {
        html::html(self)
    }
}

impl<'p> Known<'p> {
    /// Why there is no rule, without the name of the service, so that it is the same in every row.
    fn why(&mut self, why: NoRule<'_>) -> Rc<str> {
        match why {
            NoRule::Service => self.no_service.get_or_insert_with(|| "no service of the policy matches".into()),
            NoRule::Environment { .. } => {
                self.no_environment.get_or_insert_with(|| "no rule for this environment".into())
            }
        }
        .clone()
    }

    fn asked(&mut self, require: &'p Require, rule: &Rule<'p>) -> Asked {
        let key = (std::ptr::from_ref(require), rule.escalate().as_ptr(), rule.distinct());
        if let Some(asked) = self.asked.get(&key) {
            return asked.clone();
        }
        let asked = match require {
            Require::Nobody => Asked { words: "none".into(), fewest: 0 },
            Require::People(requirement) => {
                for group in requirement.leaves().into_iter().flat_map(|leaf| &leaf.of) {
                    self.meet(group);
                }
                Asked {
                    words: requirement.in_words().into(),
                    fewest: requirement.fewest_people(rule.distinct(), rule.escalate()),
                }
            }
        };
        self.asked.insert(key, asked.clone());
        asked
    }

    fn meet(&mut self, approver: &'p ApproverRef) {
        let ApproverRef::Group(group) = approver else { return };
        self.groups.entry(&group.name).or_insert_with(|| {
            let teams = group.teams.iter().map(|team| format!("@{team}"));
            teams.chain(group.users.iter().map(|user| format!("@{user}"))).collect::<Vec<_>>().join(", ")
        });
    }
}

fn row<'p>((service, environment): (&'p str, &'p str), rule: &Rule<'p>, known: &mut Known<'p>) -> Row<'p> {
    let Some(require) = rule.require() else {
        return Row {
            source: Some(rule.source),
            ..denied((service, environment), "nothing says what is required".into())
        };
    };
    let asked = known.asked(require, rule);
    let fewest = asked.fewest;
    let lives_nowhere = matches!(require, Require::People(_)) && rule.repository.is_empty();
    let why: Option<Rc<str>> = lives_nowhere.then(|| "nothing says in which repository it lives".into());
    Row {
        service,
        environment,
        strictness: match fewest {
            _ if lives_nowhere => Strictness::Denied,
            // What stops nothing takes nobody, whoever it asks.
            _ if rule.mode() == Mode::Audit => Strictness::Nobody,
            0 => Strictness::Nobody,
            1 => Strictness::One,
            _ => Strictness::Several,
        },
        require: Some(asked.words),
        fewest_people: (!lives_nowhere).then_some(fewest),
        denied: why,
        timeout: Some(rule.timeout()),
        timeout_seconds: Some(rule.timeout().as_secs()),
        explicit: Some(rule.explicit()),
        exclude: Some(rule.exclude()),
        on_changes_requested: Some(rule.on_changes_requested()),
        veto: rule.veto().iter().map(ToString::to_string).collect(),
        freeze: rule.freeze().iter().map(|freeze| freeze.calendar.name()).collect(),
        window: rule.window().unwrap_or_default().iter().map(|calendar| calendar.name()).collect(),
        wait: rule.wait(),
        override_by: rule.override_by().map(|field| field.by.in_words()),
        override_for: rule.override_by().map(|field| field.valid_for),
        mode: Some(rule.mode()),
        notify: told(rule),
        repository: rule.repository,
        description: rule.description,
        source: Some(rule.source),
    }
}

fn denied<'p>((service, environment): (&'p str, &'p str), why: Rc<str>) -> Row<'p> {
    Row {
        service,
        environment,
        require: None,
        strictness: Strictness::Denied,
        fewest_people: None,
        denied: Some(why),
        timeout: None,
        timeout_seconds: None,
        explicit: None,
        exclude: None,
        on_changes_requested: None,
        veto: Vec::new(),
        freeze: Vec::new(),
        window: Vec::new(),
        wait: None,
        override_by: None,
        override_for: None,
        mode: None,
        notify: Vec::new(),
        repository: &[],
        description: None,
        source: None,
    }
}

/// Every channel that is told of something, in the order of names.
fn told<'p>(rule: &Rule<'p>) -> Vec<&'p str> {
    let mut told: Vec<&str> = match rule.notify() {
        None => Vec::new(),
        Some(NotifyRule::All(channels)) => channels.iter().map(ChannelName::as_str).collect(),
        Some(NotifyRule::ByEvent(events)) => events.values().flatten().map(ChannelName::as_str).collect(),
    };
    told.extend(rule.service_notify.iter().map(ChannelName::as_str));
    told.sort_unstable();
    told.dedup();
    told
}

impl Row<'_> {
    /// Who must approve, or that nobody ever can.
    fn who(&self) -> String {
        match (&self.denied, &self.require) {
            (Some(why), _) => format!("denied: {why}"),
            (None, Some(require)) => require.to_string(),
            (None, None) => String::new(),
        }
    }

    /// Whether people are asked, so that there is a deadline, and someone whose approval does not count.
    fn asks(&self) -> bool {
        self.denied.is_none() && self.require.as_deref() != Some("none")
    }

    /// The timeout, where people are asked.
    fn deadline(&self) -> String {
        self.timeout.filter(|_| self.asks()).map_or_else(|| "-".to_owned(), |timeout| timeout.to_string())
    }

    /// Whether an approval must name the target, where people are asked.
    fn by_name(&self) -> &'static str {
        match self.explicit.filter(|_| self.asks()) {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        }
    }

    /// Whose approvals never count, where people are asked.
    fn excluded(&self) -> String {
        match self.exclude.filter(|_| self.asks()) {
            None => "-".to_owned(),
            Some([]) => "nobody".to_owned(),
            Some(exclude) => exclude.iter().map(|who| who.as_str()).collect::<Vec<_>>().join(", "),
        }
    }

    /// All of that in a line, in the words of the language.
    fn terms(&self) -> String {
        let mut terms = Vec::new();
        if self.asks() {
            terms.push(format!("timeout {}", self.deadline()));
            terms.extend((self.explicit == Some(true)).then(|| "explicit".to_owned()));
            terms.push(format!("exclude {}", self.excluded()));
        }
        terms.extend(self.holds());
        if !self.notify.is_empty() {
            terms.push(format!("notify {}", self.channels()));
        }
        terms.join("; ")
    }

    /// Whoever and whatever holds a release, and who may set that aside.
    fn holds(&self) -> Vec<String> {
        let mut terms = Vec::new();
        let otherwise = self.on_changes_requested.filter(|does| self.asks() && *does != OnChangesRequested::Reject);
        terms.extend(otherwise.map(|does| format!("on_changes_requested {}", does.as_str())));
        terms.extend((self.asks() && !self.veto.is_empty()).then(|| format!("veto {}", self.veto.join(", "))));
        terms.extend((!self.freeze.is_empty()).then(|| format!("freeze {}", self.freeze.join(", "))));
        terms.extend((!self.window.is_empty()).then(|| format!("window {}", self.window.join(", "))));
        terms.extend(self.wait.map(|wait| format!("wait {wait}")));
        let by = self.override_by.iter().zip(self.override_for);
        terms.extend(by.map(|(by, valid)| format!("override by {by} for {valid}")));
        terms.extend((self.mode == Some(Mode::Audit)).then(|| "audit".to_owned()));
        terms
    }

    /// The same in one text.
    fn release(&self) -> String {
        let terms = self.holds();
        if terms.is_empty() { "-".to_owned() } else { terms.join("; ") }
    }

    fn channels(&self) -> String {
        if self.notify.is_empty() { "-".to_owned() } else { self.notify.join(", ") }
    }

    fn place(&self) -> String {
        self.source.map_or_else(|| "-".to_owned(), ToString::to_string)
    }
}
