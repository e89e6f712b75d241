//! What cosign says of the signatures of an image before and after our record.

use super::*;
use crate::support::example;

const UNLOGGED: [&str; 3] = ["--yes", "--tlog-upload=false", "--use-signing-config=false"];

/// What cosign says of an image with a key, looking for signatures as it does by itself and in each form; `None`
/// where it finds none.
fn verified(desk: &Desk, key: &str, image: &str) -> [Option<Vec<Value>>; 3] {
    let key = format!("--key={key}.pub");
    let forms = [
        "--output=json",
        "--new-bundle-format=true",
        "--new-bundle-format=false",
    ];
    forms.map(|form| {
        let arguments = ["verify", &key, "--insecure-ignore-tlog", form, image];
        let output = desk.run("cosign", &arguments);
        let is_good = output.status.success();
        is_good.then(|| serde_json::from_slice(&output.stdout).unwrap())
    })
}

/// The same without the records: of an image with bundles cosign also lists attestations of the same signer.
fn signatures(found: [Option<Vec<Value>>; 3]) -> [Option<Vec<Value>>; 3] {
    found.map(|found| {
        let mut found = found?;
        found.retain(|one| one["critical"]["type"] != RECORD_TYPE);
        Some(found)
    })
}

/// Records that are signed, of an image that is signed in each of the forms: `adopt` writes the record alone.
#[test]
#[ignore = "needs cosign and two registries: scripts/interop.sh"]
fn a_signed_record_changes_nothing_for_cosign_verify() {
    for base in bases("adopted") {
        for form in ["bundle", "legacy", "both"] {
            let repository = format!("{base}{form}");
            let policy = format!(
                "environments:\n  prod: {{repository: '{repository}', sign: key, \
                 signers: [{{key: ours.pub}}], adopt-until: 2099-12-31}}\n"
            );
            let desk = Desk::new(&policy, &["ours"]);
            let source = format!("--source={}", example());
            let key = "--signing-key=ours.key";
            let images = format!("--images={repository}");
            let release = ["push", &source, &images, "--sign=key", "--tags=1.4.0", key];
            let format = format!("--signature-format={form}");
            // As before there was a policy, without a record.
            let [folder, aside] = [".github", "aside"].map(|name| desk.0.path(name));
            std::fs::rename(&folder, &aside).unwrap();
            desk.ship(&[&release[..], &[format.as_str()]].concat());
            std::fs::rename(&aside, &folder).unwrap();
            let image = format!("{repository}:1.4.0");
            let before = verified(&desk, "ours", &image);
            assert!(before[0].is_some(), "{image}");
            desk.ship(&["adopt", "--environment=prod", key]);
            let after = verified(&desk, "ours", &image);
            if form == "legacy" {
                assert_eq!(after, before, "{image}");
            }
            assert_eq!(signatures(after), before, "{image}");
            let kind = ["--type", RECORD_TYPE, "--key=ours.pub"];
            let attested = ["verify-attestation", "--insecure-ignore-tlog", &image];
            let is_attested = desk.succeeds("cosign", &[&attested[..], &kind].concat());
            assert_eq!(is_attested, form != "legacy", "{image}");
            let arguments = ["history", "--environment=prod", "--output=json"];
            let history: Value = serde_json::from_str(&desk.ship(&arguments)).unwrap();
            let entry = &history["timelines"][0]["entries"][0];
            assert_eq!([&entry["action"], &entry["known"]], ["adopt", "verified"]);
        }
    }
}

/// Records that are not signed, of an image that somebody signed with cosign.
#[test]
#[ignore = "needs cosign and two registries: scripts/interop.sh"]
fn an_unsigned_record_changes_nothing_for_cosign_verify() {
    for base in bases("unsigned") {
        for forms in [&["false"][..], &["true"], &["false", "true"]] {
            let repository = format!("{base}{}", forms.join("-"));
            let desk = Desk::new("environments: {}\n", &["other"]);
            let source = format!("--source={}", example());
            let images = format!("--images={repository}");
            desk.ship(&["push", &source, &images, "--tags=it"]);
            let image = format!("{repository}:it");
            for form in forms {
                let form = format!("--new-bundle-format={form}");
                let arguments = ["sign", "--key=other.key", &form, &image];
                desk.must("cosign", &[&arguments[..], &UNLOGGED].concat());
            }
            let before = verified(&desk, "other", &image);
            assert!(before[0].is_some(), "{image}");
            let environment = "--environment=prod";
            let source = format!("--source={image}");
            desk.ship(&["push", &source, &images, environment, "--tags=1.4.0"]);
            desk.ship(&["mark", &images, environment, "--state=deployed"]);
            assert_eq!(verified(&desk, "other", &image), before, "{image}");
            assert_eq!(desk.entries(&repository).len(), 2, "{image}");
        }
    }
}
