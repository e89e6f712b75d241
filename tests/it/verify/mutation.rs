//! Where cargo-fuzz is not: what cosign signed, mutated at random, a bounded number of times.
//! `FUZZ_SECONDS=60 cargo test --test it verify::mutation` goes on for that long, from another seed.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::data;

#[path = "../../../fuzz/signatures.rs"]
mod signatures;

const ROUNDS: usize = 400;

/// What bundles are made of, to be put anywhere.
const WORDS: [&str; 12] = [
    "\"", "{", "}", "[", "]", ",", ":null", "-1", "\"\":", "=", "1e999", "\u{0}",
];

fn mutated(seed: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.usize(1..4) {
        let at = random.usize(0..bytes.len().max(1)).min(bytes.len());
        match random.u8(0..5) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] = random.u8(..),
            3 => {
                let to = (at + random.usize(..80)).min(bytes.len());
                let part = bytes[at..to].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let word = WORDS[random.usize(..WORDS.len())];
                bytes.splice(at..at, word.bytes());
            }
        }
    }
    bytes
}

fn try_all(seeds: &[Vec<u8>], target: fn(&[u8])) {
    let seconds = std::env::var("FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut random = match seconds {
        Some(_) => fastrand::Rng::new(),
        None => fastrand::Rng::with_seed(7),
    };
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or_default());
    let mut round = 0;
    while round < ROUNDS || Instant::now() < end {
        let bytes = mutated(&seeds[random.usize(..seeds.len())], &mut random);
        let tried = std::panic::catch_unwind(|| target(&bytes));
        assert!(
            tried.is_ok(),
            "seen with {:?}",
            String::from_utf8_lossy(&bytes)
        );
        round += 1;
    }
}

fn bundle(name: &str) -> Vec<u8> {
    let record: Value = serde_json::from_slice(&data(name)).unwrap();
    record["bundle"].to_string().into_bytes()
}

#[test]
fn mutated_bundles_are_refused_or_say_what_was_signed() {
    let seeds = ["keyless-rekor1.json", "keyless-rekor2.json", "key.json"].map(bundle);
    try_all(&seeds, signatures::bundle);
}

#[test]
fn mutated_payloads_are_refused_or_say_what_was_signed() {
    let record: Value = serde_json::from_slice(&data("legacy-keyless.json")).unwrap();
    let entry = record["annotations"]["dev.sigstore.cosign/bundle"]
        .as_str()
        .unwrap();
    let payload = br#"{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":""},"type":"cosign container image signature"},"optional":null}"#;
    try_all(
        &[payload.to_vec(), entry.as_bytes().to_vec()],
        signatures::payload,
    );
}

#[test]
fn mutated_trusted_roots_are_refused_or_read() {
    try_all(&[data("trusted_root.json")], signatures::trusted_root);
}
