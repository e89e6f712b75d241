//! `cargo +nightly fuzz run record`: any bytes are a release record, the name of a timeline entry or its manifest, and
//! read again as what they were read as, or they are refused.

#![no_main]

#[path = "../records.rs"]
mod records;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    records::drive(bytes);
});
