//! "Did you mean": the nearest word of a closed vocabulary.

/// How many words are compared at most: a vocabulary may be a hostile policy's hundred thousand groups.
const MOST_WORDS: usize = 2000;

/// The word of `vocabulary` that `given` was most likely meant to be, if one is near enough.
///
/// Near means that at most a third of the letters (at least one) are changed, added, dropped or swapped with a
/// neighbour.
#[must_use]
pub fn closest<'v>(given: &str, vocabulary: impl IntoIterator<Item = &'v str>) -> Option<&'v str> {
    let given: Vec<char> = given.chars().take(64).flat_map(char::to_lowercase).collect();
    let allowed = (given.len() / 3).max(1);
    let near = |word: &&str| word.chars().take(given.len() + allowed + 1).count().abs_diff(given.len()) <= allowed;
    vocabulary
        .into_iter()
        .take(MOST_WORDS)
        .filter(near)
        .map(|word| (distance(&given, &word.chars().flat_map(char::to_lowercase).collect::<Vec<_>>()), word))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, word)| word)
}

/// The optimal string alignment distance: edits, with a swap of neighbours as one.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous_a = None;
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        let mut previous_b = None;
        for (j, cb) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&last, j) + usize::from(ca != cb)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if previous_a == Some(cb) && previous_b == Some(ca) {
                best = best.min(at(&before, j.wrapping_sub(1)) + 1);
            }
            row.push(best);
            previous_b = Some(cb);
        }
        previous_a = Some(ca);
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_typing_error_is_recognised() {
        let keys = ["require", "timeout", "exclude", "notify"];
        assert_eq!(closest("requier", keys), Some("require"));
        assert_eq!(closest("Timeout", keys), Some("timeout"));
        assert_eq!(closest("notfy", keys), Some("notify"));
    }

    #[test]
    fn a_different_word_is_not_taken_for_another() {
        assert_eq!(closest("webhook", ["require", "timeout"]), None);
        assert_eq!(closest("", ["require"]), None);
    }
}
