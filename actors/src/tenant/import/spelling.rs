//! Finds the word that was probably meant.

/// The candidate that is closest to `word`, where any is close enough to be meant.
pub(super) fn closest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance, with a swap of neighbours counted as one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, from) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in other.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let swapped =
                row > 0 && column > 0 && one.get(row - 1) == Some(to) && other.get(column - 1) == Some(from);
            let swap = if swapped { at(&before, column - 1) + 1 } else { usize::MAX };
            let change = at(&above, column) + usize::from(from != to);
            current.push(change.min(at(&above, column + 1) + 1).min(at(&current, column) + 1).min(swap));
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant_and_nothing_far_away() {
        assert_eq!(closest("Europe/Lodnon", ["Europe/Paris", "Europe/London"]), Some("Europe/London"));
        assert_eq!(closest("adress", ["name", "address"]), Some("address"));
        assert_eq!(closest("zzz", ["name", "address"]), None);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
