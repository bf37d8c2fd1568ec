//! Finds and reads test files.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::finding::{Source, SourceContent};
use crate::policy::MAX_FILE_BYTES;

/// How the names of test files end.
const ENDINGS: [&str; 2] = [".test.yaml", ".test.yml"];

/// The test files under the paths, in byte order, each once. A path that is a file is taken whatever its name.
///
/// Where no path is given: those of the policy. A folder holds its tests; a file `x.yaml` has `x.test.yaml` beside it.
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
    found.dedup();
    found.iter().map(|path| read(path)).collect()
}

fn find(path: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let cannot = || format!("`{}` cannot be read", path.display());
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
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            found.push(entry.path());
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the command line is where files are read")]
fn read(path: &Path) -> anyhow::Result<Source> {
    let cannot = || format!("`{}` cannot be read", path.display());
    let name = path.to_string_lossy().replace('\\', "/");
    let size = std::fs::metadata(path).with_context(cannot)?.len();
    let content = if size > MAX_FILE_BYTES {
        SourceContent::TooLarge(size)
    } else {
        SourceContent::Bytes(std::fs::read(path).with_context(cannot)?)
    };
    Ok(Source { name, content })
}
