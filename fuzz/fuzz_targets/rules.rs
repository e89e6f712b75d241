//! `cargo +nightly fuzz run rules`, with the rows of tests/data/metadata-rows as a start:
//! `fuzz/corpus.sh` writes them to fuzz/corpus/rules.

#![no_main]

#[path = "../drive.rs"]
mod drive;

libfuzzer_sys::fuzz_target!(|text: &str| drive::drive(text));
