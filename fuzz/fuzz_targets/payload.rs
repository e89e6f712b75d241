#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../signatures.rs"]
#[allow(dead_code)]
mod signatures;

fuzz_target!(|bytes: &[u8]| signatures::payload(bytes));
