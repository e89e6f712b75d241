//! Where cargo-fuzz is not: rules of the rows, mutated at random, a bounded number of times.
//! `FUZZ_SECONDS=60 cargo test --test it tags::mutation` goes on for that long, from another seed.

use std::time::{Duration, Instant};

#[path = "../../../fuzz/drive.rs"]
mod drive;

const ROUNDS: usize = 4_000;

/// What rules are made of, to be put anywhere.
const WORDS: [&str; 32] = [
    ",",
    "=",
    "\"",
    "\n",
    "{{",
    "}}",
    "{{{",
    "}}}",
    "{{#if ",
    "{{/if}}",
    "{{else}}",
    "~",
    "'",
    "\\",
    "type=",
    "semver",
    "pep440",
    "match",
    "raw",
    "pattern=",
    "value=",
    "priority=",
    "enable=",
    "prefix=",
    "{{version}}",
    "{{branch}}",
    "{{date 'YYYY' tz='UTC'}}",
    "(",
    "[",
    "#",
    "\0",
    "ä",
];

fn seeds() -> Vec<String> {
    let rows = std::fs::read_to_string(super::rows::data("rows.jsonl")).unwrap();
    let seed = |row: &str| {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let input = |name: &str| row["inputs"][name].as_str().unwrap_or_default().to_owned();
        ["tags", "flavor", "images"].map(input).join("\0")
    };
    rows.lines().map(seed).collect()
}

/// `text` with a few of its characters taken out, doubled or replaced, or words put in.
fn mutated(text: &str, random: &mut fastrand::Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(0..=chars.len());
        match random.u8(0..4) {
            0 if at < chars.len() => drop(chars.remove(at)),
            1 if at < chars.len() => chars.insert(at, chars[at]),
            2 if at < chars.len() => chars[at] = random.char(' '..='~'),
            _ => {
                let word = WORDS[random.usize(0..WORDS.len())];
                chars.splice(at..at, word.chars());
            }
        }
    }
    chars.into_iter().collect()
}

#[test]
fn mutated_rules_are_expanded_or_refused() {
    let seconds = std::env::var("FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut random = match seconds {
        Some(_) => fastrand::Rng::new(),
        None => fastrand::Rng::with_seed(5),
    };
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or_default());
    let seeds = seeds();
    let mut round = 0;
    while round < ROUNDS || Instant::now() < end {
        let text = mutated(&seeds[random.usize(0..seeds.len())], &mut random);
        let tried = std::panic::catch_unwind(|| drive::drive(&text));
        assert!(tried.is_ok(), "seen with {text:?}");
        round += 1;
    }
}
