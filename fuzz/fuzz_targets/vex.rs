//! `cargo +nightly fuzz run vex`: any bytes are an OpenVEX document, or they are refused.

#![no_main]

#[path = "../reports.rs"]
#[allow(dead_code)]
mod reports;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    reports::vex(bytes);
});
