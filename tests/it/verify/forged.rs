//! Bundles of services in this process, which can be made wrong in any way: the cases of the
//! conformance suite whose assets could not be had, by their names there, and what the suite has not.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use shipmark::signing::{ImageClaim, LegacySignature, PublicKey, Requirement, TrustRoot};

use super::conformance::Case;
use crate::sigstore::forge::*;
use crate::sigstore::{ISSUER, Kind, Leaf};

const FILE: &[u8] = b"a file\n";

fn case(forge: &Forge, bundle: Value) -> Case {
    Case {
        bundle,
        text: None,
        artifact: FILE.to_vec(),
        root: Some(forge.trusted_root()),
        key: None,
        identity: identity(),
        issuer: ISSUER.to_owned(),
        both: false,
    }
}

/// A bundle about the file, by somebody with a certificate, that is good.
fn good(record: Record) -> (Forge, Signer, Signed, Case) {
    let forge = Forge::default();
    let signer = forge.certified(Leaf::new(Kind::P256), &valid());
    let signed = signer.sign(&statement(FILE));
    let bundle = forge.bundle(record, &signer, &signed);
    let case = case(&forge, bundle);
    (forge, signer, signed, case)
}

/// As [`good`], with a file's signature in place of an envelope.
fn good_file(record: Record) -> (Forge, Signer, Signed, Case) {
    let forge = Forge::default();
    let signer = forge.certified(Leaf::new(Kind::P256), &valid());
    let signed = signer.sign_file(FILE, "SHA2_256");
    let bundle = forge.bundle(record, &signer, &signed);
    let case = case(&forge, bundle);
    (forge, signer, signed, case)
}

/// The envelope of another bundle, with a timestamp of its signature where this has one.
fn take_envelope(case: &mut Case, forge: &Forge, signer: &Signer, signed: &Signed) {
    let other = bundle(signer, signed, &[], &[]);
    case.bundle["dsseEnvelope"] = other["dsseEnvelope"].clone();
    if case
        .timestamps()
        .as_array()
        .is_some_and(|all| !all.is_empty())
    {
        *case.timestamps() = json!([forge.timestamp(signed, minutes(1))]);
    }
}

/// As [`good`], with an envelope made by another key.
fn other_key(record: Record) -> Case {
    let (forge, _, _, mut case) = good(record);
    let other = forge.certified(Leaf::new(Kind::P256), &valid());
    take_envelope(&mut case, &forge, &other, &other.sign(&statement(FILE)));
    case
}

/// As [`good`], with an envelope that the same key made, of another statement about the file.
fn other_envelope(record: Record) -> Case {
    let (forge, signer, _, mut case) = good(record);
    let mut said = statement(FILE);
    said["predicate"] = json!({"another": true});
    take_envelope(&mut case, &forge, &signer, &signer.sign(&said));
    case
}

/// As [`good`], with another signature of the same by the same key.
fn other_signature(record: Record) -> Case {
    let (forge, signer, _, mut case) = good(record);
    take_envelope(&mut case, &forge, &signer, &signer.sign(&statement(FILE)));
    case
}

/// As bundles of version 0.2, with an `intoto` entry that is promised, and a timestamp.
fn older(change: impl Fn(&mut Case, &Forge, &Signer, &Signed)) -> Case {
    let (forge, signer, signed, mut case) = good(Record::Intoto2);
    *case.timestamps() = json!([forge.timestamp(&signed, minutes(2))]);
    case.versioned("application/vnd.dev.sigstore.bundle+json;version=0.2", true);
    change(&mut case, &forge, &signer, &signed);
    case
}

/// A Rekor v2 bundle with timestamps of a changed authority.
fn stamped(stamper: impl Fn(&mut Forge), times: &[u64], certified: bool) -> Case {
    let (mut forge, _, signed, mut case) = good_file(Record::Hashed2);
    stamper(&mut forge);
    let stamp = |minute: &u64| {
        let token = forge
            .stamper
            .stamp_bytes(&signed.signature, minutes(*minute), certified);
        json!({"signedTimestamp": super::encoded(&token)})
    };
    *case.timestamps() = times.iter().map(stamp).collect();
    case.root = Some(forge.trusted_root());
    case
}

/// What nobody changes.
fn as_it_is(_: &mut Forge) {}

/// The authority's certificate holds from the tenth minute before [`then`] to a minute after it.
fn short_lived(forge: &mut Forge) {
    let period = then() - Duration::from_secs(600)..minutes(1);
    forge.stamper = crate::sigstore::forge::stamper(&period);
}

/// Somebody else's timestamps: the trusted root names the first authority.
fn untrusted(certified: bool) -> Case {
    let mut case = stamped(as_it_is, &[1], certified);
    let other = Forge::default().trusted_root();
    case.root.as_mut().unwrap()["timestampAuthorities"] = other["timestampAuthorities"].clone();
    case
}

type Make = fn() -> Case;

const CASES: &[(&str, Make, Option<&str>)] = &[
    (
        "bundle-with-sct-with-extensions",
        || {
            let mut forge = Forge::default();
            forge.fulcio.ct_extensions = b"leaf index 7".to_vec();
            let signer = forge.certified(Leaf::new(Kind::P256), &valid());
            let signed = signer.sign(&statement(FILE));
            case(&forge, forge.bundle(Record::Dsse1, &signer, &signed))
        },
        None,
    ),
    (
        "dsse-mismatch-envelope_fail",
        || other_envelope(Record::Dsse1),
        Some("its log entry is for another signature"),
    ),
    (
        "dsse-mismatch-sig_fail",
        || other_signature(Record::Dsse1),
        Some("its log entry is for another signature"),
    ),
    (
        "dsse-statement-missing-type_fail",
        || {
            let forge = Forge::default();
            let signer = forge.certified(Leaf::new(Kind::P256), &valid());
            let mut said = statement(FILE);
            said.as_object_mut().unwrap().remove("_type");
            let signed = signer.sign(&said);
            case(&forge, forge.bundle(Record::Hashed2, &signer, &signed))
        },
        Some("missing field `_type`"),
    ),
    (
        "dsse-with-hashedrekord-happy-path",
        || good(Record::Hashed1).3,
        None,
    ),
    (
        "dsse-with-hashedrekord-invalid-sig_fail",
        || other_key(Record::Hashed1),
        Some("or signed with another key"),
    ),
    (
        "dsse-with-hashedrekord-mismatch-envelope_fail",
        || other_envelope(Record::Hashed1),
        Some("its log entry is for another signature"),
    ),
    (
        "dsse-with-hashedrekord-mismatch-sig_fail",
        || other_signature(Record::Hashed1),
        Some("its log entry is for another signature"),
    ),
    // Not of the suite, whose certificates have the right log's word, or a wrong root.
    (
        "SCT of somebody else_fail",
        || {
            let mut forge = Forge::default();
            forge.fulcio.ct_forged = true;
            let signer = forge.certified(Leaf::new(Kind::P256), &valid());
            let signed = signer.sign(&statement(FILE));
            case(&forge, forge.bundle(Record::Dsse1, &signer, &signed))
        },
        Some("no valid timestamp of a certificate transparency log (SCT)"),
    ),
    (
        "intoto-with-custom-trust-root",
        || older(|_, _, _, _| ()),
        None,
    ),
    (
        "intoto-expired-certificate_fail",
        || {
            older(|case, _, _, _| {
                case.root.as_mut().unwrap()["certificateAuthorities"][0]["validFor"] =
                    json!({"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"});
            })
        },
        Some("its certificate cannot be trusted"),
    ),
    (
        "intoto-log-entry-mismatch_fail",
        || {
            older(|case, forge, signer, _| {
                let mut said = statement(FILE);
                said["predicate"] = json!({"another": true});
                let other = signer.sign(&said);
                *case.entry() = forge.entry(Record::Intoto2, signer, &other, Some(minutes(1)));
            })
        },
        Some("its log entry is for another signature"),
    ),
    (
        "intoto-missing-inclusion-proof_fail",
        || {
            older(|case, _, _, _| {
                case.entry()
                    .as_object_mut()
                    .unwrap()
                    .remove("inclusionProof");
            })
        },
        Some("no proof that a transparency log has it"),
    ),
    (
        "intoto-set-outside-signing-cert-validity_fail",
        || {
            older(|case, forge, signer, signed| {
                *case.entry() = forge.entry(Record::Intoto2, signer, signed, Some(minutes(60)));
            })
        },
        Some("its certificate was not valid at the time of signing"),
    ),
    (
        "intoto-tsa-timestamp-outside-cert-validity_fail",
        || {
            older(|case, forge, _, signed| {
                *case.timestamps() = json!([forge.timestamp(signed, minutes(60))]);
            })
        },
        Some("its certificate was not valid at the time of signing"),
    ),
    ("rekor2-dsse-happy-path", || good(Record::Hashed2).3, None),
    (
        "rekor2-dsse-invalid-sig_fail",
        || other_key(Record::Hashed2),
        Some("or signed with another key"),
    ),
    (
        "rekor2-dsse-mismatch-envelope_fail",
        || other_envelope(Record::Hashed2),
        Some("its log entry is for another signature"),
    ),
    (
        "rekor2-dsse-mismatch-sig_fail",
        || other_signature(Record::Hashed2),
        Some("its log entry is for another signature"),
    ),
    (
        "rekor2-multiple-timestamps-one-outside-cert-validity_fail",
        || stamped(as_it_is, &[1, 60], false),
        Some("its certificate was not valid at the time of signing"),
    ),
    (
        "several timestamps",
        || stamped(as_it_is, &[1, 2, 3], false),
        None,
    ),
    (
        "rekor2-timestamp-outside-tsa-cert-validity_fail",
        || stamped(short_lived, &[2], false),
        Some("its timestamp is not valid"),
    ),
    (
        "rekor2-timestamp-with-expired-cert-chain",
        || stamped(short_lived, &[1], false),
        None,
    ),
    (
        "rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail",
        || untrusted(true),
        Some("its timestamp is not valid"),
    ),
    (
        "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail",
        || untrusted(false),
        Some("its timestamp is not valid"),
    ),
    (
        "rekor2-timestamp-with-embedded-cert",
        || stamped(as_it_is, &[1], true),
        None,
    ),
    (
        "rekor2-timestamp-without-embedded-cert",
        || stamped(as_it_is, &[1], false),
        None,
    ),
    (
        "rekor2-timestamp-with-incorrect-time_fail",
        || stamped(as_it_is, &[60], false),
        Some("its certificate was not valid at the time of signing"),
    ),
    (
        "trust-root-tsa-validity-end-inclusive",
        || {
            let mut case = stamped(as_it_is, &[1], false);
            case.root.as_mut().unwrap()["timestampAuthorities"][0]["validFor"]["end"] =
                at(minutes(1));
            case
        },
        None,
    ),
    (
        "trust-root-tsa-validity-end_fail",
        || {
            let mut case = stamped(as_it_is, &[1], false);
            case.root.as_mut().unwrap()["timestampAuthorities"][0]["validFor"]["end"] =
                at(minutes(1) - Duration::from_secs(1));
            case
        },
        Some("its timestamp is not valid"),
    ),
    (
        "wrong-hashedrekord-entry_fail",
        || {
            let (forge, signer, _, mut case) = good_file(Record::Hashed1);
            let other = signer.sign_file(b"another file\n", "SHA2_256");
            *case.entry() = forge.entry(Record::Hashed1, &signer, &other, Some(minutes(1)));
            case
        },
        Some("its log entry is for another signature"),
    ),
];

/// A time as a trusted root says it.
fn at(time: SystemTime) -> Value {
    json!(jiff::Timestamp::try_from(time).unwrap().to_string())
}

#[test]
fn the_suites_other_cases_come_out_as_it_says() {
    for (name, make, reason) in CASES {
        make().check(name, *reason);
    }
}

/// A bundle with a key of a kind, in a certificate or by itself.
fn of_kind(kind: Kind, certified: bool, file: Option<&'static str>, record: Record) -> Case {
    let forge = Forge::default();
    let leaf = Leaf::new(kind);
    let signer = match certified {
        true => forge.certified(leaf, &valid()),
        false => Signer::key(leaf),
    };
    let signed = match file {
        Some(algorithm) => signer.sign_file(FILE, algorithm),
        None => signer.sign(&statement(FILE)),
    };
    let mut case = case(&forge, forge.bundle(record, &signer, &signed));
    case.key = (!certified).then(|| signer.leaf.pem());
    case
}

/// In every kind of entry of either Rekor.
#[test]
fn every_kind_of_key_signs_envelopes() {
    for kind in Kind::OF_SIGNATURES {
        for certified in [true, false] {
            // Certificates over P-521 are not read.
            if certified && matches!(kind, Kind::P521 | Kind::P521Sha256) {
                continue;
            }
            for record in [
                Record::Dsse1,
                Record::Hashed1,
                Record::Intoto2,
                Record::Hashed2,
            ] {
                let name = format!("{kind:?} {record:?} {certified}");
                of_kind(kind, certified, None, record).check(&name, None);
            }
        }
    }
}

#[test]
fn a_files_signature_needs_the_digest_that_its_key_signs() {
    const WHOLE: Option<&str> = Some("the file itself is needed");
    const MISFIT: Option<&str> = Some("or signed with another key");
    for (kind, algorithm, by_file, by_digest) in [
        (Kind::P256, "SHA2_256", None, None),
        (Kind::P384, "SHA2_384", None, WHOLE),
        (Kind::Ed25519, "SHA2_256", None, WHOLE),
        (Kind::Ed25519, "SHA2_512", None, WHOLE),
        (Kind::Rsa, "SHA2_256", None, None),
        (Kind::RsaSha512, "SHA2_512", None, WHOLE),
        // Signed with another hash than the bundle says.
        (Kind::P256, "SHA2_384", MISFIT, WHOLE),
        (Kind::P384, "SHA2_256", MISFIT, MISFIT),
        (
            Kind::P384,
            "SHA2_512",
            Some("does not support"),
            Some("does not support"),
        ),
        // Kinds that are not known.
        (Kind::RsaPss, "SHA2_256", MISFIT, MISFIT),
        (
            Kind::P521,
            "SHA2_512",
            Some("unsupported"),
            Some("unsupported"),
        ),
    ] {
        let case = of_kind(kind, true, Some(algorithm), Record::Hashed1);
        for (as_digest, expected) in [(false, by_file), (true, by_digest)] {
            let ran = case.run(as_digest);
            let told = format!("{kind:?} {algorithm} {as_digest}: {}{}", ran.out, ran.log);
            assert_eq!(ran.status, Some(i32::from(expected.is_some())), "{told}");
            assert!(told.contains(expected.unwrap_or("verified")), "{told}");
        }
    }
}

#[test]
fn what_cannot_be_checked_is_named() {
    of_kind(Kind::RsaPss, false, None, Record::Dsse1)
        .check("RSA-PSS_fail", Some("or signed with another key"));
    of_kind(Kind::P256, true, None, Record::Intoto1)
        .check("intoto 0.0.1_fail", Some("intoto/0.0.1"));
    // Rekor v2 had this kind before it was released.
    let (_, _, _, mut case) = good(Record::Hashed2);
    case.entry()["kindVersion"]["kind"] = json!("dsse");
    case.check("dsse 0.0.2_fail", Some("dsse/0.0.2"));
}

#[test]
fn of_several_times_the_earliest_is_told() {
    let case = stamped(as_it_is, &[3, 1, 2], false);
    case.check("several timestamps", None);
    let earliest = at(minutes(1));
    let told = case.run(false).out;
    let told = told
        .lines()
        .find(|line| line.contains("signed at"))
        .unwrap();
    assert!(told.ends_with(earliest.as_str().unwrap()), "{told}");
}

#[test]
fn what_is_signed_has_to_be_named_rightly() {
    let place = crate::support::process::Place::new();
    let digest = shipmark::image::Digest::from_bytes(FILE).to_string();
    std::fs::write(place.path("bundle.json"), "{}").unwrap();
    let upper = digest.to_uppercase().replace("SHA256", "sha256");
    for (argument, part) in [
        ("--artifact=nosuch".to_owned(), "\"nosuch\" cannot be read"),
        ("--artifact=".to_owned(), "nothing says what is signed"),
        (format!("--digest={upper}"), "digest"),
        (format!("--digest={}", &digest[..70]), "digest"),
        (
            format!("--digest={}", digest.replace("sha256:", "")),
            "digest",
        ),
        (
            format!("--digest={}", digest.replace("sha256", "sha512")),
            "digest",
        ),
    ] {
        let ran = place.run(&[
            "verify-bundle",
            "--offline",
            "--bundle=bundle.json",
            "--certificate-identity=x",
            &argument,
        ]);
        assert_eq!(ran.status, Some(2), "{argument}: {}", ran.log);
        assert!(ran.log.contains(part), "{argument}: {}", ran.log);
    }
}

/// An authority whose certificates are in no log of certificates: its trusted root names none.
#[test]
fn a_certificate_need_be_in_no_log_where_the_root_names_none() {
    let forge = Forge::default();
    let mut signer = forge.certified(Leaf::new(Kind::P256), &valid());
    let point = &signer.leaf.subject();
    signer.certificate = Some(
        forge
            .fulcio
            .certify_unlogged(point, &identity(), ISSUER, &valid()),
    );
    let signed = signer.sign(&statement(FILE));
    let mut case = case(&forge, forge.bundle(Record::Hashed2, &signer, &signed));
    case.check(
        "no SCT_fail",
        Some("no valid timestamp of a certificate transparency log (SCT)"),
    );
    case.root.as_mut().unwrap()["ctlogs"] = json!([]);
    case.check("no SCT and no log", None);
    let told = case.run(false).out;
    assert!(
        told.contains(
            "certificate in no certificate transparency log: the trusted root names none"
        ),
        "{told}"
    );
    // Of one that has it, it is not looked at, and told so too.
    let (_, _, _, mut case) = good(Record::Hashed2);
    assert!(
        !case
            .run(false)
            .out
            .contains("in no certificate transparency log")
    );
    case.root.as_mut().unwrap()["ctlogs"] = json!([]);
    case.check("SCT and no log", None);
    assert!(
        case.run(false)
            .out
            .contains("in no certificate transparency log")
    );
    // Who signed matters all the same.
    case.identity = "https://github.com/other/*".to_owned();
    case.check(
        "another identity_fail",
        Some("expected https://github.com/other/*"),
    );
}

/// Images, signed by keys of other kinds than those that sign here, as a bundle and as a layer.
#[test]
fn every_kind_of_key_signs_images() {
    let image = shipmark::image::Digest::from_bytes(b"an image");
    for kind in Kind::OF_SIGNATURES {
        let forge = Forge::default();
        let signer = Signer::key(Leaf::new(kind));
        let other = Leaf::new(kind).pem();
        let root = TrustRoot::parse(forge.trusted_root().to_string().as_bytes());
        let root = std::sync::Arc::new(root.unwrap());
        let requirement = |pem: &str, log: bool| Requirement::Key {
            key: PublicKey::parse(pem).unwrap(),
            log: log.then(|| root.clone()),
        };
        let claim = ImageClaim {
            repository: "example.com/web".to_owned(),
            digest: image,
            annotations: Default::default(),
        };
        let mut said = statement(b"an image");
        said["predicateType"] = json!("https://sigstore.dev/cosign/sign/v1");
        let bundle = forge
            .bundle(Record::Dsse1, &signer, &signer.sign(&said))
            .to_string();
        let payload = claim.to_simple_signing_payload();
        let signature = super::encoded(&signer.leaf.sign(&payload));
        let annotations = [("dev.cosignproject.cosign/signature".to_owned(), signature)];
        let layer = LegacySignature::from_layer(payload, &annotations.into());
        for pem in [signer.leaf.pem(), other] {
            let is_good = pem == signer.leaf.pem();
            let by = requirement(&pem, false);
            let found = by.check_bundle(bundle.as_bytes(), image);
            assert_eq!(found.is_ok(), is_good, "{kind:?} {found:?}");
            let found = by.check_legacy(&layer, image);
            assert_eq!(found.is_ok(), is_good, "{kind:?} {found:?}");
            let names_ph = found.is_err_and(|error| error.to_string().contains("Ed25519ph"));
            assert_eq!(names_ph, kind == Kind::Ed25519 && !is_good, "{kind:?}");
            let found = requirement(&pem, true).check_bundle(bundle.as_bytes(), image);
            assert_eq!(found.is_ok(), is_good, "{kind:?} {found:?}");
        }
    }
}
