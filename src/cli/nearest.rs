//! Suggestions for unknown words.

use crate::failure::Failure;

/// A failure for an unknown word: names the nearest known one, or says `otherwise`.
pub(super) fn unknown(what: &str, word: &str, known: &[&str], otherwise: &str) -> Failure {
    match nearest(word, known) {
        Some(near) => Failure::usage(format!("unknown {what} {word:?}; did you mean {near}?")),
        None => Failure::usage(format!("unknown {what} {word:?}; {otherwise}")),
    }
}

/// The nearest known word, if it is near enough. A single letter is near every other one, so it has no nearest word.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let length = word.trim_start_matches('-').chars().count();
    // A longer word is not a typo.
    if word.len() > 100 {
        return None;
    }
    let near = known
        .iter()
        .map(|known| (distance(word, known), *known))
        .min()?;
    (length > 1 && near.0 <= 1 + length / 4).then_some(near.1)
}

/// The number of characters to add, drop, change or swap with a neighbour (the restricted
/// Damerau-Levenshtein distance).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = change.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}
