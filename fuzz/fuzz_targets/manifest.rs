//! `cargo +nightly fuzz run manifest`: of any bytes that are read as a manifest, each descriptor below it is a
//! child, a blob or a foreign layer, so that nothing is left behind by a copy.

#![no_main]

#[path = "../../tests/it/support/named_descriptors.rs"]
mod named_descriptors;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for served_as in [None, Some("application/vnd.oci.artifact.manifest.v1+json")] {
        named_descriptors::check_nothing_left_out(bytes, served_as);
    }
});
