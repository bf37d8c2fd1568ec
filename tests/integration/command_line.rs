//! Runs the built command with an empty environment and bounded memory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The command's address space in KiB, so that it never uses more than 200 MB. A process that allocates more aborts.
const MEMORY_KIB: u32 = 195_000;

pub(crate) struct Countersign {
    args: Vec<String>,
    stdin: Vec<u8>,
    env: Vec<(&'static str, String)>,
    folder: PathBuf,
    memory_kib: u32,
}

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Countersign {
    /// Splits the words at spaces.
    pub(crate) fn new(words: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        Self {
            args: words.split(' ').map(Into::into).collect(),
            stdin: Vec::new(),
            env: Vec::new(),
            folder,
            memory_kib: MEMORY_KIB,
        }
    }

    /// Adds one argument, without splitting it.
    pub(crate) fn arg(mut self, arg: impl AsRef<Path>) -> Self {
        self.args.push(arg.as_ref().to_str().expect("a path in a test is UTF-8").to_owned());
        self
    }

    /// Sets a variable. By default the environment is empty.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// The working directory, below `tests`.
    pub(crate) fn within(mut self, folder: &str) -> Self {
        self.folder.push(folder);
        self
    }

    pub(crate) fn memory_kib(mut self, memory_kib: u32) -> Self {
        self.memory_kib = memory_kib;
        self
    }

    /// The command, not yet started. A shell sets the memory limit and then becomes the program.
    pub(crate) fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_countersign");
        let mut command = if cfg!(target_os = "linux") {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &format!("ulimit -v {} && exec \"$0\" \"$@\"", self.memory_kib), program]);
            command
        } else {
            Command::new(program)
        };
        command.args(&self.args).env_clear().envs(self.env.iter().cloned()).current_dir(&self.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self) -> Ran {
        let mut child = self.command().spawn().expect("the command starts");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        let bytes = self.stdin.clone();
        let writer = std::thread::spawn(move || {
            // The command need not read to the end.
            let _ = stdin.write_all(&bytes);
        });
        let output = child.wait_with_output().expect("the command ends");
        writer.join().expect("stdin was written");
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
        let ran = Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "no colour outside a terminal");
        ran
    }
}

impl Ran {
    /// Stdout as one JSON document.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// Stdout as one JSON document on each line.
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(line).collect()
    }
}

/// Compares with a committed file. `UPDATE_EXPECTED=1 cargo test` writes the file instead: review the difference before
/// you commit it.
#[expect(clippy::disallowed_methods, reason = "the tests read and write their expected texts")]
pub(crate) fn assert_expected(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, text).expect("the expected text can be written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(text, expected, "{file}: if the new text is right, run with UPDATE_EXPECTED=1");
}
