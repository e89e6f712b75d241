//! Matches patterns with stars, in a time that no number of stars lets explode.

/// Returns whether a pattern matches a whole text: `*` stands for any characters, none included, and `?` for one byte.
pub fn matches_pattern(pattern: &str, text: &str) -> bool {
    let is_one = |wanted: &u8, byte: &u8| *wanted == b'?' || wanted == byte;
    matches_sequence(
        pattern.as_bytes(),
        text.as_bytes(),
        |it| *it == b'*',
        is_one,
    )
}

/// Returns whether a pattern matches a whole sequence, in time proportional to the product of the lengths. A star stands
/// for any items, none included; `is_one` tells whether another part of the pattern stands for an item.
pub fn matches_sequence<P, T>(
    pattern: &[P],
    items: &[T],
    is_star: impl Fn(&P) -> bool,
    is_one: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut item_at) = (0, 0);
    // The newest star, and the item from which on the parts after it are tried: an earlier star need take no more.
    let mut star: Option<(usize, usize)> = None;
    while item_at < items.len() {
        match pattern.get(at) {
            Some(part) if is_star(part) => {
                star = Some((at, item_at));
                at += 1;
            }
            Some(part) if is_one(part, &items[item_at]) => {
                at += 1;
                item_at += 1;
            }
            _ => match star {
                Some((star_at, from)) => {
                    star = Some((star_at, from + 1));
                    at = star_at + 1;
                    item_at = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(is_star)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The meaning of a pattern, which takes exponential time.
    fn matches_by_meaning(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => {
                (0..=text.len()).any(|taken| matches_by_meaning(rest, &text[taken..]))
            }
            ([first, rest @ ..], [byte, others @ ..]) => {
                (*first == b'?' || first == byte) && matches_by_meaning(rest, others)
            }
            _ => false,
        }
    }

    #[test]
    fn a_pattern_matches_what_it_means() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut matched = 0;
        for _ in 0..20_000 {
            let mut text = |alphabet: &[char]| -> String {
                let length = random.usize(0..7);
                let chars = (0..length).map(|_| alphabet[random.usize(0..alphabet.len())]);
                chars.collect()
            };
            let pattern = text(&['a', 'b', '*', '*', '?']);
            let name = text(&['a', 'b']);
            let expected = matches_by_meaning(pattern.as_bytes(), name.as_bytes());
            assert_eq!(
                matches_pattern(&pattern, &name),
                expected,
                "{pattern} {name}"
            );
            matched += u32::from(expected);
        }
        assert!((1000..19_000).contains(&matched), "{matched}");
    }

    #[test]
    fn many_stars_and_a_long_text_take_no_time() {
        let (pattern, text) = ("*a".repeat(100), "a".repeat(2000));
        assert!(matches_pattern(&pattern, &text));
        assert!(!matches_pattern(&format!("{pattern}b"), &text));
    }
}
