//! `cargo +nightly fuzz run policy`: any bytes are a policy that can be relied on, or are refused
//! with a place in the file.

#![no_main]

use shipmark::image::{CanonicalPlace, RealPaths};
use shipmark::policy::{FilePosition, ReleasePolicy};
use shipmark::tagging::CompatMode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let policy = match ReleasePolicy::parse(bytes) {
        Ok(policy) => policy,
        Err(errors) => {
            let is_placed = |at: &FilePosition| at.line > 0 && at.column > 0;
            assert!(errors.iter().all(|error| is_placed(&error.at)), "{errors:?}");
            return;
        }
    };
    // Two names of one place are told only here.
    let Ok(repositories) = policy.repositories(&RealPaths::default()) else {
        return;
    };
    for stage in policy.environments() {
        let _ = stage.rules(CompatMode::Strict);
        assert!(stage.from().iter().all(|from| policy.stage(from).is_some()));
        for (service, place) in stage.destinations() {
            let canonical = CanonicalPlace::new(place, &RealPaths::default());
            let found = repositories.matching(place, &canonical).unwrap().unwrap();
            assert_eq!((found.0.name(), found.1), (stage.name(), service.as_ref()));
        }
    }
});
