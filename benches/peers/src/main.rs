//! Runs one task through this engine and others: the cost of a decision, and its ratio to ours.
//!
//! It compares the answers before it measures. It measures CPU time of this thread, in rounds in which every engine has
//! a turn, so that other load on the machine affects all of them. Arguments replace the default sizes.

mod cedar;
mod engine;
mod ours;
mod rego;
mod scan;
mod task;

use std::hint::black_box;
use std::time::Duration;

use engine::Engine;
use task::Task;

const SIZES: [usize; 3] = [10, 1_000, 100_000];
const ROUNDS: usize = 9;
/// The approximate length of an engine's turn, if its decisions are fast enough.
const TURN: Duration = Duration::from_millis(30);
/// An engine whose decisions are slower than this gets fewer queries and fewer rounds.
const SLOW: Duration = Duration::from_millis(50);
const FEW_QUERIES: usize = 4;
const FEW_ROUNDS: usize = 3;

type Make = for<'t> fn(&'t Task) -> Box<dyn Engine + 't>;

/// The others are compared with the first.
const ENGINES: [(&str, Make); 7] = [
    ("countersign: the verdict, reasons as data", |task| Box::new(ours::Judged::new(task))),
    ("countersign: the whole decision, in words", |task| Box::new(ours::Decided::new(task))),
    ("a regular expression a rule, in order", |task| Box::new(scan::Scan::new(task))),
    ("cedar-policy, keyed by hand", |task| Box::new(cedar::Cedar::new(task, cedar::Form::Keyed))),
    ("cedar-policy, a policy a rule", |task| Box::new(cedar::Cedar::new(task, cedar::Form::Listed))),
    ("regorus, keyed by hand", |task| Box::new(rego::Machine::new(task, rego::Form::Keyed))),
    ("regorus, a list of rules", |task| Box::new(rego::Machine::new(task, rego::Form::Listed))),
];

/// What was measured of an engine at one size.
struct Measured {
    decision: Duration,
    load: Duration,
    few: bool,
    /// The difference between the slowest and the fastest round, as a fraction of the median.
    spread: f64,
}

fn main() {
    let given: Vec<usize> = std::env::args().skip(1).map(|size| size.parse().expect("a number of rules")).collect();
    let sizes = if given.is_empty() { SIZES.to_vec() } else { given };
    let columns: Vec<Vec<Measured>> = sizes.iter().map(|size| measure(*size)).collect();
    print_tables(&sizes, &columns);
}

fn measure(size: usize) -> Vec<Measured> {
    let task = Task::new(size);
    let approved = task.answers.iter().filter(|approved| **approved).count();
    assert!((8..=24).contains(&approved), "{approved} of {} queries are approved", task.answers.len());
    eprintln!("{size} rules: {} queries, {approved} of them to be approved", task.answers.len());
    let mut turns: Vec<Turn<'_>> = ENGINES.iter().map(|(name, make)| Turn::new(name, *make, &task)).collect();
    for round in 0..ROUNDS {
        for turn in turns.iter_mut().filter(|turn| round < turn.rounds) {
            turn.take();
        }
    }
    turns.into_iter().map(Turn::measured).collect()
}

/// One engine among the others of its size.
struct Turn<'t> {
    engine: Box<dyn Engine + 't>,
    load: Duration,
    queries: usize,
    passes: u32,
    rounds: usize,
    decisions: Vec<Duration>,
}

impl<'t> Turn<'t> {
    /// Loads an engine and checks its answers.
    fn new(name: &str, make: Make, task: &'t Task) -> Self {
        let (mut engine, load) = timed(|| make(task));
        // The first decision also builds whatever the engine builds lazily.
        engine.approved(0);
        let (_, first) = timed(|| engine.approved(0));
        let (queries, rounds) = if first > SLOW { (FEW_QUERIES, FEW_ROUNDS) } else { (task.queries.len(), ROUNDS) };
        let (answers, pass) = timed(|| (0..queries).map(|query| engine.approved(query)).collect::<Vec<_>>());
        for (query, (answer, right)) in answers.iter().zip(&task.answers).enumerate() {
            let service = &task.queries[query].service;
            assert_eq!(answer, right, "{name}, {} rules: query {query}, of `{service}`", task.rules.len());
        }
        eprintln!("  {name}: {queries} answers agree");
        let passes = TURN.as_nanos() / pass.as_nanos().max(1);
        Self { engine, load, queries, passes: u32::try_from(passes).unwrap().max(1), rounds, decisions: Vec::new() }
    }

    fn take(&mut self) {
        let ((), spent) = timed(|| {
            for _ in 0..self.passes {
                for query in 0..self.queries {
                    black_box(self.engine.approved(black_box(query)));
                }
            }
        });
        self.decisions.push(spent / (self.passes * u32::try_from(self.queries).unwrap()));
    }

    fn measured(mut self) -> Measured {
        self.decisions.sort();
        let decision = self.decisions[self.decisions.len() / 2];
        let (fastest, slowest) = (self.decisions[0], self.decisions[self.decisions.len() - 1]);
        let spread = (slowest - fastest).as_secs_f64() / decision.as_secs_f64();
        Measured { decision, load: self.load, few: self.queries == FEW_QUERIES, spread }
    }
}

/// Returns the result of the work and its CPU time.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let now = || {
        let at = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(at.tv_sec.try_into().unwrap(), at.tv_nsec.try_into().unwrap())
    };
    let before = now();
    let given = work();
    (given, now() - before)
}

fn print_tables(sizes: &[usize], columns: &[Vec<Measured>]) {
    let lock = include_str!("../Cargo.lock");
    let versions = ["cedar-policy", "regorus", "regex"].map(|name| format!("{name} {}", version(lock, name)));
    println!(
        "{}. CPU time of one decision, medians of {ROUNDS} interleaved rounds; × the first line.\n",
        versions.join(", ")
    );
    print_table(sizes, columns, |measured, first| {
        let times = measured.decision.as_secs_f64() / first.decision.as_secs_f64();
        let few = if measured.few { " \\*" } else { "" };
        format!("{} ({}×){few}", duration_text(measured.decision), significant(times))
    });
    if columns.iter().flatten().any(|measured| measured.few) {
        println!("\n\\* slower than {} a decision: {FEW_QUERIES} queries, {FEW_ROUNDS} rounds.", duration_text(SLOW));
    }
    println!("\nLoading, once, from each engine's own text or values, in CPU time.\n");
    print_table(sizes, columns, |measured, _| duration_text(measured.load));
    let spread = columns.iter().flatten().map(|measured| measured.spread).fold(0.0, f64::max);
    println!("\nWidest spread of a line's rounds: {:.0} % of its median.", spread * 100.0);
}

fn print_table(sizes: &[usize], columns: &[Vec<Measured>], cell: impl Fn(&Measured, &Measured) -> String) {
    println!(
        "| | {} |",
        sizes.iter().map(|size| format!("{} rules", with_commas(*size))).collect::<Vec<_>>().join(" | ")
    );
    println!("|---|{}", "---|".repeat(sizes.len()));
    for (at, (name, _)) in ENGINES.iter().enumerate() {
        let cells: Vec<String> = columns.iter().map(|column| cell(&column[at], &column[0])).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

fn duration_text(time: Duration) -> String {
    let nanos = time.as_secs_f64() * 1e9;
    match nanos {
        nanos if nanos < 1e3 => format!("{nanos:.0} ns"),
        nanos if nanos < 1e6 => format!("{} µs", significant(nanos / 1e3)),
        nanos if nanos < 1e9 => format!("{} ms", significant(nanos / 1e6)),
        nanos => format!("{} s", significant(nanos / 1e9)),
    }
}

/// Two or three digits, or a whole number with commas between thousands.
fn significant(number: f64) -> String {
    match number {
        number if number < 10.0 => format!("{number:.1}"),
        number if number < 1e3 => format!("{number:.0}"),
        number => with_commas(number as usize),
    }
}

fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|part| str::from_utf8(part).unwrap()).collect();
    parts.join(",")
}

fn version<'l>(lock: &'l str, package: &str) -> &'l str {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{package}\"")).skip(1);
    lines.next().and_then(|line| line.strip_prefix("version = \"")).map_or("?", |line| line.trim_end_matches('"'))
}
