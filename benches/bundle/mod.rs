//! A generated policy of any size, for the benchmarks. It does not depend on what they measure.

use std::fmt::Write as _;

use countersign::finding::{Source, SourceContent};

/// Services per file. A file may have at most 4 MiB.
const PER_FILE: usize = 10_000;

/// One rule for each service. Every tenth service is a pattern, and one in a hundred a regular expression (at most ten).
pub(crate) fn sources(rules: usize) -> Vec<Source> {
    let head = "version: 1\n\
                groups:\n  payments: { teams: [acme/payments] }\n  security: { users: [dana, lee] }\n\
                channels:\n  oncall: { email: [oncall@acme.example] }\n\
                defaults: { repository: \"acme/*\", timeout: 8h, notify: [oncall] }\n";
    let mut files = vec![("0.yaml".to_owned(), head.to_owned())];
    for first in (0..rules).step_by(PER_FILE) {
        let mut text = "services:\n".to_owned();
        for at in first..rules.min(first + PER_FILE) {
            let key = match at {
                at if at > 0 && at % 100 == 0 && at <= 1_000 => format!("/re-{at}-(eu|us)/"),
                at if at % 10 == 9 => format!("\"group-{at}-*\""),
                at => format!("service-{at}"),
            };
            let rule = "{ all_of: [2 of payments, 1 of security] }";
            writeln!(text, "  {key}: {{ environments: {{ production: {{ require: {rule}, timeout: 4h }} }} }}")
                .unwrap();
        }
        files.push((format!("{:06}.yaml", first + 1), text));
    }
    // A regular expression counts as overlapping with every pattern, so all patterns must be in one file.
    if rules > PER_FILE {
        files = one_file_of_patterns(files);
    }
    files.into_iter().map(|(name, text)| Source { name, content: SourceContent::Bytes(text.into_bytes()) }).collect()
}

fn one_file_of_patterns(files: Vec<(String, String)>) -> Vec<(String, String)> {
    let is_pattern = |line: &&str| line.starts_with("  /") || line.starts_with("  \"");
    let patterns: Vec<String> =
        files.iter().flat_map(|(_, text)| text.lines().filter(is_pattern)).map(str::to_owned).collect();
    let mut split: Vec<(String, String)> = files
        .into_iter()
        .map(|(name, text)| {
            (name, text.lines().filter(|line| !is_pattern(line)).fold(String::new(), |all, line| all + line + "\n"))
        })
        .collect();
    split.push(("patterns.yaml".to_owned(), format!("services:\n{}\n", patterns.join("\n"))));
    split
}
