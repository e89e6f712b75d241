//! Signatures that other tools wrote and people met, as users check them.

use std::path::Path;

use serde_json::json;
use shipmark::release::{Failure, SignatureFormat};
use shipmark::tagging::TagRules;

use super::images::{INDEX, MANIFEST};
use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::process::{Place, Ran};
use crate::support::*;

const WORKFLOW: &str = "--certificate-identity=https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main";

/// A folder with the files of a case.
fn case(name: &str) -> Place {
    let place = Place::new();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sigstore/field");
    copy(&files.join(name), place.root());
    place
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Runs a verb, and requires a status.
fn expect(place: &Place, status: i32, arguments: &[&str]) -> String {
    let ran = Ran::of(place.command().args(arguments).output().unwrap());
    let told = format!("{}{}", ran.out, ran.log);
    assert_eq!(ran.status, Some(status), "{arguments:?}: {told}");
    told
}

#[test]
fn empty_annotations_of_tekton_chains_count_as_absent() {
    let place = case("tekton-empty-certificate-annotations");
    let verify = ["verify", "--source=oci:layout:t", "--key=cosign.pub"];
    let told = expect(&place, 0, &verify);
    assert!(told.contains("verified"), "{told}");
    let provenance = "--attestation=https://slsa.dev/provenance/v0.2";
    let told = expect(&place, 0, &[&verify[..], &[provenance]].concat());
    assert!(told.contains("slsa.dev/provenance"), "{told}");
}

#[test]
fn a_legacy_signature_that_is_a_referrer_is_verified() {
    let place = case("legacy-signature-as-referrer");
    let told = expect(
        &place,
        0,
        &["verify", "--source=oci:layout:t", "--key=cosign.pub"],
    );
    assert!(told.contains("legacy"), "{told}");
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys/cosign.pub"),
        place.path("other.pub"),
    )
    .unwrap();
    let told = expect(
        &place,
        1,
        &["verify", "--source=oci:layout:t", "--key=other.pub"],
    );
    assert!(told.contains("signed with another key"), "{told}");
}

#[test]
fn a_certificate_over_p384_signs_with_either_hash() {
    let place = case("p384-certificate-sha256");
    let checked = [
        WORKFLOW,
        "--trusted-root=root.json",
        "--transparency-log=off",
    ];
    for bundle in ["dsse-p384-sha256", "dsse-p384-sha384"] {
        let bundle = format!("--bundle={bundle}.bundle.json");
        let file = ["verify-bundle", &bundle, "--artifact=artifact"];
        expect(&place, 0, &[&file[..], &checked].concat());
        std::fs::write(place.path("other"), "other").unwrap();
        let file = ["verify-bundle", &bundle, "--artifact=other"];
        expect(&place, 1, &[&file[..], &checked].concat());
    }
    let image = ["verify", "--source=oci:layout:t"];
    expect(&place, 0, &[&image[..], &checked].concat());
}

#[test]
fn the_user_name_of_a_certificate_is_an_identity() {
    let place = case("othername-username-identity");
    let verify = |identity: &str, status: i32| {
        expect(
            &place,
            status,
            &[
                "verify",
                "--source=oci:layout:t",
                &format!("--certificate-identity={identity}"),
                "--certificate-oidc-issuer=https://idp.acme",
                "--trusted-root=root.json",
                "--transparency-log=off",
            ],
        )
    };
    let told = verify("bob!acme.com", 0);
    assert!(told.contains("signed by bob!acme.com"), "{told}");
    verify("*!acme.com", 0);
    let told = verify("alice!acme.com", 1);
    assert!(
        told.contains("signed by bob!acme.com, expected alice!acme.com"),
        "{told}"
    );
}

#[test]
fn what_cosign_saved_is_one_image_with_its_signatures() {
    let place = case("cosign-save-layout");
    for source in [
        "oci:layout",
        "oci:layout@sha256:df18e415c955a414d36b1e91437330c1e2f78b04edf5c92b71619d3fcb691f78",
    ] {
        let source = format!("--source={source}");
        expect(&place, 0, &["verify", &source, "--key=cosign.pub"]);
    }
    let promote = [
        "promote",
        "--source=oci:layout",
        "--images=oci:out",
        "--tags=it",
    ];
    expect(&place, 0, &promote);
    expect(
        &place,
        0,
        &["verify", "--source=oci:out:it", "--key=cosign.pub"],
    );
}

#[test]
fn each_line_of_a_file_is_a_bundle_or_a_root() {
    let place = case("jsonl-bundles-and-roots");
    let root = place.read("root.json");
    let embedded = case("timestamp-authorities").read("ok-p256.root.json");
    let lines = format!("{}\n{}\n", one_line(&embedded), one_line(&root));
    std::fs::write(place.path("roots.jsonl"), lines).unwrap();
    let told = |bundle: &str, root: &str, identity: &str, status: i32| {
        expect(
            &place,
            status,
            &[
                "verify-bundle",
                &format!("--bundle={bundle}"),
                "--artifact=artifact",
                &format!("--certificate-identity={identity}"),
                "--certificate-oidc-issuer=*",
                &format!("--trusted-root={root}"),
            ],
        )
    };
    let reason = told("one.json", "root.json", "x", 1);
    assert!(!reason.contains("cannot be read"), "{reason}");
    for (bundle, root) in [
        ("two-bundles.jsonl", "root.json"),
        ("one.json", "roots.jsonl"),
    ] {
        let other = told(bundle, root, "x", 1);
        assert!(
            !other.contains("cannot be read"),
            "{bundle} {root}: {other}"
        );
    }
    std::fs::write(place.path("page.html"), "<html>").unwrap();
    std::fs::write(place.path("cut.jsonl"), "{}\n{\"a\"").unwrap();
    for (bundle, root) in [
        ("page.html", "root.json"),
        ("cut.jsonl", "root.json"),
        ("one.json", "page.html"),
        ("one.json", "cut.jsonl"),
    ] {
        told(bundle, root, "x", 2);
    }
}

fn one_line(json: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    json.to_string()
}

/// After a rotation the old signatures count as long as the old key is listed.
#[test]
fn any_of_several_public_keys_counts() {
    let place = case("tekton-empty-certificate-annotations");
    let key = place.read("cosign.pub");
    let other = include_str!("../../data/keys/cosign.pub");
    std::fs::write(place.path("both.pub"), format!("{other}{key}")).unwrap();
    std::fs::write(place.path("other.pub"), other).unwrap();
    let told = expect(
        &place,
        0,
        &["verify", "--source=oci:layout:t", "--key=both.pub"],
    );
    assert_eq!(told.matches("  key ").count(), 2, "{told}");
    expect(
        &place,
        1,
        &["verify", "--source=oci:layout:t", "--key=other.pub"],
    );
    std::fs::write(
        place.path("damaged.pub"),
        format!("{key}-----BEGIN PUBLIC KEY-----\n!"),
    )
    .unwrap();
    expect(
        &place,
        2,
        &["verify", "--source=oci:layout:t", "--key=damaged.pub"],
    );
}

#[test]
fn no_message_repeats_the_value_of_an_argument() {
    let place = Place::new();
    let key = crate::support::keys::pem();
    let told = expect(
        &place,
        2,
        &[
            "promote",
            "--source",
            "oci:nowhere:t",
            "--images",
            "oci:out",
            "--ref",
            "refs/tags/v1.0.0",
            "--sign",
            "key",
            "--signing-key",
            &key,
        ],
    );
    assert!(
        told.contains("source nowhere"),
        "the key is taken as text: {told}"
    );
    let secret_line = key.lines().nth(1).unwrap();
    for arguments in [
        vec!["promote", "--sign", &key],
        vec!["promote", &key],
        vec!["promote", "--images", &key],
        vec!["promote", "--nosuch", &key],
        vec![&key],
        vec!["verify", "--recursive", &key],
        vec!["promote", "correct-horse-battery"],
    ] {
        let told = expect(&place, 2, &arguments);
        assert!(!told.contains(secret_line), "{told}");
        assert!(!told.contains("correct-horse-battery"), "{told}");
    }
}

#[test]
fn a_second_key_on_a_released_image_is_a_release() {
    let place = Place::new();
    let source = example();
    for outcome in ["released", "released", "unchanged"] {
        let key = place.path("key.pem");
        if outcome == "released" {
            std::fs::write(&key, crate::support::keys::pem()).unwrap();
        }
        let inputs = [
            ("command", "promote"),
            ("source", source.as_str()),
            ("images", "oci:out"),
            ("tags", "it"),
            ("sign", "key"),
            ("signing-key", key.to_str().unwrap()),
        ];
        let ran = Ran::of(place.step("refs/heads/main", &inputs).output().unwrap());
        assert_eq!(ran.status, Some(0), "{}{}", ran.out, ran.log);
        assert_eq!(place.output("outcome"), outcome, "{}", ran.out);
        assert!(!place.output("signatures").is_empty(), "{}", ran.out);
    }
}

/// A registry that does not confirm a referrer, and lists it later, or never.
#[tokio::test]
async fn a_list_of_referrers_that_lags_is_waited_for() {
    for (reads, is_listed) in [(3, true), (u32::MAX, false)] {
        let profile = Profile::plain().referrers(true).oci_subject(false);
        let registry = Registry::start(profile).await;
        let empty = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []});
        let answer = Effect::status_with(200, &[("content-type", INDEX)], &empty.to_string());
        registry.fault(Fault::on("GET", "/referrers/", answer).times(reads));
        let place = format!("{}/web", registry.host());
        let mut request = push(&example(), &[&place], "refs/heads/main");
        request.rules = TagRules::parse(["it"]).unwrap();
        let mut signing = keys::signing(&keys::key());
        signing.formats = vec![SignatureFormat::Bundle];
        request.signing = Some(signing);
        if is_listed {
            done(request, &context()).await;
            assert_eq!(tags(&registry, "web").len(), 1);
            continue;
        }
        let (failure, _) = failed(request, &context()).await;
        let Failure::Service(told) = &failure else {
            panic!("{failure:?}");
        };
        assert!(told.what.contains("does not list it"), "{failure:?}");
        assert!(
            told.hint
                .as_deref()
                .unwrap_or_default()
                .contains("signature-format: legacy")
        );
        assert_eq!(
            tags(&registry, "web").len(),
            0,
            "no tag names an unsigned image"
        );
    }
}

/// What is not read is named: it is not "none".
#[tokio::test]
async fn a_signature_of_notation_is_named() {
    let registry = Registry::start(Profile::plain().referrers(true)).await;
    put_example(&registry, "web", "it");
    let config = registry.put_blob("web", "{}");
    let layer = registry.put_blob("web", "jws");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "artifactType": "application/vnd.cncf.notary.signature",
        "config": {"mediaType": "application/vnd.cncf.notary.signature", "digest": config, "size": 2},
        "layers": [{"mediaType": "application/jose+json", "digest": layer, "size": 3}],
        "subject": {"mediaType": INDEX, "digest": example_root().to_string(), "size": 1},
    });
    let manifest = manifest.to_string();
    let reference = crate::registry::digest(manifest.as_bytes());
    registry.put_manifest("web", &reference, MANIFEST, manifest);
    let place = Place::new();
    std::fs::write(place.path("key.pub"), keys::key().public().to_pem()).unwrap();
    let source = format!("--source={}/web:it", registry.host());
    let ran = tokio::task::spawn_blocking(move || {
        expect(&place, 1, &["verify", &source, "--key=key.pub"])
    });
    let told = ran.await.unwrap();
    assert!(
        told.contains("1 signature in the form of notation, which is not read"),
        "{told}"
    );
    assert!(!told.contains("no signatures found"), "{told}");
}
