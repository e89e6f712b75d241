//! `cargo +nightly fuzz run manifest`: of any bytes that are read as a manifest, each descriptor below it is a
//! child, a blob or a foreign layer, so that nothing is left behind by a copy.

#![no_main]

use std::collections::BTreeSet;

use shipmark::image::Manifest;

#[path = "../../tests/it/support/named_descriptors.rs"]
#[allow(dead_code)]
mod named_descriptors;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for served_as in [None, Some("application/vnd.oci.artifact.manifest.v1+json")] {
        let Ok(manifest) = Manifest::parse(bytes.to_vec().into(), served_as) else {
            continue;
        };
        let below = manifest.children().chain(manifest.blobs());
        let below: BTreeSet<_> = below.map(|entry| entry.digest.to_string()).collect();
        let foreign = manifest.foreign_layers();
        let foreign: BTreeSet<_> = foreign.map(|entry| entry.digest.to_string()).collect();
        for named in named_descriptors::named_descriptors(bytes) {
            let stays = named.may_stay() && foreign.contains(&named.digest);
            assert!(stays || below.contains(&named.digest), "{named:?}");
        }
    }
});
