//! Checking what others signed, as users run it. What is refused why is a table beside the code,
//! src/signing/verify/tests.rs.

mod authorities;
mod conformance;
mod field;
mod field_registries;
mod forged;
mod images;
mod index;
mod interop;
mod logs;
mod mutation;
mod payload;
mod tuf;
mod unknown_authority;

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use shipmark::release::Failure;
use shipmark::tagging::TagRules;

use crate::registry::{Profile, Registry};
use crate::support::keys::*;
use crate::support::process::{Place, Ran};
use crate::support::*;

/// A file of what was recorded of cosign.
fn data(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sigstore");
    std::fs::read(folder.join(name)).unwrap()
}

fn decoded(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap()
}

fn encoded(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Changes a text that is base64.
fn reencode(text: &mut Value, change: impl Fn(&mut [u8])) {
    let mut bytes = decoded(text.as_str().unwrap());
    change(&mut bytes);
    *text = Value::from(encoded(&bytes));
}

/// When a log says that it took an entry, as a trusted root says times.
fn time(entry: &Value) -> Value {
    let seconds = entry["integratedTime"].as_str().unwrap().parse().unwrap();
    let time = jiff::Timestamp::from_second(seconds).unwrap();
    Value::from(time.to_string())
}

/// `verify-bundle` with the files of a record in place, and the arguments after them.
fn verify_bundle(record: &str, more: &[&str]) -> Ran {
    let place = Place::new();
    let record: Value = serde_json::from_slice(&data(record)).unwrap();
    std::fs::write(place.path("bundle.json"), record["bundle"].to_string()).unwrap();
    for name in ["trusted_root.json", "cosign.pub"] {
        std::fs::write(place.path(name), data(name)).unwrap();
    }
    let digest = format!("--digest={}", record["digest"].as_str().unwrap());
    let mut arguments = vec!["verify-bundle", "--trusted-root=trusted_root.json"];
    if !more.iter().any(|flag| flag.starts_with("--bundle")) {
        arguments.push("--bundle=bundle.json");
    }
    arguments.push(&digest);
    arguments.extend(more);
    Ran::of(place.command().args(arguments).output().unwrap())
}

#[test]
fn a_bundle_beside_a_file_is_checked() {
    let signer: Value = serde_json::from_slice(&data("signer.json")).unwrap();
    let said = |name: &str| signer[name].as_str().unwrap().to_owned();
    let identity = format!("--certificate-identity={}", said("identity"));
    let issuer = format!("--certificate-oidc-issuer={}", said("issuer"));
    let keyless: &[&str] = &[&identity, &issuer];
    for (record, more, status, part) in [
        ("keyless-rekor1.json", keyless, 0, "in a transparency log"),
        ("keyless-rekor2.json", keyless, 0, "event: push"),
        (
            "keyless-rekor2.json",
            &[
                "--certificate-identity=https://github.com/*/release.yml@refs/heads/main",
                &issuer,
            ],
            0,
            "verified",
        ),
        (
            "keyless-rekor2.json",
            &["--certificate-identity=https://github.com/other/*", &issuer],
            1,
            "expected https://github.com/other/*",
        ),
        (
            "keyless-rekor2.json",
            &[&identity],
            1,
            "the OIDC issuer in its certificate is",
        ),
        (
            "keyless-rekor2.json",
            &[
                &identity,
                &issuer,
                "--certificate-runner-environment=self-hosted",
            ],
            1,
            "the runner environment in its certificate is",
        ),
        (
            "key-rekor2.json",
            &["--key=cosign.pub"],
            0,
            "in a transparency log",
        ),
        ("key-rekor2.json", keyless, 1, "signed with a key"),
        (
            "keyless-rekor2.json",
            &["--key=cosign.pub"],
            1,
            "signed with a certificate",
        ),
        ("key.json", &["--key=cosign.pub"], 1, "and one is required"),
        (
            "key-rekor2.json",
            &[],
            2,
            "no signer is given: key or certificate-identity is required",
        ),
        (
            "key-rekor2.json",
            &["--key=cosign.pub", &identity],
            2,
            "are both given",
        ),
        (
            "key-rekor2.json",
            &[
                "--key=cosign.pub",
                "--certificate-runner-environment=self-hosted",
            ],
            2,
            "a signature of a key has no certificate",
        ),
        (
            "key-rekor2.json",
            &["--key=cosign.pub", "--artifact=cosign.pub"],
            2,
            "are both given",
        ),
        (
            "key-rekor2.json",
            &["--key=cosign.pub", "--bundle=nosuch"],
            2,
            "cannot be read",
        ),
    ] {
        let ran = verify_bundle(record, more);
        let told = format!("{}{}", ran.out, ran.log);
        assert_eq!(ran.status, Some(status), "{record} {more:?}: {told}");
        assert!(told.contains(part), "{record} {more:?}: {told}");
    }
}

/// Nothing is copied from a source that is not signed as is asked for.
#[tokio::test]
async fn a_source_is_checked_before_anything_is_copied() {
    let registry = Registry::start(Profile::distribution()).await;
    let dev = format!("{}/dev/web", registry.host());
    let key = key();
    let mut release = push(&example(), &[&dev], "refs/heads/main");
    release.rules = TagRules::parse(["it"]).unwrap();
    release.signing = Some(signing(&key));
    done(release, &context()).await;
    for (to, check, good) in [
        ("prod/web", signed_by(key.public()), true),
        (
            "bad/web",
            signed_by(super::support::keys::key().public()),
            false,
        ),
    ] {
        let place = format!("{}/{to}", registry.host());
        let mut request = promote(&format!("{dev}:it"), &[&place], "refs/heads/main");
        request.rules = TagRules::parse(["it"]).unwrap();
        request.check = Some(check);
        if good {
            done(request, &context()).await;
            assert_eq!(registry.tags(to).into_keys().collect::<Vec<_>>(), ["it"]);
            continue;
        }
        let (failure, _) = failed(request, &context()).await;
        assert!(
            matches!(&failure, Failure::Refused(why) if why.what.contains("has no valid signature")),
            "{failure:?}"
        );
        assert_eq!(registry.tags(to).len(), 0);
        assert_eq!(registry.open_uploads(), 0);
        let seen = registry.requests();
        let written = seen.iter().filter(|line| {
            line.contains(to) && !line.starts_with("GET") && !line.starts_with("HEAD")
        });
        assert_eq!(written.count(), 0, "{seen:?}");
    }
}
