//! Timestamps that `openssl ts` and Sigstore's timestamp authority made, kept as data.

use super::{Case, Recorded};

fn failures(cases: &[&Case], recorded: &Recorded) -> Vec<String> {
    let failed = cases.iter().filter_map(|case| {
        let told = recorded.stamped(case).check();
        let holds = match (&told, &case.refused) {
            (Ok(()), None) => true,
            (Err(told), Some(reason)) => told.contains(reason.as_str()),
            _ => false,
        };
        (!holds).then(|| format!("{}: {told:?}", case.name))
    });
    failed.collect()
}

#[test]
fn promise_6_timestamps_of_every_key_hash_and_place_of_certificates_prove_the_time() {
    let recorded = Recorded::load();
    let good = recorded.cases.iter().filter(|case| case.refused.is_none());
    let good: Vec<_> = good.collect();
    assert_eq!(good.len(), 6 * 3 * 4 + 3 * 3 + 2);
    assert_eq!(failures(&good, &recorded), Vec::<String>::new());
}

#[test]
fn promise_6_timestamps_with_one_thing_wrong_prove_nothing() {
    let recorded = Recorded::load();
    let bad = recorded.cases.iter().filter(|case| case.refused.is_some());
    let bad: Vec<_> = bad.collect();
    assert_eq!(bad.len(), 2 * 18);
    assert_eq!(failures(&bad, &recorded), Vec::<String>::new());
}

#[test]
fn promise_6_a_timestamp_counts_for_no_other_signature_nor_trusted_root() {
    let recorded = Recorded::load();
    let good = recorded.cases.iter().filter(|case| case.refused.is_none());
    for case in good.filter(|case| case.name.contains("SHA-512")) {
        let mut other = recorded.stamped(case);
        let own = recorded.signature();
        let changed = [&own[..own.len() - 1], &[own[own.len() - 1] ^ 1]].concat();
        other.bundle["messageSignature"]["signature"] = super::encode(&changed).into();
        let told = other.check().expect_err(&case.name);
        assert!(told.contains("another signature"), "{}: {told}", case.name);

        let mut other = recorded.stamped(case);
        other.root["timestampAuthorities"] = serde_json::json!([]);
        let told = other.check().expect_err(&case.name);
        assert!(told.contains("no authority"), "{}: {told}", case.name);
    }
}
