//! `cargo +nightly fuzz run scan_report`: any bytes are a scan report of one of the formats that are read, or they are
//! refused. The content tells the format; the seeds are reports of every format.

#![no_main]

#[path = "../reports.rs"]
#[allow(dead_code)]
mod reports;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    reports::scan_report(bytes);
});
