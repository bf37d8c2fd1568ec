//! Explores every interleaving over the real transitions of a request: two webhooks with opposite decisions, the sweep,
//! the state machine with its timeout, retry and stop, and a crash of any worker between any two steps.
//!
//! The store is a compare-and-set, the broker a one-shot token. Between two steps a worker does what the use case `settle`
//! does. From every reachable state, the sweep alone must be able to close the request.
#![expect(clippy::indexing_slicing, reason = "a model that leaves its bounds fails")]

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use countersign::approval::decision::Verdict;
use countersign::request::{ApprovalRequest, Callback, CallbackOutcome, End, ExecutionEnd, State};
use jiff::Timestamp;

use crate::rounds::rounds;
use crate::specimen::{at, decision, pending};

/// The times that are tried, in seconds. A claim of one, two or three attempts has lapsed at the next one.
const INSTANTS: [i64; 4] = [10, 75, 205, 460];
/// When the request's deadline comes, and the waiting step times out.
const DEADLINE: i64 = 200;
/// With fewer states than this, the model has lost a part.
const FLOOR: usize = 300_000;

/// The token of a run of the waiting step.
type Token = u8;

/// What a worker is about to do.
#[derive(Clone)]
enum Step {
    /// Read the request and the facts, and decide.
    Begin,
    /// Write that the facts were read.
    NoteReading { read: Arc<ApprovalRequest> },
    /// Write the claim.
    Claim { read: Arc<ApprovalRequest>, verdict: Verdict },
    /// Write that a lapsed claim is taken over.
    TakeOver { read: Arc<ApprovalRequest> },
    /// Read the token, now that the claim is written.
    FetchToken { claim: Arc<ApprovalRequest> },
    /// Answer the execution.
    Call { claim: Arc<ApprovalRequest>, token: Token },
    /// Ask whether the execution runs, as its token is over at the only attempt and the deadline has not come.
    Ask { claim: Arc<ApprovalRequest>, token: Token },
    /// Write that the claim is given back, over `base`.
    GiveBack { claim: Arc<ApprovalRequest>, token: Token, base: Arc<ApprovalRequest> },
    /// Read whether the token is still the same, now that the claim is given back.
    Compare { token: Token },
    /// Write what came of the answer, over `base`.
    Close { claim: Arc<ApprovalRequest>, token: Token, base: Arc<ApprovalRequest>, outcome: CallbackOutcome },
    /// Nothing more.
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Webhook(Verdict),
    Sweep,
}

/// The execution's one-shot tokens, and what became of its wait.
#[derive(Clone)]
struct Broker {
    live: Option<Token>,
    accepted: Option<End>,
    timed_out: bool,
    stopped: bool,
}

#[derive(Clone)]
struct World {
    instant: usize,
    now: i64,
    stored: Arc<ApprovalRequest>,
    token: Token,
    broker: Broker,
    workers: [Step; 3],
    /// The end that was claimed, if any.
    claimed: Option<End>,
    /// Runs of the waiting step that have yet to store their token.
    arriving: Vec<Token>,
    retries: u8,
    machine_reported: bool,
    stop_reported: bool,
}

const ROLES: [Role; 3] = [Role::Webhook(Verdict::Approved), Role::Webhook(Verdict::Rejected), Role::Sweep];

impl World {
    fn new() -> Self {
        let request = ApprovalRequest { deadline: Some(at(DEADLINE)), ..pending("model", 0) };
        Self {
            instant: 0,
            now: INSTANTS[0],
            stored: Arc::new(request),
            token: 0,
            broker: Broker { live: Some(0), accepted: None, timed_out: false, stopped: false },
            workers: [Step::Begin, Step::Begin, Step::Begin],
            claimed: None,
            // The first run may be invoked twice, and write again late: with the same token, which also models the
            // write of any bystander, or with one that has been replaced.
            arriving: vec![0],
            retries: 1,
            machine_reported: false,
            stop_reported: false,
        }
    }

    fn time(&self) -> Timestamp {
        at(self.now)
    }

    /// The conditional write: it wins only over the version that it names.
    fn write(&mut self, next: ApprovalRequest) -> bool {
        if next.version != self.stored.version + 1 {
            return false;
        }
        if let State::Closed(before) = &self.stored.state {
            assert_eq!(next.closed(), Some(before), "a closed request was changed");
        }
        if next.state == State::Pending && self.stored.state != State::Pending {
            assert_eq!(self.broker.accepted, None, "an accepted answer was given back");
            self.claimed = None;
        }
        if let State::Settling(settling) = &next.state {
            assert!(self.claimed.is_none_or(|end| end == settling.end), "two decisions were claimed");
            self.claimed = Some(settling.end);
        }
        self.stored = Arc::new(next);
        true
    }

    /// What the execution does with an answer.
    fn send(&mut self, end: End, token: Token) -> CallbackOutcome {
        assert_eq!(self.claimed, Some(end), "something was sent that was not claimed");
        if self.broker.live != Some(token) {
            return CallbackOutcome::TokenOver;
        }
        assert_eq!(self.broker.accepted, None, "two answers were taken");
        self.broker.live = None;
        self.broker.accepted = Some(end);
        CallbackOutcome::Taken
    }

    /// Does a worker's next step.
    fn work(&mut self, worker: usize) {
        let (role, step) = (ROLES[worker], self.workers[worker].clone());
        self.workers[worker] = match step {
            Step::Begin => self.begin(role),
            Step::NoteReading { read } => {
                self.write(read.read(self.time()));
                Step::Over
            }
            Step::Claim { read, verdict } => {
                let claimed = read.claim(&decision(verdict), self.time()).expect("a pending request");
                self.claim(claimed)
            }
            Step::TakeOver { read } => match read.take_over(self.time()) {
                Ok(claimed) => self.claim(claimed),
                Err(refused) => panic!("{refused}"),
            },
            Step::FetchToken { claim } => Step::Call { claim, token: self.token },
            Step::Call { claim, token } => {
                let outcome = self.send(settling_end(&claim), token);
                if outcome == CallbackOutcome::TokenOver && claim.give_back().is_ok() && self.now < DEADLINE {
                    Step::Ask { claim, token }
                } else {
                    Step::Close { base: Arc::clone(&claim), claim, token, outcome }
                }
            }
            Step::Ask { claim, token } => match self.runs() {
                true => Step::GiveBack { base: Arc::clone(&claim), claim, token },
                false => Step::Close { base: Arc::clone(&claim), claim, token, outcome: CallbackOutcome::TokenOver },
            },
            Step::GiveBack { claim, token, base } => self.give_back(claim, token, &base),
            Step::Compare { token } if token == self.token => Step::Over,
            Step::Compare { .. } => Step::Begin,
            Step::Close { claim, token, base, outcome } => self.close(claim, token, &base, outcome),
            Step::Over => Step::Over,
        };
        if role == Role::Sweep && matches!(self.workers[worker], Step::Over) {
            self.workers[worker] = Step::Begin;
        }
    }

    fn begin(&self, role: Role) -> Step {
        let read = Arc::clone(&self.stored);
        match &self.stored.state {
            State::Pending => match (role, self.now >= DEADLINE) {
                (Role::Webhook(_) | Role::Sweep, true) => Step::Claim { read, verdict: Verdict::Expired },
                (Role::Webhook(verdict), false) => Step::Claim { read, verdict },
                (Role::Sweep, false) => Step::NoteReading { read },
            },
            State::Settling(settling) if self.time() >= settling.lapses_at() => Step::TakeOver { read },
            State::Settling(_) | State::Closed(_) => Step::Over,
        }
    }

    fn claim(&mut self, claimed: ApprovalRequest) -> Step {
        let claim = Arc::new(claimed.clone());
        if self.write(claimed) { Step::FetchToken { claim } } else { Step::Begin }
    }

    /// Whether the execution runs: also after its wait is over, until its end is reported.
    fn runs(&self) -> bool {
        !self.broker.stopped && !self.stop_reported
    }

    fn give_back(&mut self, claim: Arc<ApprovalRequest>, token: Token, base: &ApprovalRequest) -> Step {
        let given = base.give_back().expect("a claim of one attempt");
        let still_ours = self.stored.state == claim.state;
        match self.write(given) {
            true => Step::Compare { token },
            false if still_ours => Step::GiveBack { base: Arc::clone(&self.stored), claim, token },
            false => Step::Over,
        }
    }

    fn close(
        &mut self,
        claim: Arc<ApprovalRequest>,
        token: Token,
        base: &ApprovalRequest,
        outcome: CallbackOutcome,
    ) -> Step {
        let closed = base.close(outcome, self.time()).expect("a claimed request");
        let still_ours = self.stored.state == claim.state;
        if self.write(closed) || !still_ours || (outcome == CallbackOutcome::TokenOver && self.token != token) {
            return Step::Over;
        }
        Step::Close { base: Arc::clone(&self.stored), claim, token, outcome }
    }

    /// What can happen next, each with the world after it.
    fn next(&self) -> Vec<Self> {
        let mut after = Vec::new();
        let mut add = |change: &dyn Fn(&mut Self)| {
            let mut world = self.clone();
            change(&mut world);
            after.push(world);
        };
        for (worker, role) in ROLES.iter().enumerate() {
            let sweeps = *role == Role::Sweep;
            let step = &self.workers[worker];
            let idle = matches!(step, Step::Begin | Step::Over);
            let due = self.stored.due_at().is_some_and(|due| due <= self.time());
            let nothing_to_do = matches!(step, Step::Over) || (sweeps && idle && !due);
            if !nothing_to_do {
                add(&|world| world.work(worker));
            }
            // A webhook that crashes is one whose next step never comes, which other paths cover. A sweep that crashes
            // makes room for the next.
            if sweeps && !idle {
                add(&|world| world.crash(worker));
            }
        }
        if let Some(now) = INSTANTS.get(self.instant + 1) {
            add(&|world| (world.instant, world.now) = (self.instant + 1, *now));
        }
        self.machine(&mut add);
        after
    }

    /// What the state machine and the one who runs it may do.
    fn machine(&self, add: &mut impl FnMut(&dyn Fn(&mut Self))) {
        if self.broker.live.is_some() {
            if self.now >= DEADLINE {
                add(&|world| {
                    world.broker.live = None;
                    world.broker.timed_out = true;
                });
            }
            add(&|world| {
                world.broker.live = None;
                world.broker.stopped = true;
            });
        }
        if let Some(token) = self.broker.live.filter(|_| self.retries > 0) {
            add(&|world| {
                world.retries -= 1;
                world.broker.live = Some(token + 1);
                world.arriving.push(token + 1);
            });
        }
        for (index, token) in self.arriving.iter().enumerate() {
            add(&|world| {
                world.arriving.remove(index);
                match world.stored.retoken(u32::from(*token)) {
                    Ok(next) => {
                        world.write(next);
                        world.token = *token;
                    }
                    // The run fails, and the execution with it.
                    Err(_) => world.broker.live = world.broker.live.filter(|live| live != token),
                }
            });
        }
        if self.broker.timed_out && !self.machine_reported {
            add(&|world| {
                world.machine_reported = true;
                if let Ok(closed) = world.stored.execution_ended(ExecutionEnd::TimedOut, None, world.time()) {
                    world.write(closed);
                }
            });
        }
        let over = self.broker.stopped || self.broker.timed_out || self.broker.accepted.is_some();
        if over && !self.stop_reported {
            add(&|world| {
                world.stop_reported = true;
                if let Ok(closed) = world.stored.execution_ended(ExecutionEnd::Stopped, None, world.time()) {
                    world.write(closed);
                }
            });
        }
    }

    /// A worker is gone. Another sweep comes; a webhook does not.
    fn crash(&mut self, worker: usize) {
        self.workers[worker] = match ROLES[worker] {
            Role::Webhook(_) => Step::Over,
            Role::Sweep => Step::Begin,
        };
    }

    /// What must hold in every state.
    fn check(&self) {
        let accepted = self.broker.accepted;
        let Some(closed) = self.stored.closed() else { return };
        let gave_up = matches!(closed.end, End::Expired | End::Canceled);
        match closed.callback {
            Callback::Sent => assert_eq!(accepted, Some(closed.end), "recorded as sent"),
            Callback::PresumedSent => {
                assert!(accepted.is_none_or(|end| end == closed.end), "another end was taken");
                assert_eq!(self.claimed, Some(closed.end), "presumed without a claim");
            }
            Callback::TokenOver => {
                assert!(accepted.is_none() && gave_up, "taken and recorded as not sent");
                assert!(closed.end == End::Expired || self.broker.live.is_none(), "canceled while somebody waits");
            }
            Callback::NotNeeded => assert!(
                accepted.is_none() && gave_up && self.claimed.is_none(),
                "an answer was accepted without a claim"
            ),
        }
        assert_eq!(self.stored.approved_at.is_some(), closed.end == End::Approved);
    }

    /// Time passes, nobody else comes, and the sweep runs: the request is closed.
    fn settles_by_the_sweep_alone(mut self) {
        for worker in 0..ROLES.len() {
            self.crash(worker);
        }
        self.sweep_until_closed();
    }

    /// The same, after every worker has finished.
    fn settles_when_all_finish(mut self) {
        for worker in 0..ROLES.len() {
            for _ in 0..12 {
                if matches!(self.workers[worker], Step::Begin | Step::Over) && worker + 1 == ROLES.len() {
                    break;
                }
                self.work(worker);
                self.check();
            }
        }
        self.sweep_until_closed();
    }

    fn sweep_until_closed(&mut self) {
        let sweep = ROLES.len() - 1;
        for _ in 0..8 {
            if self.stored.closed().is_some() {
                break;
            }
            self.now += 3_600;
            for _ in 0..6 {
                self.work(sweep);
                self.check();
            }
        }
        assert!(self.stored.closed().is_some(), "the sweep does not close {:?}", self.stored.state);
    }

    /// All that the future depends on, as small numbers. For a reading, whether it is still the newest, and for a claim,
    /// whether it still stands: what no longer is will never be again.
    fn key(&self) -> Vec<u8> {
        let flags =
            [self.broker.timed_out, self.broker.stopped, self.machine_reported, self.stop_reported, self.retries > 0];
        let flags = flags.iter().fold(0, |bits, flag| bits << 1 | u8::from(*flag));
        let arriving = self.arriving.iter().fold(0, |bits, token| bits | 1 << token);
        let nth = |time: Timestamp| INSTANTS.iter().position(|instant| at(*instant) == time).map_or(9, |nth| nth as u8);
        let end = |end: Option<End>| end.map_or(9, |end| end as u8);
        let mut key = vec![self.instant as u8, self.token, self.broker.live.unwrap_or(9), flags, arriving];
        key.extend([end(self.broker.accepted), end(self.claimed)]);
        match &self.stored.state {
            State::Pending => key.extend([0, nth(self.stored.read_at)]),
            State::Settling(settling) => key.extend([1, settling.attempts as u8, nth(settling.claimed_at)]),
            State::Closed(closed) => key.extend([2, closed.end as u8, closed.callback as u8]),
        }
        for step in &self.workers {
            self.describe(step, &mut key);
        }
        key
    }

    fn describe(&self, step: &Step, key: &mut Vec<u8>) {
        let newest = |read: &ApprovalRequest| u8::from(read.version == self.stored.version);
        let claim_of = |claim: &ApprovalRequest| {
            let stands = claim.state == self.stored.state;
            [settling_end(claim) as u8, u8::from(stands)]
        };
        match step {
            Step::Begin => key.push(0),
            Step::NoteReading { read } => key.extend([1, newest(read)]),
            Step::Claim { read, verdict } => key.extend([2, newest(read), *verdict as u8]),
            Step::TakeOver { read } => key.extend([3, newest(read)]),
            Step::FetchToken { claim } => {
                key.push(4);
                key.extend(claim_of(claim));
            }
            Step::Call { claim, token } => {
                key.extend([5, *token]);
                key.extend(claim_of(claim));
            }
            Step::Close { claim, token, base, outcome } => {
                key.extend([6, *token, newest(base), *outcome as u8]);
                key.extend(claim_of(claim));
            }
            Step::Over => key.push(7),
            Step::Ask { claim, token } => {
                key.extend([8, *token]);
                key.extend(claim_of(claim));
            }
            Step::GiveBack { claim, token, base } => {
                key.extend([9, *token, newest(base)]);
                key.extend(claim_of(claim));
            }
            Step::Compare { token } => key.extend([10, *token]),
        }
    }
}

fn settling_end(claim: &ApprovalRequest) -> End {
    match &claim.state {
        State::Settling(settling) => settling.end,
        State::Pending | State::Closed(_) => panic!("a claim is settling"),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "how much was explored is worth knowing")]
fn in_every_interleaving_one_answer_is_accepted_and_the_record_is_true() {
    let mut seen = HashSet::new();
    let mut ends = BTreeMap::<String, usize>::new();
    let first = World::new();
    seen.insert(first.key());
    let mut open = vec![first];
    let (mut transitions, mut visited) = (0_usize, 0_usize);
    // From how many states the request is brought to its end. Every state is explored and checked either way.
    let every = rounds(8, 1);
    while let Some(world) = open.pop() {
        world.check();
        visited += 1;
        if world.stored.is_open() && visited.is_multiple_of(every) {
            world.clone().settles_by_the_sweep_alone();
            world.clone().settles_when_all_finish();
        }
        if let Some(closed) = world.stored.closed() {
            let taken = world.broker.accepted.map_or("nothing", End::as_str);
            *ends.entry(format!("{} {:?}, taken: {taken}", closed.end.as_str(), closed.callback)).or_default() += 1;
        }
        for next in world.next() {
            transitions += 1;
            if seen.insert(next.key()) {
                open.push(next);
            }
        }
    }
    println!("{} states, {transitions} transitions, ends:", seen.len());
    ends.iter().for_each(|(end, count)| println!("{count:>8} {end}"));
    assert!(seen.len() > FLOOR, "only {} states", seen.len());
    for expected in [
        "approved Sent, taken: approved",
        "rejected Sent, taken: rejected",
        "expired Sent, taken: expired",
        "approved PresumedSent, taken: approved",
        "approved PresumedSent, taken: nothing",
        "rejected PresumedSent, taken: rejected",
        "canceled TokenOver, taken: nothing",
        "expired TokenOver, taken: nothing",
        "canceled NotNeeded, taken: nothing",
        "expired NotNeeded, taken: nothing",
    ] {
        assert!(ends.contains_key(expected), "never reached: {expected}");
    }
}
