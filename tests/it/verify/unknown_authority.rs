//! Timestamps of an authority that the trusted root does not name: they prove nothing, and take nothing
//! from what proves the time without them.

use serde_json::{Value, json};

use super::authorities::{RECORDS, made, now};
use crate::sigstore::forge::*;

/// A bundle and its trusted root, with the timestamps that `stamps` makes in place of its own.
fn stamped(
    record: Record,
    stamps: impl Fn(&Forge, &Forge, &Signed) -> Vec<Value>,
) -> super::authorities::Made {
    let (own, foreign) = (Forge::default(), Forge::default());
    let mut made = made(&own, record);
    let signature = made.bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str();
    let signed = Signed {
        content: Content::Message("SHA2_256"),
        message: Vec::new(),
        signature: crate::sigstore::bytes(signature.unwrap()),
    };
    let stamps = stamps(&own, &foreign, &signed);
    let material = &mut made.bundle["verificationMaterial"];
    material["timestampVerificationData"] = json!({"rfc3161Timestamps": stamps});
    made
}

fn certified(forge: &Forge, signed: &Signed, at: std::time::SystemTime) -> Value {
    let token = forge.stamper.stamp_bytes(&signed.signature, at, true);
    json!({"signedTimestamp": crate::sigstore::base64(&token)})
}

#[test]
fn promise_6_a_timestamp_of_an_unknown_authority_is_passed_over_where_a_log_proves_the_time() {
    for record in RECORDS {
        let made = stamped(record, |_, foreign, signed| {
            vec![foreign.timestamp(signed, now())]
        });
        match record {
            // Rekor v2 gives no time.
            Record::Hashed2 => made.is_refused("Rekor v2", "no authority of the trusted root"),
            _ => made.holds("Rekor v1"),
        };
        let made = stamped(record, |own, foreign, signed| {
            vec![
                certified(foreign, signed, now()),
                own.timestamp(signed, now()),
            ]
        });
        made.holds("beside a good timestamp");
    }
}

#[test]
fn promise_6_the_time_of_an_unknown_authority_is_not_taken() {
    // The certificate is valid for ten minutes, which each time has to be in.
    let late = minutes(11);
    let made = stamped(Record::Dsse1, |_, foreign, signed| {
        vec![foreign.timestamp(signed, late)]
    });
    made.holds("an unknown authority's");
    let made = stamped(Record::Dsse1, |own, _, signed| {
        vec![own.timestamp(signed, late)]
    });
    let bundles = |made: &super::authorities::Made| made.bundle_outcomes();
    assert!(bundles(&made).iter().all(Result::is_err));
}

#[test]
fn promise_6_a_bad_timestamp_of_a_known_authority_is_refused_where_a_log_proves_the_time() {
    let made = stamped(Record::Dsse1, |own, _, _| {
        let other = Signed {
            content: Content::Message("SHA2_256"),
            message: Vec::new(),
            signature: b"another".to_vec(),
        };
        vec![own.timestamp(&other, now())]
    });
    let bundles = made.bundle_outcomes();
    let told = |told: &Result<(), String>| told.clone().unwrap_err();
    assert!(
        bundles
            .iter()
            .all(|outcome| told(outcome).contains("another signature"))
    );
}
