//! The certificates of a trusted root's authorities: what cosign refuses (Go's x509 and sigstore-go) is
//! refused here, in every form that a signature has.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
use serde_json::{Value, json};
use shipmark::gate::WildcardPattern;
use shipmark::image::Digest;
use shipmark::signing::{
    FileRequirement, FileSigner, Identity, PublicKey, Requirement, SignedArtifact, TrustRoot,
};

use crate::sigstore::forge::*;
use crate::sigstore::{ISSUER, Kind, Leaf};

const IMAGE: &[u8] = b"an image";

/// A signature of an instance: a bundle, who made it, and the trusted root that goes with it.
pub(super) struct Made {
    pub(super) signer: Signer,
    pub(super) bundle: Value,
    pub(super) root: Value,
}

pub(super) fn made(forge: &Forge, record: Record) -> Made {
    made_by(
        forge.certified(Leaf::new(Kind::P256), &valid()),
        forge,
        record,
    )
}

pub(super) fn made_by(signer: Signer, forge: &Forge, record: Record) -> Made {
    let signed = signer.sign(&statement(IMAGE));
    Made {
        bundle: forge.bundle(record, &signer, &signed),
        root: forge.trusted_root(),
        signer,
    }
}

impl Made {
    /// What comes of it: as a bundle about an image, beside a file, and in the legacy form where that
    /// holds all that it needs.
    fn outcomes(&self) -> Vec<Result<(), String>> {
        let trust = TrustRoot::parse(self.root.to_string().as_bytes());
        let trust = Arc::new(trust.unwrap());
        let identity = Identity {
            subject: WildcardPattern::new(identity()),
            issuer: ISSUER.to_owned(),
            conditions: Vec::new(),
        };
        let (by, signer) = match self.signer.certificate {
            Some(_) => (
                Requirement::Identity {
                    identity: identity.clone(),
                    trust: trust.clone(),
                    logged: true,
                },
                FileSigner::Identity(identity),
            ),
            None => {
                let key = PublicKey::parse(&self.signer.leaf.pem()).unwrap();
                let log = Some(trust.clone());
                let key = (key.clone(), FileSigner::Key(key));
                (Requirement::Key { key: key.0, log }, key.1)
            }
        };
        let file = FileRequirement {
            signer,
            trust_root: trust,
            requires_log: true,
        };
        let (bundle, image) = (self.bundle.to_string(), Digest::from_bytes(IMAGE));
        let told = |flaw: shipmark::signing::VerificationError| flaw.to_string();
        let mut all = vec![
            by.verify_bundle(bundle.as_bytes(), image)
                .map(drop)
                .map_err(told),
            file.check(bundle.as_bytes(), &mut SignedArtifact::Digest(image))
                .map(drop)
                .map_err(told),
        ];
        let entry = &self.bundle["verificationMaterial"]["tlogEntries"][0];
        if entry["inclusionPromise"].is_object() {
            let layer = legacy_attestation(&self.signer, &self.bundle);
            let found = by.check_legacy_attestation(&layer, image);
            all.push(found.map(drop).map_err(told));
        }
        all
    }

    /// What comes of it as a bundle; the legacy form here holds no timestamp.
    pub(super) fn bundle_outcomes(&self) -> Vec<Result<(), String>> {
        let mut all = self.outcomes();
        all.truncate(2);
        all
    }

    pub(super) fn holds(&self, name: &str) -> usize {
        let all = self.outcomes();
        let good = all.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(good, all.len(), "{name}: {all:?}");
        good
    }

    pub(super) fn is_refused(&self, name: &str, reason: &str) -> usize {
        let all = self.outcomes();
        for outcome in &all {
            let told = outcome.as_ref().expect_err(name);
            assert!(told.contains(reason), "{name}: {told}");
        }
        all.len()
    }
}

/// When signatures are made.
pub(super) fn now() -> SystemTime {
    minutes(1)
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

type Change = fn(&mut Issuing);

/// What makes a certificate unfit to have issued another at [`now`], wherever it stands.
const UNFIT: [(&str, Change, &str); 13] = [
    (
        "expired long ago",
        |says| says.period.end = now() - 10 * DAY,
        "had expired",
    ),
    (
        "expired just before",
        |says| says.period.end = now() - SECOND,
        "had expired",
    ),
    (
        "not valid yet",
        |says| says.period.start = now() + SECOND,
        "was not valid",
    ),
    (
        "valid much later",
        |says| says.period.start = now() + 10 * DAY,
        "was not valid",
    ),
    (
        "CA:FALSE",
        |says| says.is_ca = IsCa::ExplicitNoCa,
        "CA:TRUE",
    ),
    (
        "no basic constraints",
        |says| says.is_ca = IsCa::NoCa,
        "CA:TRUE",
    ),
    (
        "for lists of revoked certificates alone",
        |says| says.key_usages = vec![KeyUsagePurpose::CrlSign],
        "key usage",
    ),
    (
        "for signatures alone",
        |says| says.key_usages = vec![KeyUsagePurpose::DigitalSignature],
        "key usage",
    ),
    (
        "for servers alone",
        |says| says.purposes = vec![ExtendedKeyUsagePurpose::ServerAuth],
        "extended key usage",
    ),
    (
        "for mail and clients alone",
        |says| {
            says.purposes = vec![
                ExtendedKeyUsagePurpose::EmailProtection,
                ExtendedKeyUsagePurpose::ClientAuth,
            ];
        },
        "extended key usage",
    ),
    (
        "for status answers alone",
        |says| says.purposes = vec![ExtendedKeyUsagePurpose::OcspSigning],
        "extended key usage",
    ),
    (
        "an unknown critical extension",
        |says| says.unknown = true,
        "ritical",
    ),
    (
        "expired, and for something else",
        |says| {
            says.period.end = now() - DAY;
            says.purposes = vec![ExtendedKeyUsagePurpose::ServerAuth];
        },
        "had expired",
    ),
];

/// What a certificate may say and count, wherever it stands.
const FIT: [(&str, Change); 6] = [
    ("as usual", |_| ()),
    ("until this second", |says| says.period.end = now()),
    ("from this second on", |says| says.period.start = now()),
    ("no key usage", |says| says.key_usages = Vec::new()),
    ("certificates alone", |says| {
        says.key_usages = vec![KeyUsagePurpose::KeyCertSign]
    }),
    ("room for issuers", |says| {
        says.is_ca = IsCa::Ca(BasicConstraints::Constrained(3))
    }),
];

/// Records with a log's time, with an authority's, and with a hash in the older log.
pub(super) const RECORDS: [Record; 3] = [Record::Dsse1, Record::Hashed2, Record::Hashed1];

fn changed(change: Change) -> Issuing {
    let mut says = Issuing::default();
    change(&mut says);
    says
}

fn stamping() -> Stamping {
    Stamping::during(&decades())
}

#[test]
fn promise_6_certificate_authorities_count_only_while_all_their_certificates_hold() {
    let (mut refused, mut held) = (0, 0);
    let usual = Issuing::default();
    for record in RECORDS {
        for (name, change, reason) in UNFIT {
            for (root, issuing) in [
                (changed(change), usual.clone()),
                (usual.clone(), changed(change)),
            ] {
                let forge = Forge::with(&root, &issuing, &stamping());
                refused += made(&forge, record).is_refused(&format!("{record:?} {name}"), reason);
            }
        }
        for (name, change) in FIT {
            for (root, issuing) in [
                (changed(change), usual.clone()),
                (usual.clone(), changed(change)),
            ] {
                let forge = Forge::with(&root, &issuing, &stamping());
                held += made(&forge, record).holds(&format!("{record:?} {name}"));
            }
        }
    }
    assert_eq!((refused, held), (208, 96));
}

#[test]
fn promise_6_no_more_issuers_count_than_a_certificate_allows() {
    let limited = |most| Issuing {
        is_ca: IsCa::Ca(BasicConstraints::Constrained(most)),
        ..Issuing::default()
    };
    for record in RECORDS {
        // One issuer stands below the root, and none below that.
        let forge = Forge::with(&limited(0), &Issuing::default(), &stamping());
        made(&forge, record).is_refused("none below the root", "allows 0 issuers below it, not 1");
        for (root, issuing) in [(limited(1), limited(0)), (limited(1), Issuing::default())] {
            made(&Forge::with(&root, &issuing, &stamping()), record).holds("one below the root");
        }
        let mut stamping = stamping();
        stamping.between = Some(Issuing {
            purposes: vec![ExtendedKeyUsagePurpose::TimeStamping],
            ..Issuing::default()
        });
        stamping.root = limited(0);
        let forge = Forge::with(&Issuing::default(), &Issuing::default(), &stamping);
        let made = made(&forge, record);
        match record {
            Record::Hashed2 => made.is_refused("timestamps", "allows 0 issuers"),
            _ => made.holds("no timestamps"),
        };
    }
}

/// What the certificates say that the issuing one and the root are for.
#[test]
fn promise_6_an_authority_for_something_else_does_not_count() {
    let of = |purposes: &[ExtendedKeyUsagePurpose]| Issuing {
        purposes: purposes.to_vec(),
        ..Issuing::default()
    };
    let code = of(&[ExtendedKeyUsagePurpose::CodeSigning]);
    let stamps = of(&[ExtendedKeyUsagePurpose::TimeStamping]);
    let both = of(&[
        ExtendedKeyUsagePurpose::TimeStamping,
        ExtendedKeyUsagePurpose::CodeSigning,
    ]);
    let any = of(&[ExtendedKeyUsagePurpose::Any]);
    for (root, issuing, good) in [
        (&code, &code, true),
        (&both, &both, true),
        (&any, &code, true),
        (&stamps, &code, false),
        (&code, &stamps, false),
        (&Issuing::default(), &stamps, false),
    ] {
        let made = made(&Forge::with(root, issuing, &stamping()), Record::Dsse1);
        match good {
            true => made.holds("the right purpose"),
            false => made.is_refused("another purpose", "extended key usage"),
        };
    }
}

/// An authority that counts does not make up for another one.
#[test]
fn promise_6_a_good_authority_does_not_vouch_for_anothers_certificate() {
    let expired = changed(|says| says.period.end = now() - DAY);
    let good = Forge::default();
    for record in RECORDS {
        for bad in [
            Forge::with(&expired, &Issuing::default(), &stamping()),
            Forge::with(&Issuing::default(), &expired, &stamping()),
        ] {
            let mut made = made(&bad, record);
            let other = &good.trusted_root()["certificateAuthorities"][0];
            for at in [0, 1] {
                let all = made.root["certificateAuthorities"].as_array_mut().unwrap();
                all.retain(|one| one != other);
                all.insert(at, other.clone());
                made.is_refused("a second authority", "had expired");
            }
        }
    }
}

/// An issuer that comes with a signature is looked at as those of the trusted root.
#[test]
fn promise_6_a_certificate_that_comes_with_a_signature_is_checked_as_the_roots_are() {
    let brought = |root: Change, issuing: Change| {
        let forge = Forge::with(&changed(root), &changed(issuing), &stamping());
        let mut made = made(&forge, Record::Dsse1);
        let chain = &mut made.root["certificateAuthorities"][0]["certChain"]["certificates"];
        let issuing = chain.as_array_mut().unwrap().remove(0);
        let material = &mut made.bundle["verificationMaterial"];
        let leaf = material
            .as_object_mut()
            .unwrap()
            .remove("certificate")
            .unwrap();
        material["x509CertificateChain"] = json!({"certificates": [leaf, issuing]});
        let media_type = "application/vnd.dev.sigstore.bundle+json;version=0.2";
        made.bundle["mediaType"] = json!(media_type);
        // The legacy form of it has no chain.
        let mut outcomes = made.outcomes();
        outcomes.truncate(2);
        outcomes
    };
    // webpki wants the purpose in an issuer that comes along.
    let named: Change = |says| says.purposes = vec![ExtendedKeyUsagePurpose::CodeSigning];
    for outcome in brought(|_| (), named) {
        outcome.unwrap();
    }
    for (name, change, _) in UNFIT {
        for outcome in brought(|_| (), change)
            .into_iter()
            .chain(brought(change, named))
        {
            assert!(outcome.is_err(), "{name}");
        }
    }
    let no_room: Change = |says| says.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    for outcome in brought(no_room, named) {
        assert!(outcome.unwrap_err().contains("allows 0 issuers"));
    }
}

#[test]
fn promise_6_timestamp_authorities_count_only_while_all_their_certificates_hold() {
    let usual = Issuing::default();
    let below = || Issuing {
        purposes: vec![ExtendedKeyUsagePurpose::TimeStamping],
        ..Issuing::default()
    };
    let stamped = |root: &Issuing, between: Option<Issuing>| {
        let mut stamping = stamping();
        (stamping.root, stamping.between) = (root.clone(), between);
        made(&Forge::with(&usual, &usual, &stamping), Record::Hashed2)
    };
    let mut refused = 0;
    for (name, change, reason) in UNFIT {
        let mut between = below();
        change(&mut between);
        let (root, reason) = (changed(change), &reason[1..]);
        refused += stamped(&root, None).is_refused(name, reason);
        refused += stamped(&root, Some(below())).is_refused(name, reason);
        // The crate below tells of some of these in its own words.
        refused += stamped(&usual, Some(between)).is_refused(name, "its timestamp is not valid");
    }
    assert_eq!(refused, 78);
    for (name, change) in FIT {
        let mut between = below();
        change(&mut between);
        stamped(&changed(change), None).holds(name);
        stamped(&usual, Some(between)).holds(name);
    }
    for (name, change) in [
        (
            "not critical",
            (|says| says.critical = false) as fn(&mut Stamping),
        ),
        ("two purposes", |says| {
            says.purposes = vec![TIME_STAMPING, CODE_SIGNING]
        }),
        ("another purpose", |says| says.purposes = vec![CODE_SIGNING]),
        ("expired", |says| says.period.end = now() - SECOND),
        ("not valid yet", |says| says.period.start = now() + SECOND),
    ] {
        let mut stamping = stamping();
        change(&mut stamping);
        let made = made(&Forge::with(&usual, &usual, &stamping), Record::Hashed2);
        made.is_refused(name, "its timestamp is not valid");
    }
}
