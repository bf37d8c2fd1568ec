//! Finds and reads test files.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::bundle::read_file;
use crate::finding::Source;
use crate::policy::MAX_BUNDLE_BYTES;

const ENDINGS: [&str; 2] = [".test.yaml", ".test.yml"];

/// Reads the test files under the paths, in byte order, each once. A path to a file may have any name.
///
/// Without paths, reads the policy's tests: those in its folder, or `x.test.yaml` beside a policy file `x.yaml`.
pub(super) fn read_test_files(paths: &[PathBuf], policy: &Path) -> anyhow::Result<Vec<Source>> {
    let mut found = Vec::new();
    if !paths.is_empty() {
        paths.iter().try_for_each(|path| find(path, &mut found))?;
    } else if policy.is_file() {
        let beside = ENDINGS.iter().filter_map(|ending| {
            let stem = policy.file_stem()?.to_str()?;
            Some(policy.with_file_name(format!("{stem}{ending}")))
        });
        found.extend(beside.filter(|path| path.is_file()));
    } else {
        find(policy, &mut found)?;
    }
    found.sort_unstable_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    // Two paths may lead to the same file.
    let mut seen = HashSet::new();
    found.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    Ok(found.iter().map(|path| read(path)).collect())
}

fn find(path: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let cannot = || format!("cannot read `{}`", path.display());
    if !std::fs::metadata(path).with_context(cannot)?.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).with_context(cannot)? {
        let entry = entry.with_context(cannot)?;
        let kind = entry.file_type().with_context(cannot)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            find(&entry.path(), found)?;
        } else if kind.is_file() && ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push(entry.path());
        }
    }
    Ok(())
}

fn read(path: &Path) -> Source {
    let name = path.to_string_lossy().replace('\\', "/");
    Source { name, content: read_file(path, &mut MAX_BUNDLE_BYTES.clone()) }
}
