//! Signatures that other tools wrote and people met, as users check them.

use std::path::Path;

use crate::support::keys;
use crate::support::process::{Place, Ran};

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
pub(super) fn expect(place: &Place, status: i32, arguments: &[&str]) -> String {
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
    let key = keys::pem();
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
        told.contains("source oci:nowhere:t: the directory"),
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
fn a_pattern_that_everybody_matches_is_warned_about() {
    let place = case("othername-username-identity");
    let told = expect(
        &place,
        0,
        &[
            "verify",
            "--source=oci:layout:t",
            "--certificate-identity=*",
            "--certificate-oidc-issuer=https://idp.acme",
            "--trusted-root=root.json",
            "--transparency-log=off",
        ],
    );
    assert!(
        told.contains("accepts every identity of the issuer"),
        "{told}"
    );
}

#[test]
fn another_repository_for_signatures_is_refused_by_name() {
    let place = case("tekton-empty-certificate-annotations");
    let key = place.path("key.pem");
    std::fs::write(&key, keys::pem()).unwrap();
    let key = format!("--signing-key={}", key.display());
    for arguments in [
        &["verify", "--source=oci:layout:t", "--key=cosign.pub"][..],
        &[
            "promote",
            "--source=oci:layout:t",
            "--images=oci:out",
            "--tags=it",
            "--sign=key",
            &key,
        ],
    ] {
        let mut command = place.command();
        command
            .args(arguments)
            .env("COSIGN_REPOSITORY", "example.com/signatures");
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.status, Some(2), "{}{}", ran.out, ran.log);
        assert!(ran.log.contains("COSIGN_REPOSITORY is set"), "{}", ran.log);
    }
    assert!(!place.path("out").exists());
}
