//! Log entries that are verified here and not by `sigstore-verify`: of other keys than P-256 in Rekor v2, and
//! of P-384 with SHA-256. Each part of them that is another's, or damaged, refuses the signature.

use serde_json::{Value, json};

use super::authorities::{Made, made_by, now};
use crate::sigstore::forge::*;
use crate::sigstore::{Kind, Leaf, base64, bytes};

/// Signers and entries that take this way.
const OWN: [(Kind, bool, Record); 9] = [
    (Kind::P384, true, Record::Hashed2),
    (Kind::P384Sha256, true, Record::Dsse1),
    (Kind::P384Sha256, true, Record::Intoto2),
    (Kind::Rsa, true, Record::Hashed2),
    (Kind::P384, false, Record::Hashed2),
    (Kind::P384, false, Record::Dsse1),
    (Kind::P521, false, Record::Intoto2),
    (Kind::P521Sha256, false, Record::Hashed1),
    (Kind::Rsa, false, Record::Hashed2),
];

fn signer(forge: &Forge, kind: Kind, certified: bool) -> Signer {
    match certified {
        true => forge.certified(Leaf::new(kind), &valid()),
        false => Signer::key(Leaf::new(kind)),
    }
}

/// Makes each of [`OWN`], changes it and requires that it is refused for a reason.
fn refused(name: &str, change: impl Fn(&Forge, &mut Made) -> bool, reason: &str) {
    let mut count = 0;
    for (kind, certified, record) in OWN {
        let forge = Forge::default();
        let mut made = made_by(signer(&forge, kind, certified), &forge, record);
        made.holds(&format!("{kind:?} {record:?} {certified}"));
        if change(&forge, &mut made) {
            let outcomes = made.bundle_outcomes();
            for outcome in outcomes {
                let told = outcome.expect_err(name);
                let case = format!("{name}, {kind:?} {record:?} {certified}: {told}");
                assert!(told.contains(reason), "{case}");
                count += 1;
            }
        }
    }
    assert!(count > 0, "{name}");
}

fn entry(made: &mut Made) -> &mut Value {
    &mut made.bundle["verificationMaterial"]["tlogEntries"][0]
}

/// Changes the last byte of a value in base64.
fn damage(value: &mut Value) {
    let mut changed = bytes(value.as_str().unwrap());
    *changed.last_mut().unwrap() ^= 1;
    *value = json!(base64(&changed));
}

/// The entry of another signature in the same log, by the same signer or another.
fn other_entry(forge: &Forge, made: &Made, other: &Signer, said: &Value) -> Value {
    let body = bytes(
        made.bundle["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"]
            .as_str()
            .unwrap(),
    );
    let body: Value = serde_json::from_slice(&body).unwrap();
    let record = match (
        body["kind"].as_str().unwrap(),
        body["apiVersion"].as_str().unwrap(),
    ) {
        ("hashedrekord", "0.0.1") => Record::Hashed1,
        ("hashedrekord", _) => Record::Hashed2,
        ("dsse", _) => Record::Dsse1,
        _ => Record::Intoto2,
    };
    let is_v1 = record != Record::Hashed2;
    forge.entry(record, other, &other.sign(said), is_v1.then(now))
}

#[test]
fn promise_6_an_entry_of_another_signature_counts_for_nothing() {
    refused(
        "another statement",
        |forge, made| {
            let other = other_entry(forge, made, &made.signer, &statement(b"another"));
            *entry(made) = other;
            true
        },
        "its log entry is for another signature",
    );
    refused(
        "another signature of the same",
        |forge, made| {
            // Ed25519 and RSA sign the same alike.
            let is_random = !matches!(made.signer.leaf, Leaf::Rsa(..) | Leaf::Ed25519(_));
            let other = other_entry(forge, made, &made.signer, &statement(b"an image"));
            *entry(made) = other;
            is_random
        },
        "its log entry is for another signature",
    );
    refused(
        "another key",
        |forge, made| {
            let certified = made.signer.certificate.is_some();
            let other = signer(forge, Kind::P256, certified);
            let mut other = other_entry(forge, made, &other, &statement(b"an image"));
            std::mem::swap(entry(made), &mut other);
            true
        },
        "",
    );
}

#[test]
fn promise_6_an_entry_that_its_log_does_not_prove_counts_for_nothing() {
    refused(
        "another root",
        |_, made| {
            let other = Forge::default();
            made.root["tlogs"] = other.trusted_root()["tlogs"].clone();
            true
        },
        "its log is not trusted",
    );
    refused(
        "a promise that is damaged",
        |_, made| {
            let promise = &mut entry(made)["inclusionPromise"]["signedEntryTimestamp"];
            let is_there = promise.is_string();
            if is_there {
                damage(promise);
            }
            is_there
        },
        "the promise of inclusion (SET) of its log is not valid",
    );
    refused(
        "another time than the promised one",
        |_, made| {
            let has_promise = entry(made)["inclusionPromise"].is_object();
            entry(made)["integratedTime"] = json!("1780000000");
            has_promise
        },
        "the promise of inclusion (SET) of its log is not valid",
    );
    refused(
        "another number",
        |_, made| {
            let has_promise = entry(made)["inclusionPromise"].is_object();
            entry(made)["logIndex"] = json!("77");
            has_promise
        },
        "the promise of inclusion (SET) of its log is not valid",
    );
    refused(
        "a proof without an end",
        |_, made| {
            entry(made)["inclusionProof"]["hashes"] = json!([base64(&[7; 32])]);
            true
        },
        "its proof of inclusion in the log is not valid",
    );
    refused(
        "no proof",
        |_, made| {
            entry(made)
                .as_object_mut()
                .unwrap()
                .remove("inclusionProof");
            true
        },
        "",
    );
}

#[test]
fn promise_6_the_times_of_such_entries_bind_the_certificate() {
    for (kind, certified, record) in OWN.into_iter().filter(|(_, certified, _)| *certified) {
        let forge = Forge::default();
        let late = forge.certified(Leaf::new(kind), &(minutes(5)..minutes(15)));
        assert!(certified);
        let made = made_by(late, &forge, record);
        for outcome in made.bundle_outcomes() {
            let told = outcome.expect_err("a certificate that was made later");
            assert!(
                told.contains("was made later") || told.contains("not valid"),
                "{told}"
            );
        }
    }
}
