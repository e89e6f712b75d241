//! The time in which a log counts, whatever its form, and a log of certificates likewise.

use std::time::SystemTime;

use serde_json::json;

use super::authorities::{DAY, RECORDS, SECOND, made, made_by, now};
use crate::sigstore::forge::*;
use crate::sigstore::{Kind, Leaf};

/// A log counts from the start to the end of its time, both included.
#[test]
fn promise_6_logs_count_only_in_their_time() {
    let at = |time: SystemTime| jiff::Timestamp::try_from(time).unwrap().to_string();
    let early = "2020-01-01T00:00:00Z".to_owned();
    let mut refused = 0;
    for (start, end, good) in [
        (early.clone(), None, true),
        (early.clone(), Some(at(now())), true),
        (at(now()), None, true),
        (at(now()), Some(at(now())), true),
        (early.clone(), Some(at(now() - SECOND)), false),
        (early.clone(), Some(at(now() - 100 * DAY)), false),
        (at(now() + SECOND), None, false),
        (at(now() + DAY), Some(at(now() + 2 * DAY)), false),
    ] {
        let mut range = json!({"start": start});
        if let Some(end) = &end {
            range["end"] = json!(end);
        }
        for record in [
            Record::Dsse1,
            Record::Hashed1,
            Record::Hashed2,
            Record::Intoto2,
        ] {
            let forge = Forge::default();
            let signers = [
                forge.certified(Leaf::new(Kind::P256), &valid()),
                Signer::key(Leaf::new(Kind::P256)),
            ];
            for signer in signers {
                let mut made = made_by(signer, &forge, record);
                made.root["tlogs"][0]["publicKey"]["validFor"] = range.clone();
                let name = format!("{record:?} {range}");
                match good {
                    true => assert!(made.holds(&name) > 1),
                    false => refused += made.is_refused(&name, ""),
                }
            }
        }
    }
    assert_eq!(refused, 88);
}

/// What a key signed needs no time; but where its log counts no more, nothing says that it did then.
#[test]
fn promise_6_a_log_that_ended_counts_for_nothing_without_a_time() {
    let forge = Forge::default();
    let mut made = made_by(Signer::key(Leaf::new(Kind::P256)), &forge, Record::Hashed2);
    made.bundle["verificationMaterial"]["timestampVerificationData"] = json!({});
    made.holds("a log without an end");
    made.root["tlogs"][0]["publicKey"]["validFor"]["end"] = json!("2026-12-01T00:00:00Z");
    made.is_refused("a log with an end", "no proof of the time of signing");
}

#[test]
fn promise_6_logs_of_certificates_count_only_in_their_time() {
    for record in RECORDS {
        let mut made = made(&Forge::default(), record);
        let range = &mut made.root["ctlogs"][0]["publicKey"]["validFor"];
        *range = json!({"start": "2020-01-01T00:00:00Z", "end": "2020-12-01T00:00:00Z"});
        made.is_refused("ended", "certificate transparency log");
        made.root["ctlogs"][0]["publicKey"]["validFor"] = json!({"start": "2120-01-01T00:00:00Z"});
        made.is_refused("not begun", "certificate transparency log");
    }
}
