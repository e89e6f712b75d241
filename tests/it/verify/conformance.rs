//! The cases of Sigstore's public conformance suite (sigstore/sigstore-conformance, `test_verify`),
//! each by its name there, run as the suite runs them: through the process, with the file and with its
//! digest. tests/data/sigstore/conformance holds what could be had of its assets; the other cases are
//! made of these, and in `forged.rs`, as the suite says that it made its own.

use serde_json::{Value, json};

use super::{data, reencode};
use crate::support::process::{Place, Ran};

/// Who signed, where a folder does not say otherwise.
const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// A case of the suite.
pub struct Case {
    pub bundle: Value,
    /// The bundle's text where it is no JSON.
    pub text: Option<String>,
    pub artifact: Vec<u8>,
    /// A root of its own, in place of the public instance's.
    pub root: Option<Value>,
    pub key: Option<String>,
    pub identity: String,
    pub issuer: String,
    /// Whether the identity is given though the key is.
    pub both: bool,
}

impl Case {
    /// A folder of the suite's.
    fn folder(name: &str) -> Self {
        let file = |file: &str| try_data(&format!("conformance/{name}/{file}"));
        let json = |text: Vec<u8>| serde_json::from_slice(&text).unwrap();
        Self {
            bundle: json(file("bundle.sigstore.json").unwrap()),
            text: None,
            artifact: file("artifact").unwrap_or_else(|| data("conformance/a.txt")),
            root: file("trusted_root.json").map(json),
            key: file("key.pub").map(|key| String::from_utf8(key).unwrap()),
            identity: IDENTITY.to_owned(),
            issuer: ISSUER.to_owned(),
            both: false,
        }
    }

    pub fn run(&self, by_digest: bool) -> Ran {
        let place = Place::new();
        let bundle = self.text.clone();
        let bundle = bundle.unwrap_or_else(|| self.bundle.to_string());
        std::fs::write(place.path("bundle.json"), bundle).unwrap();
        std::fs::write(place.path("artifact"), &self.artifact).unwrap();
        let mut arguments = vec!["verify-bundle", "--bundle=bundle.json"];
        let digest = shipmark::image::Digest::from_bytes(&self.artifact);
        let digest = format!("--digest={digest}");
        arguments.push(match by_digest {
            true => &digest,
            false => "--artifact=artifact",
        });
        match &self.root {
            Some(root) => {
                std::fs::write(place.path("root.json"), root.to_string()).unwrap();
                arguments.push("--trusted-root=root.json");
            }
            None => arguments.push("--offline"),
        }
        if let Some(key) = &self.key {
            std::fs::write(place.path("key.pub"), key).unwrap();
            arguments.push("--key=key.pub");
        }
        let identity = format!("--certificate-identity={}", self.identity);
        let issuer = format!("--certificate-oidc-issuer={}", self.issuer);
        if self.key.is_none() || self.both {
            arguments.extend([identity.as_str(), issuer.as_str()]);
        }
        Ran::of(place.command().args(arguments).output().unwrap())
    }

    /// That it is verified, or refused for a reason.
    pub fn check(&self, name: &str, reason: Option<&str>) {
        assert_eq!(reason.is_some(), name.ends_with("_fail"), "{name}");
        for by_digest in [false, true] {
            let ran = self.run(by_digest);
            let told = format!("{}{}", ran.out, ran.log);
            match reason {
                None => assert_eq!(ran.status, Some(0), "{name}: {told}"),
                Some(reason) => {
                    assert!(matches!(ran.status, Some(1 | 2)), "{name}: {told}");
                    assert!(told.contains(reason), "{name}: {told}");
                }
            }
        }
    }

    pub fn material(&mut self) -> &mut Value {
        &mut self.bundle["verificationMaterial"]
    }

    pub fn entry(&mut self) -> &mut Value {
        &mut self.material()["tlogEntries"][0]
    }

    pub fn timestamps(&mut self) -> &mut Value {
        &mut self.material()["timestampVerificationData"]["rfc3161Timestamps"]
    }

    /// Changes the text of the checkpoint.
    fn checkpoint(&mut self, change: impl Fn(&str) -> String) {
        let text = &mut self.entry()["inclusionProof"]["checkpoint"]["envelope"];
        *text = json!(change(text.as_str().unwrap()));
    }

    /// As bundles of a version have the certificate.
    pub fn versioned(&mut self, media_type: &str, chain: bool) {
        self.bundle["mediaType"] = json!(media_type);
        let material = self.material().as_object_mut().unwrap();
        let old = material.remove("x509CertificateChain");
        let leaf = match old {
            Some(mut chain) => chain["certificates"][0].take(),
            None => material.remove("certificate").unwrap(),
        };
        match chain {
            true => material.insert(
                "x509CertificateChain".to_owned(),
                json!({"certificates": [leaf]}),
            ),
            false => material.insert("certificate".to_owned(), leaf),
        };
    }
}

fn try_data(name: &str) -> Option<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sigstore");
    std::fs::read(folder.join(name)).ok()
}

/// The public instance's root, with an authority more that signed nothing.
fn public_root() -> Value {
    Case::folder("sct-duplicate-intermediate-name")
        .root
        .unwrap()
}

/// Turns over a bit.
fn flip(bytes: &mut [u8]) {
    *bytes.last_mut().unwrap() ^= 1;
}

/// The lines of a signed note, and those of its signatures.
fn lines(note: &str) -> (Vec<&str>, Vec<&str>) {
    let (said, signed) = note.split_once("\n\n").unwrap();
    (said.lines().collect(), signed.lines().collect())
}

fn note(said: &[&str], signed: &[&str]) -> String {
    format!("{}\n\n{}\n", said.join("\n"), signed.join("\n"))
}

/// A witness's signature, by a key that nobody here knows (C2SP tlog-cosignature).
const WITNESS: &str = "\u{2014} witness.example/w1 AQIDBAAAAABnk3yvAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The suite's assets as they are.
const FOLDERS: [(&str, Option<&str>); 9] = [
    (
        "dsse-statement-unknown-type_fail",
        Some("it is a \"https://in-toto.io/Statement/v2\""),
    ),
    ("dsse-with-hashedrekord-happy-path", None),
    ("happy-path-intoto-in-dsse-v3", None),
    ("happy-path-v0.1", None),
    ("intoto-canonical-log-entry", None),
    (
        "invalid-ct-key_fail",
        Some("no valid timestamp of a certificate transparency log (SCT)"),
    ),
    ("managed-key-happy-path", None),
    ("rekor2-happy-path", None),
    ("sct-duplicate-intermediate-name", None),
];

#[test]
fn the_suites_assets_come_out_as_it_says() {
    for (name, reason) in FOLDERS {
        Case::folder(name).check(name, reason);
    }
}

type Change = fn(&mut Case);

/// The suite's cases that are another with something changed.
const CHANGED: &[(&str, &str, Change, Option<&str>)] = &[
    (
        "bundle-empty-certificate-chain_fail",
        "happy-path-v0.1",
        |case| case.material()["x509CertificateChain"]["certificates"] = json!([]),
        Some("signed with a key"),
    ),
    (
        "bundle-from-wrong-instance_fail",
        "rekor2-happy-path",
        |case| case.root = None,
        Some("its log is not trusted"),
    ),
    (
        "bundle-invalid-base64-signature_fail",
        "happy-path-v0.1",
        |case| case.bundle["messageSignature"]["signature"] = json!("no base64!"),
        Some("invalid base64"),
    ),
    (
        "bundle-malformed-json_fail",
        "happy-path-v0.1",
        |case| case.text = Some(format!("{},", case.bundle)),
        Some("it cannot be read: expected value"),
    ),
    (
        "bundle-negative-log-index_fail",
        "happy-path-v0.1",
        |case| case.entry()["logIndex"] = json!("-1"),
        Some("it cannot be read"),
    ),
    (
        "bundle-unknown-version_fail",
        "happy-path-v0.1",
        |case| {
            case.bundle["mediaType"] =
                json!("application/vnd.dev.sigstore.bundle+json;version=99.9");
        },
        Some("version=99.9"),
    ),
    (
        "bundle-with-root-cert_fail",
        "happy-path-v0.1",
        |case| {
            let root = public_root();
            let above = &root["certificateAuthorities"][2]["certChain"]["certificates"];
            let chain = &mut case.material()["x509CertificateChain"]["certificates"];
            let chain = chain.as_array_mut().unwrap();
            chain.extend(above.as_array().unwrap().iter().cloned());
        },
        Some("root certificate"),
    ),
    (
        "checkpoint-bad-keyhint_fail",
        "happy-path-v0.1",
        |case| {
            case.checkpoint(|text| {
                let (before, signature) = text.trim_end().rsplit_once(' ').unwrap();
                let mut signature = json!(signature);
                reencode(&mut signature, |bytes| bytes[..4].fill(7));
                format!("{before} {}\n", signature.as_str().unwrap())
            });
        },
        Some("the checkpoint of its log is not valid"),
    ),
    (
        "checkpoint-wrong-roothash_fail",
        "happy-path-v0.1",
        |case| {
            let mut other = Case::folder("dsse-with-hashedrekord-happy-path");
            case.entry()["inclusionProof"]["checkpoint"] =
                other.entry()["inclusionProof"]["checkpoint"].clone();
        },
        Some("the checkpoint of its log is not valid"),
    ),
    (
        "cve-2022-36056-swapped-tlog-entry_fail",
        "happy-path-v0.1",
        |case| {
            let mut other = Case::folder("dsse-with-hashedrekord-happy-path");
            case.bundle = json!({
                "base64Signature": case.bundle["messageSignature"]["signature"],
                "cert": "",
                "rekorBundle": {
                    "SignedEntryTimestamp": other.entry()["inclusionPromise"]["signedEntryTimestamp"],
                    "Payload": {"body": other.entry()["canonicalizedBody"]},
                },
            });
        },
        Some("it has a part that is not known, \"base64Signature\""),
    ),
    (
        "dsse-invalid-sig_fail",
        "happy-path-intoto-in-dsse-v3",
        |case| {
            let other = Case::folder("dsse-with-hashedrekord-happy-path");
            case.bundle["dsseEnvelope"]["signatures"] =
                other.bundle["dsseEnvelope"]["signatures"].clone();
        },
        Some("or signed with another key"),
    ),
    (
        "happy-path-v0.2",
        "happy-path-v0.1",
        |case| case.versioned("application/vnd.dev.sigstore.bundle+json;version=0.2", true),
        None,
    ),
    (
        "happy-path-v0.3",
        "happy-path-v0.1",
        |case| {
            case.versioned(
                "application/vnd.dev.sigstore.bundle+json;version=0.3",
                false,
            )
        },
        None,
    ),
    (
        "happy-path-v0.3-new-mediaType",
        "happy-path-v0.1",
        |case| case.versioned("application/vnd.dev.sigstore.bundle.v0.3+json", false),
        None,
    ),
    (
        "inclusion-proof-corrupted-hash_fail",
        "happy-path-v0.1",
        |case| reencode(&mut case.entry()["inclusionProof"]["hashes"][0], flip),
        Some("proof of inclusion in the log is not valid"),
    ),
    (
        "incorrect-public-key_fail",
        "happy-path-v0.1",
        |case| {
            let mut other = Case::folder("dsse-with-hashedrekord-happy-path");
            let read = |text: &Value| {
                let body = super::decoded(text.as_str().unwrap());
                serde_json::from_slice::<Value>(&body).unwrap()
            };
            let theirs = read(&other.entry()["canonicalizedBody"]);
            let mut body = read(&case.entry()["canonicalizedBody"]);
            body["spec"]["signature"]["publicKey"] =
                theirs["spec"]["signature"]["publicKey"].clone();
            case.entry()["canonicalizedBody"] = json!(super::encoded(body.to_string().as_bytes()));
        },
        Some("promise of inclusion (SET) of its log is not valid"),
    ),
    (
        "integrated-time-in-future_fail",
        "happy-path-v0.1",
        |case| case.entry()["integratedTime"] = json!("4102444800"),
        Some("promise of inclusion (SET) of its log is not valid"),
    ),
    (
        "invalid-checkpoint-signature_fail",
        "happy-path-v0.1",
        |case| {
            case.checkpoint(|text| {
                let (before, signature) = text.trim_end().rsplit_once(' ').unwrap();
                let mut signature = json!(signature);
                reencode(&mut signature, flip);
                format!("{before} {}\n", signature.as_str().unwrap())
            });
        },
        Some("the checkpoint of its log is not valid"),
    ),
    (
        "invalid-inclusion-proof_fail",
        "happy-path-v0.1",
        |case| {
            let mut other = Case::folder("managed-key-happy-path");
            case.entry()["inclusionProof"] = other.entry()["inclusionProof"].clone();
        },
        Some("proof of inclusion in the log is not valid"),
    ),
    (
        "managed-key-and-client-identity_fail",
        "managed-key-happy-path",
        |case| case.both = true,
        Some("key and certificate-identity are both given"),
    ),
    (
        "managed-key-and-trusted-root",
        "managed-key-happy-path",
        |case| case.root = Some(public_root()),
        None,
    ),
    (
        "managed-key-no-key_fail",
        "managed-key-happy-path",
        |case| case.key = None,
        Some("signed with a key, expected a certificate"),
    ),
    (
        "managed-key-wrong-key_fail",
        "managed-key-happy-path",
        |case| case.key = Case::folder("intoto-canonical-log-entry").key,
        Some("signed with another key"),
    ),
    (
        "message-digest-mismatch_fail",
        "happy-path-v0.1",
        |case| {
            reencode(
                &mut case.bundle["messageSignature"]["messageDigest"]["digest"],
                flip,
            )
        },
        Some("it signs something else"),
    ),
    (
        "rekor2-checkpoint-cosigned",
        "rekor2-happy-path",
        |case| {
            case.checkpoint(|text| {
                let (said, signed) = lines(text);
                note(&said, &[signed[0], WITNESS])
            });
        },
        None,
    ),
    (
        "rekor2-checkpoint-missing-log-signature_fail",
        "rekor2-happy-path",
        |case| case.checkpoint(|text| note(&lines(text).0, &[WITNESS])),
        Some("the checkpoint of its log is not valid"),
    ),
    (
        "rekor2-checkpoint-missing-origin_fail",
        "rekor2-happy-path",
        |case| {
            case.checkpoint(|text| {
                let (said, signed) = lines(text);
                note(&said[1..], &signed)
            });
        },
        Some("it cannot be read"),
    ),
    (
        "rekor2-checkpoint-missing-root-hash_fail",
        "rekor2-happy-path",
        |case| {
            case.checkpoint(|text| {
                let (said, signed) = lines(text);
                note(&said[..2], &signed)
            });
        },
        Some("it cannot be read"),
    ),
    (
        "rekor2-checkpoint-missing-size_fail",
        "rekor2-happy-path",
        |case| {
            case.checkpoint(|text| {
                let (said, signed) = lines(text);
                note(&[said[0], said[2]], &signed)
            });
        },
        Some("it cannot be read"),
    ),
    (
        "rekor2-checkpoint-multiple-cosigs",
        "rekor2-happy-path",
        |case| {
            case.checkpoint(|text| {
                let (said, signed) = lines(text);
                let other = WITNESS.replace("/w1", "/w2");
                note(&said, &[signed[0], WITNESS, &other])
            });
        },
        None,
    ),
    (
        "rekor2-checkpoint-no-matching-signature_fail",
        "rekor2-happy-path",
        |case| {
            case.checkpoint(|text| {
                let (said, signed) = lines(text);
                let renamed = signed[0].replacen(said[0], "other.example", 1);
                note(&said, &[&renamed])
            });
        },
        Some("the checkpoint of its log is not valid"),
    ),
    (
        "rekor2-checkpoint-origin-not-first",
        "rekor2-happy-path",
        |case| {
            case.checkpoint(|text| {
                let (said, signed) = lines(text);
                note(&said, &[WITNESS, signed[0]])
            });
        },
        None,
    ),
    (
        "rekor2-checkpoint-two-sigs-cosigned",
        "rekor2-happy-path",
        |case| {
            case.checkpoint(|text| {
                let (said, signed) = lines(text);
                let again = WITNESS.replacen("witness.example/w1", said[0], 1);
                note(&said, &[&again, signed[0], WITNESS])
            });
        },
        None,
    ),
    (
        "rekor2-checkpoint-two-sigs-from-origin",
        "rekor2-happy-path",
        |case| {
            case.checkpoint(|text| {
                let (said, signed) = lines(text);
                let again = WITNESS.replacen("witness.example/w1", said[0], 1);
                note(&said, &[&again, signed[0]])
            });
        },
        None,
    ),
    (
        "rekor2-no-inclusion-proof_fail",
        "rekor2-happy-path",
        |case| {
            drop(
                case.entry()
                    .as_object_mut()
                    .unwrap()
                    .remove("inclusionProof"),
            )
        },
        Some("no proof that a transparency log has it"),
    ),
    (
        "rekor2-no-timestamp_fail",
        "rekor2-happy-path",
        |case| *case.timestamps() = json!([]),
        Some("no proof of the time of signing"),
    ),
    (
        "rekor2-timestamp-outside-trust-root-tsa-validity_fail",
        "rekor2-happy-path",
        |case| {
            case.root.as_mut().unwrap()["timestampAuthorities"][0]["validFor"] =
                json!({"start": "2025-01-01T00:00:00Z", "end": "2025-04-10T00:00:00Z"});
        },
        Some("its timestamp is not valid"),
    ),
    (
        "rekor2-timestamp-payload-mismatch_fail",
        "rekor2-happy-path",
        |case| *case.timestamps() = Case::folder("rekor2-other-message").timestamps().clone(),
        Some("its timestamp is not valid"),
    ),
    (
        "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail",
        "rekor2-happy-path",
        |case| {
            case.root.as_mut().unwrap()["timestampAuthorities"] =
                public_root()["timestampAuthorities"].clone();
        },
        Some("its timestamp is not valid"),
    ),
    (
        "rekor2-timestamp-wrong-tsa-validity-borrow_fail",
        "rekor2-happy-path",
        |case| {
            let authorities = &mut case.root.as_mut().unwrap()["timestampAuthorities"];
            authorities[0]["validFor"]["end"] = json!("2025-04-10T00:00:00Z");
            authorities.as_array_mut().unwrap().push(json!({
                "subject": {"organization": "other", "commonName": "other"},
                "uri": "https://other.example",
                "certChain": {"certificates": []},
                "validFor": {"start": "2025-04-09T00:00:00Z", "end": "2035-01-01T00:00:00Z"},
            }));
        },
        Some("empty certificate chain"),
    ),
    (
        "set-invalid-signature_fail",
        "happy-path-v0.1",
        |case| {
            let promise = &mut case.entry()["inclusionPromise"];
            reencode(&mut promise["signedEntryTimestamp"], flip);
        },
        Some("promise of inclusion (SET) of its log is not valid"),
    ),
    (
        "signature-mismatch_fail",
        "happy-path-v0.1",
        |case| {
            let other = Case::folder("managed-key-happy-path");
            case.bundle["messageSignature"]["signature"] =
                other.bundle["messageSignature"]["signature"].clone();
        },
        Some("or signed with another key"),
    ),
    (
        "trust-root-tlog-missing-validity-start_fail",
        "happy-path-v0.1",
        |case| {
            let mut root = public_root();
            root["tlogs"][0]["publicKey"]["validFor"] = json!({});
            case.root = Some(root);
        },
        Some("missing field `start`"),
    ),
    (
        "trust-root-tlog-validity-end-inclusive",
        "happy-path-v0.1",
        |case| {
            let mut root = public_root();
            root["tlogs"][0]["publicKey"]["validFor"]["end"] = super::time(case.entry());
            case.root = Some(root);
        },
        None,
    ),
    (
        "wrong-hashedrekord-artifact_fail",
        "happy-path-v0.1",
        |case| case.artifact = b"another\n".to_vec(),
        Some("it signs something else"),
    ),
    (
        "wrong-hashedrekord-cert-and-sig_fail",
        "happy-path-v0.1",
        |case| *case.entry() = Case::folder("managed-key-happy-path").entry().clone(),
        Some("its certificate was not valid at the time of signing"),
    ),
    (
        "wrong-material_fail",
        "happy-path-intoto-in-dsse-v3",
        |case| case.artifact = b"another\n".to_vec(),
        Some("it signs something else"),
    ),
];

#[test]
fn the_suites_cases_made_of_its_assets_come_out_as_it_says() {
    for (name, folder, change, reason) in CHANGED {
        let mut case = Case::folder(folder);
        change(&mut case);
        case.check(name, *reason);
    }
}

/// As most people run it: without a root of their own. Here the way to the public instance is shut.
#[test]
fn without_a_way_to_the_public_instance_its_copy_in_the_program_does() {
    let place = Place::new();
    for name in ["bundle.sigstore.json", "artifact"] {
        let folder = "conformance/dsse-with-hashedrekord-happy-path";
        std::fs::write(place.path(name), data(&format!("{folder}/{name}"))).unwrap();
    }
    let mut command = place.command();
    command
        .args(["verify-bundle", "--bundle=bundle.sigstore.json"])
        .args(["--artifact=artifact", "--certificate-identity", IDENTITY])
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("HOME", place.root());
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.log.contains("the keys and services built into this program, since https://tuf-repo-cdn.sigstore.dev/ does not answer"),
        "{}",
        ran.log
    );
}

/// A root that is given is all that is needed: nothing else is asked for, though there is a way.
#[test]
fn with_a_root_nobody_is_asked() {
    let place = Place::new();
    for name in ["bundle.sigstore.json", "trusted_root.json"] {
        let folder = "conformance/rekor2-happy-path";
        std::fs::write(place.path(name), data(&format!("{folder}/{name}"))).unwrap();
    }
    std::fs::write(place.path("a.txt"), data("conformance/a.txt")).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let mut command = place.command();
    command
        .args(["verify-bundle", "--bundle=bundle.sigstore.json"])
        .args(["--trusted-root=trusted_root.json", "--artifact=a.txt"])
        .args(["--certificate-identity", IDENTITY])
        .env(
            "HTTPS_PROXY",
            format!("http://{}", listener.local_addr().unwrap()),
        );
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(listener.accept().is_err());
}
