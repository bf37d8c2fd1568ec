//! Reads and loads the policy's files. Never reads more of a file than a policy may have.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::failure::Failure;
use super::terminal;
use crate::finding::{Source, SourceContent};
use crate::policy::{Loaded, MAX_BUNDLE_BYTES, MAX_FILE_BYTES, Policy, load};
use crate::render;

#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    /// The policy: a file, or a folder that is read recursively.
    #[arg(id = "policy", long = "policy", value_name = "PATH", default_value = "policies")]
    pub path: PathBuf,
}

/// Reads one file, or recursively every `*.yaml` and `*.yml` of a folder, in byte order of the relative path.
///
/// Skips tests (`*.test.yaml`, `*.test.yml`), names that begin with `.`, and symbolic links. Whatever cannot be read
/// becomes an unreadable source, which makes the policy invalid: a part of a policy is not the policy.
///
/// Errors if there is nothing at the path.
pub(super) fn read_bundle(path: &Path) -> anyhow::Result<Vec<Source>> {
    // Follows a link: whoever names a link means its target.
    let metadata = fs::metadata(path).map_err(|error| cannot_read(path, &error))?;
    let mut budget = MAX_BUNDLE_BYTES;
    if !metadata.is_dir() {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        return Ok(vec![Source { name, content: read_file(path, &mut budget) }]);
    }
    let mut sources = Vec::new();
    for entry in walk(path) {
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        let content = match entry.error {
            Some(error) => SourceContent::Unreadable(error),
            None => read_file(&entry.path, &mut budget),
        };
        sources.push(Source { name, content });
    }
    Ok(sources)
}

/// Loads the policy at the path. Errors if there is none, or as [`usable`] does.
pub(super) fn load_policy(path: &Path) -> anyhow::Result<Policy> {
    usable(load(read_bundle(path)?), &path.display().to_string())
}

/// The loaded policy. If it is invalid, the error holds all findings, and its exit code is [`Exit::PolicyInvalid`].
/// Messages call the policy `name`.
pub(super) fn usable(loaded: Loaded, name: &str) -> anyhow::Result<Policy> {
    let Loaded { policy, findings, sources } = loaded;
    if let Some(policy) = policy {
        return Ok(policy);
    }
    let text = render::finding::text(&findings, &sources, terminal::stderr_color());
    let message = format!("the policy `{name}` cannot be used: {}", render::finding::counted(&findings));
    let failure = Failure::new("policy-invalid", message)
        .hint("correct it, and run `countersign check` until the policy is sound")
        .exit(Exit::PolicyInvalid)
        .details(text, render::finding::json(&findings, &sources, None));
    Err(failure.into())
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::NotFound {
        Failure::new("policy-missing", format!("there is no policy at `{}`", path.display()))
            .hint("name a file, or a folder with `*.yaml` files: `--policy PATH`")
    } else {
        Failure::new("policy-unreadable", format!("the policy `{}` cannot be read: {error}", path.display()))
    }
}

/// A file of a folder, or a folder that cannot be listed.
struct Found {
    /// Relative to the policy's folder, with `/` between folders.
    name: Vec<u8>,
    path: PathBuf,
    error: Option<String>,
}

/// The policy files under a folder, in byte order of their relative paths.
fn walk(root: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    let mut folders: Vec<(Vec<u8>, PathBuf)> = vec![(Vec::new(), root.to_owned())];
    while let Some((prefix, folder)) = folders.pop() {
        if let Err(error) = list(&folder, &prefix, &mut folders, &mut found) {
            let name = if prefix.is_empty() { b".".to_vec() } else { prefix };
            found.push(Found { name, path: folder, error: Some(error.to_string()) });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Lists one folder: its files into `found`, its folders into `folders`.
fn list(folder: &Path, prefix: &[u8], folders: &mut Vec<(Vec<u8>, PathBuf)>, found: &mut Vec<Found>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (file_name, path) = (entry.file_name(), entry.path());
        let bytes = file_name.as_encoded_bytes();
        if bytes.starts_with(b".") {
            continue;
        }
        let mut name = prefix.to_vec();
        name.extend_from_slice(bytes);
        let kind = entry.file_type()?;
        if kind.is_dir() {
            name.push(b'/');
            folders.push((name, path));
        } else if !kind.is_symlink() && is_policy_file(bytes) {
            let special = || "it is neither a file nor a folder".to_owned();
            let error = (!kind.is_file()).then(special);
            found.push(Found { name, path, error });
        }
    }
    Ok(())
}

pub(super) fn is_policy_file(name: &[u8]) -> bool {
    let stem = name.strip_suffix(b".yaml").or_else(|| name.strip_suffix(b".yml"));
    stem.is_some_and(|stem| !stem.ends_with(b".test"))
}

/// Reads one file of at most `budget` bytes, and subtracts its size from the budget.
pub(super) fn read_file(path: &Path, budget: &mut u64) -> SourceContent {
    let most = MAX_FILE_BYTES.min(*budget);
    match read_at_most(path, most) {
        Ok(content) => {
            if let SourceContent::Bytes(bytes) = &content {
                *budget = budget.saturating_sub(size(bytes));
            }
            content
        }
        Err(error) => SourceContent::Unreadable(error.to_string()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is the edge at which files are read")]
fn read_at_most(path: &Path, most: u64) -> io::Result<SourceContent> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.len() > most {
        return Ok(SourceContent::TooLarge(metadata.len()));
    }
    // A file may grow while it is read, and a pipe has no size. Reading one byte more than allowed detects both.
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if size(&bytes) > most {
        return Ok(SourceContent::TooLarge(size(&bytes)));
    }
    Ok(SourceContent::Bytes(bytes))
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write what is read")]
mod tests {
    use super::read_bundle;
    use crate::finding::SourceContent;
    use crate::policy::MAX_FILE_BYTES;

    #[test]
    fn a_folder_is_read_recursively_in_byte_order_of_the_path() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yaml", "a/z.yml", "a-b.yaml", "a/.x.yaml", "c.test.yaml", "d.txt", ".git/e.yaml", "B.yaml"] {
            std::fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let names: Vec<_> = read_bundle(folder.path()).unwrap().into_iter().map(|source| source.name).collect();
        assert_eq!(names, ["B.yaml", "a-b.yaml", "a/z.yml", "b.yaml"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_inside_the_folder_is_skipped_and_the_folder_itself_may_be_a_link() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.yaml"), "version: 1").unwrap();
        std::os::unix::fs::symlink("a.yaml", folder.path().join("b.yaml")).unwrap();
        let other = tempfile::tempdir().unwrap();
        let link = other.path().join("policies");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert_eq!(read_bundle(&link).unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = std::fs::File::create(folder.path().join("a.yaml")).unwrap();
        file.set_len(MAX_FILE_BYTES + 1).unwrap();
        let sources = read_bundle(folder.path()).unwrap();
        assert!(matches!(sources[0].content, SourceContent::TooLarge(size) if size == MAX_FILE_BYTES + 1));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_endless_file_is_read_only_up_to_the_size_limit() {
        let sources = read_bundle(std::path::Path::new("/dev/zero")).unwrap();
        assert!(matches!(sources[0].content, SourceContent::TooLarge(size) if size == MAX_FILE_BYTES + 1));
    }

    #[test]
    fn an_empty_path_is_an_error_that_names_it() {
        let error = read_bundle(std::path::Path::new("nowhere/policies")).unwrap_err();
        assert_eq!(error.to_string(), "there is no policy at `nowhere/policies`");
    }
}
