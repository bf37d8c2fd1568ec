//! Who must approve what: every service in every environment, as text, Markdown, HTML or JSON.
//!
//! Each target has one [`Row`], from which all formats are made.

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

#[derive(Debug, Serialize)]
pub struct Matrix<'p> {
    schema: u32,
    policy_digest: &'p PolicyDigest,
    /// By service, then by environment.
    rows: Vec<Row<'p>>,
    #[serde(skip)]
    services: Vec<&'p str>,
    #[serde(skip)]
    environments: Vec<&'p str>,
    /// The members of the groups that may approve.
    #[serde(skip)]
    groups: BTreeMap<&'p str, String>,
}

#[derive(Debug, Serialize)]
struct Row<'p> {
    service: &'p str,
    environment: &'p str,
    /// The requirement in words. `None` if every request is denied.
    require: Option<Rc<str>>,
    strictness: Strictness,
    /// The fewest people who could meet it. `None` if every request is denied.
    fewest_people: Option<u32>,
    /// The reason if every request is denied.
    denied: Option<Rc<str>>,
    timeout: Option<Duration>,
    timeout_seconds: Option<u64>,
    explicit: Option<bool>,
    exclude: Option<&'p [Exclusion]>,
    on_changes_requested: Option<OnChangesRequested>,
    /// Who may request changes, in addition to those eligible for `require`.
    veto: Vec<String>,
    freeze: Vec<&'p str>,
    /// Empty if there is no window.
    window: Vec<&'p str>,
    wait: Option<Duration>,
    /// Who may override, in words.
    #[serde(rename = "override")]
    override_by: Option<String>,
    override_for: Option<Duration>,
    mode: Option<Mode>,
    /// The channels that the rule or the service notifies of anything.
    notify: Vec<&'p str>,
    repository: &'p [RepositoryPattern],
    description: Option<&'p str>,
    source: Option<&'p Place>,
}

/// How many people a release needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Strictness {
    Nobody,
    One,
    Several,
    /// There is no rule, or every request is denied.
    Denied,
}

/// A requirement in words, and the fewest people who could meet it. Depends on `distinct` and the escalations as well.
#[derive(Clone)]
struct Summary {
    words: Rc<str>,
    fewest: u32,
}

/// Results that many rows share.
#[derive(Default)]
struct Known<'p> {
    summaries: HashMap<(*const Require, *const Escalation, bool), Summary>,
    no_service: Option<Rc<str>>,
    no_environment: Option<Rc<str>>,
    groups: BTreeMap<&'p str, String>,
}

impl<'p> Matrix<'p> {
    /// Every given service in every given environment. Both are keys of the policy, or names.
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

    #[must_use]
    pub fn text(&self) -> String {
        text::text(self)
    }

    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::markdown(self)
    }

    /// A page in one file.
    #[must_use]
    pub fn html(&self) -> String {
        html::html(self)
    }
}

impl<'p> Known<'p> {
    /// The reason why there is no rule, without the name of the service, so that rows share it.
    fn why(&mut self, why: NoRule<'_>) -> Rc<str> {
        match why {
            NoRule::Service => self.no_service.get_or_insert_with(|| "no service of the policy matches".into()),
            NoRule::Environment { .. } => {
                self.no_environment.get_or_insert_with(|| "no rule for this environment".into())
            }
        }
        .clone()
    }

    fn summary(&mut self, require: &'p Require, rule: &Rule<'p>) -> Summary {
        let key = (std::ptr::from_ref(require), rule.escalate().as_ptr(), rule.distinct());
        if let Some(summary) = self.summaries.get(&key) {
            return summary.clone();
        }
        let summary = match require {
            Require::Nobody => Summary { words: "none".into(), fewest: 0 },
            Require::People(requirement) => {
                for group in requirement.leaves().into_iter().flat_map(|leaf| &leaf.of) {
                    self.add_group(group);
                }
                Summary {
                    words: requirement.in_words().into(),
                    fewest: requirement.fewest_people(rule.distinct(), rule.escalate()),
                }
            }
        };
        self.summaries.insert(key, summary.clone());
        summary
    }

    fn add_group(&mut self, approver: &'p ApproverRef) {
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
            ..denied((service, environment), "no layer says who must approve".into())
        };
    };
    let summary = known.summary(require, rule);
    let fewest = summary.fewest;
    let has_no_repository = matches!(require, Require::People(_)) && rule.repository.is_empty();
    let why: Option<Rc<str>> = has_no_repository.then(|| "no repository is named for the service".into());
    Row {
        service,
        environment,
        strictness: match fewest {
            _ if has_no_repository => Strictness::Denied,
            // Audit mode stops nothing, whoever must approve.
            _ if rule.mode() == Mode::Audit => Strictness::Nobody,
            0 => Strictness::Nobody,
            1 => Strictness::One,
            _ => Strictness::Several,
        },
        require: Some(summary.words),
        fewest_people: (!has_no_repository).then_some(fewest),
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
        notify: notified_channels(rule),
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

/// Every channel that is notified of any event, in the order of names.
fn notified_channels<'p>(rule: &Rule<'p>) -> Vec<&'p str> {
    let mut channels: Vec<&str> = match rule.notify() {
        None => Vec::new(),
        Some(NotifyRule::All(names)) => names.iter().map(ChannelName::as_str).collect(),
        Some(NotifyRule::ByEvent(events)) => events.values().flatten().map(ChannelName::as_str).collect(),
    };
    channels.extend(rule.service_notify.iter().map(ChannelName::as_str));
    channels.sort_unstable();
    channels.dedup();
    channels
}

impl Row<'_> {
    /// Who must approve, or why every request is denied.
    fn who(&self) -> String {
        match (&self.denied, &self.require) {
            (Some(why), _) => format!("denied: {why}"),
            (None, Some(require)) => require.to_string(),
            (None, None) => String::new(),
        }
    }

    /// Whether people must approve, so that fields about approvals have an effect.
    fn needs_approval(&self) -> bool {
        self.denied.is_none() && self.require.as_deref() != Some("none")
    }

    /// The timeout, if people must approve.
    fn deadline(&self) -> String {
        self.timeout.filter(|_| self.needs_approval()).map_or_else(|| "-".to_owned(), |timeout| timeout.to_string())
    }

    /// Whether an approval must name the target, if people must approve.
    fn by_name(&self) -> &'static str {
        match self.explicit.filter(|_| self.needs_approval()) {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        }
    }

    /// Who is excluded, if people must approve.
    fn excluded(&self) -> String {
        match self.exclude.filter(|_| self.needs_approval()) {
            None => "-".to_owned(),
            Some([]) => "nobody".to_owned(),
            Some(exclude) => exclude.iter().map(|who| who.as_str()).collect::<Vec<_>>().join(", "),
        }
    }

    /// The other fields in one line, in the words of the policy language.
    fn rest(&self) -> String {
        let mut rest = Vec::new();
        if self.needs_approval() {
            rest.push(format!("timeout {}", self.deadline()));
            rest.extend((self.explicit == Some(true)).then(|| "explicit".to_owned()));
            rest.push(format!("exclude {}", self.excluded()));
        }
        rest.extend(self.holds());
        if !self.notify.is_empty() {
            rest.push(format!("notify {}", self.channels()));
        }
        rest.join("; ")
    }

    /// The fields that hold a release, and who may override them.
    fn holds(&self) -> Vec<String> {
        let mut rest = Vec::new();
        let otherwise =
            self.on_changes_requested.filter(|does| self.needs_approval() && *does != OnChangesRequested::Reject);
        rest.extend(otherwise.map(|does| format!("on_changes_requested {}", does.as_str())));
        rest.extend((self.needs_approval() && !self.veto.is_empty()).then(|| format!("veto {}", self.veto.join(", "))));
        rest.extend((!self.freeze.is_empty()).then(|| format!("freeze {}", self.freeze.join(", "))));
        rest.extend((!self.window.is_empty()).then(|| format!("window {}", self.window.join(", "))));
        rest.extend(self.wait.map(|wait| format!("wait {wait}")));
        let by = self.override_by.iter().zip(self.override_for);
        rest.extend(by.map(|(by, valid)| format!("override by {by} for {valid}")));
        rest.extend((self.mode == Some(Mode::Audit)).then(|| "audit".to_owned()));
        rest
    }

    fn release(&self) -> String {
        let rest = self.holds();
        if rest.is_empty() { "-".to_owned() } else { rest.join("; ") }
    }

    fn channels(&self) -> String {
        if self.notify.is_empty() { "-".to_owned() } else { self.notify.join(", ") }
    }

    fn place(&self) -> String {
        self.source.map_or_else(|| "-".to_owned(), ToString::to_string)
    }
}
