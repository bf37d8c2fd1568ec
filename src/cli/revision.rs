//! Reads a policy at a git revision, with the `git` program. Never passes a given text to git as an option.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::bundle::is_policy_file;
use super::failure::Failure;
use crate::finding::{Source, SourceContent};
use crate::policy::{MAX_BUNDLE_BYTES, MAX_FILE_BYTES};

/// Reads the path at the revision, by the same rules as a path on disk.
///
/// Errors without git, outside a repository, for an unknown revision, or if the path has no policy there.
pub(super) fn read_revision(revision: &str, path: &Path) -> anyhow::Result<Vec<Source>> {
    let repository = Repository::around(path)?;
    let commit = repository.commit(revision)?;
    let found = repository.list(&commit)?;
    if found.is_empty() {
        let message = format!("there is no policy at `{}` in `{revision}`", path.display());
        return Err(Failure::new("policy-missing", message)
            .hint("`git:REV` has the path of the other side, or else of `--policy PATH`")
            .into());
    }
    repository.read(found)
}

/// A file as git lists it.
struct Listed {
    /// Relative to the policy's folder.
    name: Vec<u8>,
    object: String,
    size: u64,
}

/// The git repository of a path.
struct Repository {
    top: PathBuf,
    /// The path below `top`, with `/` between folders. Empty for the top itself.
    within: String,
}

impl Repository {
    /// Searches from the nearest existing folder, since the path itself may have been deleted.
    fn around(path: &Path) -> anyhow::Result<Self> {
        let absolute = std::path::absolute(path)?;
        let is_there = |ancestor: &&Path| ancestor.is_dir();
        let folder = absolute.ancestors().find(is_there).unwrap_or(Path::new("/"));
        let rest = absolute.strip_prefix(folder).unwrap_or(Path::new("")).to_owned();
        let folder = folder.canonicalize()?;
        let output = git(&folder, ["rev-parse", "--show-toplevel"])?;
        if !output.status.success() {
            let message = format!("`{}` is not in a git repository: {}", path.display(), first_line(&output.stderr));
            return Err(Failure::new("no-repository", message).into());
        }
        let top = String::from_utf8_lossy(&output.stdout).trim_end_matches(['\n', '\r']).to_owned();
        let top = PathBuf::from(top).canonicalize()?;
        let within = folder.strip_prefix(&top).unwrap_or(Path::new("")).join(rest);
        let parts: Option<Vec<&str>> = within.components().map(|part| part.as_os_str().to_str()).collect();
        let Some(parts) = parts else { anyhow::bail!("the path `{}` is not UTF-8", path.display()) };
        Ok(Self { top, within: parts.join("/") })
    }

    /// The hash of the revision's commit. From here on, git gets only this hash, not the given text.
    fn commit(&self, revision: &str) -> anyhow::Result<String> {
        let unknown = |why: String| {
            Failure::new("unknown-revision", format!("`{revision}` is not a revision of the repository{why}"))
                .hint("name a commit, branch or tag that this clone has, e.g. `git:origin/main`")
        };
        if revision.is_empty() || revision.starts_with('-') {
            return Err(unknown(String::new()).into());
        }
        let wanted = format!("{revision}^{{commit}}");
        let output = git(&self.top, ["rev-parse", "--verify", "--end-of-options", &wanted])?;
        let hash = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned();
        if !output.status.success() || hash.is_empty() || !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(unknown(format!(": {}", first_line(&output.stderr))).into());
        }
        Ok(hash)
    }

    /// The policy files under the path at the commit, in byte order of their relative paths.
    fn list(&self, commit: &str) -> anyhow::Result<Vec<Listed>> {
        let mut arguments = vec!["ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--"];
        arguments.extend((!self.within.is_empty()).then_some(self.within.as_str()));
        let output = git(&self.top, arguments)?;
        if !output.status.success() {
            anyhow::bail!("git cannot list `{commit}`: {}", first_line(&output.stderr));
        }
        let entries = output.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
        let mut found: Vec<Listed> = entries.filter_map(|entry| self.listed(entry)).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Parses `mode type object size<tab>path`. `None` unless it is a policy file: links and submodules are not.
    fn listed(&self, entry: &[u8]) -> Option<Listed> {
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        let (head, path) = (std::str::from_utf8(entry.get(..tab)?).ok()?, entry.get(tab + 1..)?);
        let mut words = head.split_ascii_whitespace();
        let (mode, object, size) = (words.next()?, words.nth(1)?, words.next()?);
        if !matches!(mode, "100644" | "100755") {
            return None;
        }
        let listed =
            |name: &[u8]| Some(Listed { name: name.to_vec(), object: object.to_owned(), size: size.parse().ok()? });
        if path == self.within.as_bytes() {
            return listed(path.rsplit(|byte| *byte == b'/').next()?);
        }
        let below = match self.within.as_bytes() {
            [] => path,
            within => path.strip_prefix(within)?.strip_prefix(b"/")?,
        };
        let mut parts = below.split(|byte| *byte == b'/');
        let is_hidden = parts.any(|part| part.starts_with(b"."));
        let name = below.rsplit(|byte| *byte == b'/').next()?;
        if is_hidden || !is_policy_file(name) { None } else { listed(below) }
    }

    /// Reads the files, up to the size limits of a policy.
    fn read(&self, found: Vec<Listed>) -> anyhow::Result<Vec<Source>> {
        let mut budget = MAX_BUNDLE_BYTES;
        let mut too_large = Vec::with_capacity(found.len());
        for file in &found {
            let fits = file.size <= MAX_FILE_BYTES.min(budget);
            budget = budget.saturating_sub(if fits { file.size } else { 0 });
            too_large.push(!fits);
        }
        let wanted: Vec<u8> = found
            .iter()
            .zip(&too_large)
            .filter(|(_, too_large)| !**too_large)
            .flat_map(|(file, _)| [file.object.as_bytes(), b"\n"].concat())
            .collect();
        let mut contents = self.contents(wanted)?.into_iter();
        let sources = found.into_iter().zip(too_large).map(|(file, too_large)| {
            let content = if too_large {
                SourceContent::TooLarge(file.size)
            } else {
                let missing = || SourceContent::Unreadable("git does not have its content".to_owned());
                contents.next().map_or_else(missing, SourceContent::Bytes)
            };
            Source { name: String::from_utf8_lossy(&file.name).into_owned(), content }
        });
        Ok(sources.collect())
    }

    /// The contents of the objects, which `wanted` names one on each line, in the same order.
    fn contents(&self, wanted: Vec<u8>) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut child = command(&self.top)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| no_git(&error))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        // git writes answers while it reads the list, so both must happen at once.
        let writer = std::thread::spawn(move || stdin.map_or(Ok(()), |mut stdin| stdin.write_all(&wanted)));
        let mut contents = Vec::new();
        if let Some(stdout) = stdout {
            let mut reader = BufReader::new(stdout);
            while let Some(content) = next_object(&mut reader)? {
                contents.push(content);
            }
        }
        child.wait()?;
        // If git stopped early, contents are missing, and their files become unreadable sources.
        let _ = writer.join();
        Ok(contents)
    }
}

/// Reads `object blob size`, the content, and a line feed.
fn next_object(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut head = String::new();
    if reader.read_line(&mut head)? == 0 {
        return Ok(None);
    }
    let size: u64 = match head.split_ascii_whitespace().collect::<Vec<_>>().as_slice() {
        [_, "blob", size] => size.parse().map_err(io::Error::other)?,
        _ => return Ok(None),
    };
    let mut content = Vec::new();
    reader.by_ref().take(size).read_to_end(&mut content)?;
    reader.by_ref().take(1).read_to_end(&mut Vec::new())?;
    Ok(Some(content))
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    // Reading a policy fetches nothing, prompts for nothing and locks nothing. A path is not a pattern.
    command.current_dir(folder).env("GIT_LITERAL_PATHSPECS", "1").env("GIT_OPTIONAL_LOCKS", "0");
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1").env("LC_ALL", "C");
    command
}

fn git(folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> anyhow::Result<std::process::Output> {
    let output = command(folder).args(arguments).stdin(Stdio::null()).output();
    Ok(output.map_err(|error| no_git(&error))?)
}

fn no_git(error: &io::Error) -> Failure {
    let missing = error.kind() == io::ErrorKind::NotFound;
    let why = if missing { "it is not installed, or not in `PATH`".to_owned() } else { error.to_string() };
    Failure::new("no-git", format!("cannot run `git`: {why}")).hint("compare two folders instead of `git:REV`")
}

/// The first line of git's error, without `fatal:`.
fn first_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("git does not say why");
    line.trim_start_matches("fatal: ").to_owned()
}
