//! Every interleaving of a sweep that notifies, and may crash between any two steps, with a webhook that reads or decides,
//! over the real transitions of a request: no notification is lost, and none is sent again that was recorded.
//!
//! The sweep's steps are those of the use cases `sweep`, `settle` and `notify`.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use countersign::approval::decision::{Event, Verdict};
use countersign::ident::Target;
use countersign::request::occasion::Occasion;
use countersign::request::{ApprovalRequest, CallbackOutcome, State};

use crate::specimen::{at, decision, pending, policy};

/// The instants to try, in minutes. Reminders are due at 10 and 25, an escalation at 30; the deadline is at 60.
const INSTANTS: [i64; 4] = [11, 31, 42, 61];
const DEADLINE: i64 = 60;
/// How often the sweep may crash in one history.
const CRASHES: u8 = 2;
/// With fewer states than this, the model has lost a part of its subject.
const FLOOR: usize = 2_000;

/// What a worker is about to do.
#[derive(Clone)]
enum Step {
    /// Read the request and the facts, and decide.
    Begin,
    /// Record that the facts were read, and go on waiting.
    NoteReading { base: Arc<ApprovalRequest>, read_at: i64 },
    /// Write the claim.
    Claim { base: Arc<ApprovalRequest>, verdict: Verdict },
    /// The execution got its answer: record that.
    Close { base: Arc<ApprovalRequest> },
    /// Notify the channel of what is due.
    Notify { base: Arc<ApprovalRequest>, due: VecDeque<Occasion> },
    /// Record that it was notified.
    Mark { base: Arc<ApprovalRequest>, due: VecDeque<Occasion> },
    /// Nothing to do.
    Over,
}

/// What the webhook's delivery decides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Webhook {
    Reads,
    Approves,
}

#[derive(Clone)]
struct World {
    instant: usize,
    stored: Arc<ApprovalRequest>,
    sweep: Step,
    webhook: Step,
    kind: Webhook,
    crashes: u8,
    /// How often the channel was notified.
    notified: BTreeMap<Occasion, u8>,
    /// How often a crash came between the notification and its record.
    lost: BTreeMap<Occasion, u8>,
}

fn guarded() -> ApprovalRequest {
    let target: Target = serde_json::from_str(r#"{"service":"checkout","environment":"guarded"}"#).expect("a target");
    let rule = policy().rule(&target).map(|rule| rule.pin()).unwrap_or_else(|why| panic!("no rule: {why:?}"));
    let request = pending("reminders", 0);
    ApprovalRequest { rule, deadline: Some(at(60 * DEADLINE)), ..request }
}

impl World {
    fn new(kind: Webhook) -> Self {
        Self {
            instant: 0,
            stored: Arc::new(guarded()),
            sweep: Step::Begin,
            webhook: Step::Begin,
            kind,
            crashes: 0,
            notified: BTreeMap::new(),
            lost: BTreeMap::new(),
        }
    }

    fn now(&self) -> i64 {
        60 * INSTANTS[self.instant]
    }

    fn write(&mut self, next: ApprovalRequest) -> bool {
        let follows = next.version == self.stored.version + 1;
        if follows {
            self.stored = Arc::new(next);
        }
        follows
    }

    /// Does a step. `deciding` is what the facts say before the deadline.
    fn work(&mut self, step: Step, deciding: Verdict) -> Step {
        let now = self.now();
        match step {
            Step::Begin => {
                let base = Arc::clone(&self.stored);
                let verdict = if now >= 60 * DEADLINE { Verdict::Expired } else { deciding };
                match (&base.state, verdict) {
                    (State::Pending, Verdict::Pending) => Step::NoteReading { base, read_at: now },
                    (State::Pending, verdict) => Step::Claim { base, verdict },
                    (State::Settling(_) | State::Closed(_), _) => Step::Over,
                }
            }
            Step::NoteReading { base, read_at } if base.state == State::Pending => {
                let read = base.read(at(read_at));
                if self.write(read.clone()) {
                    let due = read.overdue(at(read_at)).into_iter().map(|(occasion, _)| occasion).collect();
                    Step::Notify { base: Arc::new(read), due }
                } else {
                    Step::NoteReading { base: Arc::clone(&self.stored), read_at }
                }
            }
            Step::NoteReading { .. } | Step::Over => Step::Over,
            Step::Claim { base, verdict } => {
                let claimed = base.claim(&decision(verdict), at(now)).expect("a pending request");
                if self.write(claimed.clone()) { Step::Close { base: Arc::new(claimed) } } else { Step::Begin }
            }
            Step::Close { base } => {
                let closed = base.close(CallbackOutcome::Taken, at(now)).expect("a claimed request");
                if self.write(closed) { Step::Over } else { Step::Close { base: Arc::clone(&self.stored) } }
            }
            Step::Notify { base, due } => match due.front() {
                Some(occasion) => {
                    assert!(
                        !self.stored.notified.contains_key(occasion),
                        "{occasion} is notified again though it is recorded"
                    );
                    *self.notified.entry(*occasion).or_default() += 1;
                    Step::Mark { base, due }
                }
                None => Step::Over,
            },
            Step::Mark { base, mut due } => {
                let occasion = *due.front().expect("what was notified");
                let channels = base.unnotified(occasion);
                if self.write(base.notified(occasion, &channels, at(now))) {
                    due.pop_front();
                    return Step::Notify { base, due };
                }
                Step::Mark { base: Arc::clone(&self.stored), due }
            }
        }
    }

    fn sweeps(&mut self) {
        let step = std::mem::replace(&mut self.sweep, Step::Over);
        let next = self.work(step, Verdict::Pending);
        self.sweep = if matches!(next, Step::Over) { Step::Begin } else { next };
    }

    /// The webhook decides, and leaves what is due to the sweep.
    fn delivers(&mut self) {
        let step = std::mem::replace(&mut self.webhook, Step::Over);
        let verdict = if self.kind == Webhook::Approves { Verdict::Approved } else { Verdict::Pending };
        let next = self.work(step, verdict);
        self.webhook = if matches!(next, Step::Notify { .. }) { Step::Over } else { next };
    }

    fn is_due(&self) -> bool {
        self.stored.is_open() && self.stored.due_at().is_some_and(|due| due <= at(self.now()))
    }

    fn crash(&mut self) {
        if let Step::Mark { due, .. } = &self.sweep {
            *self.lost.entry(*due.front().expect("what was notified")).or_default() += 1;
        }
        self.crashes += 1;
        self.sweep = Step::Begin;
    }

    fn next(&self) -> Vec<Self> {
        let mut after = Vec::new();
        let mut add = |change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            after.push(world);
        };
        let idle = matches!(self.sweep, Step::Begin);
        if !idle || self.is_due() {
            add(&Self::sweeps);
        }
        if !idle && self.crashes < CRASHES {
            add(&Self::crash);
        }
        if !matches!(self.webhook, Step::Over) {
            add(&Self::delivers);
        }
        if self.instant + 1 < INSTANTS.len() {
            add(&|world| world.instant += 1);
        }
        after
    }

    /// What must hold in every state.
    fn check(&self) {
        for (occasion, times) in &self.notified {
            let lost = self.lost.get(occasion).copied().unwrap_or_default();
            assert!(*times <= 1 + lost, "{occasion} was notified {times} times, and {lost} were not recorded");
        }
    }

    /// Only the sweep runs on: it notifies of all that is due, and then nothing is due any more.
    fn the_sweep_catches_up(mut self) {
        self.crash();
        self.webhook = Step::Over;
        let mut steps = 0;
        while self.is_due() || !matches!(self.sweep, Step::Begin) {
            // A claim that nobody closes belongs to the other model.
            if matches!(self.stored.state, State::Settling(_)) && matches!(self.sweep, Step::Begin) {
                return;
            }
            self.sweeps();
            self.check();
            steps += 1;
            assert!(steps < 40, "the sweep does not come to rest: due at {:?}", self.stored.due_at());
        }
        if self.stored.is_open() {
            assert_eq!(self.stored.overdue(at(self.now())), [], "something that is due was not notified");
        }
    }

    /// Of the version a step has read, only whether it is still the newest matters: an outdated one stays outdated.
    fn key(&self) -> Vec<String> {
        let step = |step: &Step| {
            let newest = |base: &ApprovalRequest| base.version == self.stored.version;
            match step {
                Step::Begin => "begin".to_owned(),
                Step::NoteReading { base, read_at } => {
                    format!("note {} {read_at} {:?}", newest(base), base.state == State::Pending)
                }
                Step::Claim { base, verdict } => format!("claim {} {verdict:?}", newest(base)),
                Step::Close { base } => format!("close {}", newest(base)),
                Step::Notify { base, due } => format!("notify {} {due:?}", newest(base)),
                Step::Mark { base, due } => format!("mark {} {due:?}", newest(base)),
                Step::Over => "over".to_owned(),
            }
        };
        let state = match &self.stored.state {
            State::Pending => "pending",
            State::Settling(_) => "settling",
            State::Closed(_) => "closed",
        };
        vec![
            format!("{} {state} {} {}", self.instant, self.stored.read_at, self.crashes),
            format!("{:?} {:?} {:?}", self.stored.notified.keys(), self.notified, self.lost),
            step(&self.sweep),
            step(&self.webhook),
        ]
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was explored is worth knowing")]
fn in_every_interleaving_what_is_due_is_notified_and_never_again_once_recorded() {
    let mut seen = HashSet::new();
    let mut most = BTreeMap::<Occasion, u8>::new();
    let mut open = vec![World::new(Webhook::Reads), World::new(Webhook::Approves)];
    while let Some(world) = open.pop() {
        let key = (world.kind == Webhook::Reads, world.key());
        if !seen.insert(key) {
            continue;
        }
        world.check();
        world.clone().the_sweep_catches_up();
        for (occasion, times) in &world.notified {
            let most = most.entry(*occasion).or_default();
            *most = (*most).max(*times);
        }
        open.extend(world.next());
    }
    println!("{} states, notified at most: {most:?}", seen.len());
    assert!(seen.len() > FLOOR, "only {} states", seen.len());
    let occasion = |event, number| Occasion { event, number: Some(number) };
    for occasion in [occasion(Event::Reminded, 1), occasion(Event::Reminded, 2), occasion(Event::Escalated, 1)] {
        assert_eq!(most.get(&occasion).copied(), Some(1 + CRASHES), "{occasion}");
    }
}
