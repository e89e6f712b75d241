use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn load(file: &str) -> Vec<u8> {
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    std::fs::read(reports.join(file)).unwrap()
}

fn parse(document: &Value) -> Result<VexDocument, VexError> {
    VexDocument::parse(document.to_string().as_bytes())
}

fn made() -> Value {
    serde_json::from_slice(&load("made/vex_superseded.openvex.json")).unwrap()
}

fn with_statement(member: &str, value: Value) -> Result<VexDocument, VexError> {
    let mut document = made();
    document["statements"][1][member] = value;
    parse(&document)
}

fn digest(byte: char) -> Digest {
    format!("sha256:{}", byte.to_string().repeat(64))
        .parse()
        .unwrap()
}

#[test]
fn a_document_is_read_with_its_times_products_and_states() {
    let document = VexDocument::parse(&load("made/vex_superseded.openvex.json")).unwrap();
    assert_eq!(
        document.id,
        "https://openvex.dev/docs/public/made-superseded"
    );
    assert_eq!(
        document.author,
        "Example Security Team <security@example.com>"
    );
    let [first, second] = document.statements.as_slice() else {
        panic!("{document:?}")
    };
    let justification = VexJustification::VulnerableCodeNotInExecutePath;
    assert_eq!(first.status, VexStatus::NotAffected(Some(justification)));
    assert_eq!(second.status, VexStatus::Affected);
    assert_eq!(first.timestamp, "2026-11-18T12:00:00Z".parse().unwrap());
    assert_eq!(second.timestamp, "2026-11-19T12:00:00Z".parse().unwrap());
    assert_eq!(first.vulnerability, ["CVE-2099-1001".to_owned()].into());
    let product = &first.products[0];
    let root = "sha256:cc1d754f7abe924052ff9825539b5567c8aa2617e3591547d0ed519a498faf6a";
    assert_eq!(product.component.digests, [root.parse().unwrap()].into());
    let part = "pkg:apk/alpine/libexample@1.0.0-r0?arch=x86_64&distro=3.22.1";
    assert_eq!(
        product.subcomponents[0].identifiers,
        [part.to_owned()].into()
    );
    assert!(product.subcomponents[0].digests.is_empty());
}

#[test]
fn documents_of_other_programs_are_read() {
    for (file, count, status) in [
        ("openvex/affected.json", 1, VexStatus::Affected),
        ("openvex/demo1.json", 1, VexStatus::Fixed),
        ("openvex/image_no_subcomponents.json", 1, VexStatus::Fixed),
        ("openvex/v0.2.0.json", 5, VexStatus::Fixed),
        ("openvex/v020_multi.json", 1, VexStatus::UnderInvestigation),
        (
            "openvex/trivy_fixture.json",
            1,
            VexStatus::NotAffected(Some(VexJustification::VulnerableCodeNotInExecutePath)),
        ),
    ] {
        let document = VexDocument::parse(&load(file)).unwrap();
        assert_eq!(document.statements.len(), count, "{file}");
        assert_eq!(document.statements[0].status, status, "{file}");
    }
    let error = VexDocument::parse(&load("openvex/v0.0.1_old_context.json")).unwrap_err();
    let context = "https://openvex.dev/ns/v0.0.1".to_owned();
    assert_eq!(error, VexError::UnsupportedVersion(context));
    for other in [
        "csaf/demo1.json",
        "made/trivy_old.json",
        "sarif/no_runs.sarif",
        "hadolint/clean.json",
    ] {
        let error = VexDocument::parse(&load(other)).unwrap_err();
        assert!(matches!(error, VexError::Malformed(_)), "{other}: {error}");
    }
}

#[test]
fn names_digests_and_times_come_from_every_place() {
    let mut document = made();
    document["last_updated"] = json!("2026-11-21T00:00:00Z");
    let statement = &mut document["statements"][0];
    statement["vulnerability"] =
        json!({"@id": "https://example.com/1", "name": "CVE-2099-1001", "aliases": ["GHSA-x", ""]});
    statement["products"] = json!([{"@id": "web", "identifiers": {"purl": format!("pkg:oci/web@{}", digest('a')), "cpe23": "cpe:2.3:a"},
        "hashes": {"sha-256": "b".repeat(64), "md5": "1"}}]);
    statement.as_object_mut().unwrap().remove("timestamp");
    document["statements"][1]["last_updated"] = json!("2026-11-20T00:00:00+01:00");
    let document = parse(&document).unwrap();
    let [first, second] = document.statements.as_slice() else {
        panic!("{document:?}")
    };
    let names = ["CVE-2099-1001", "GHSA-x", "https://example.com/1"].map(str::to_owned);
    assert_eq!(first.vulnerability, names.into());
    let component = &first.products[0].component;
    assert_eq!(component.digests, [digest('a'), digest('b')].into());
    assert_eq!(component.identifiers.len(), 3);
    assert_eq!(first.timestamp, "2026-11-21T00:00:00Z".parse().unwrap());
    assert_eq!(second.timestamp, "2026-11-19T23:00:00Z".parse().unwrap());
}

#[test]
fn what_a_statement_may_not_say_is_refused_with_its_number() {
    for (member, value) in [
        ("status", json!("unaffected")),
        ("status", json!("Affected")),
        ("justification", json!("vulnerable_code_not_present")),
        ("timestamp", json!("yesterday")),
        ("last_updated", json!("2026-11-19")),
        ("products", json!([])),
        ("products", json!(null)),
        (
            "products",
            json!([{"subcomponents": [{"@id": "pkg:apk/a"}]}]),
        ),
        (
            "products",
            json!([{"@id": "pkg:oci/a", "subcomponents": [{}]}]),
        ),
        (
            "products",
            json!([{"@id": "pkg:oci/a", "hashes": {"sha-256": "abc"}}]),
        ),
        ("vulnerability", json!({"name": ""})),
        ("vulnerability", json!({"description": "x"})),
    ] {
        let error = with_statement(member, value.clone()).unwrap_err();
        let is_of_second = matches!(error, VexError::Statement { number: 2, .. });
        assert!(is_of_second, "{member} {value}: {error}");
    }
    let mut document = made();
    document["statements"][0]["justification"] = json!("because");
    assert!(matches!(
        parse(&document),
        Err(VexError::Statement { number: 1, .. })
    ));
    document["statements"][0]["justification"] = json!("");
    let statement = &parse(&document).unwrap().statements[0];
    assert_eq!(statement.status, VexStatus::NotAffected(None));
}

#[test]
fn a_document_is_read_strictly() {
    for (member, value) in [
        ("status", json!(null)),
        ("status", json!(["fixed"])),
        ("Status", json!("fixed")),
        ("products", json!("pkg:oci/a")),
        ("products", json!(["pkg:oci/a"])),
        ("products", json!({"@id": "pkg:oci/a"})),
        (
            "products",
            json!([{"@id": "pkg:oci/a", "subcomponent": []}]),
        ),
        ("vulnerability", json!("CVE-2099-1001")),
        (
            "vulnerability",
            json!({"name": "CVE-2099-1001", "alias": []}),
        ),
        ("vulnerability", json!({"name": 1})),
    ] {
        let error = with_statement(member, value.clone()).unwrap_err();
        assert!(
            matches!(error, VexError::Malformed(_)),
            "{member} {value}: {error}"
        );
    }
    for (member, value) in [
        ("@id", json!(null)),
        ("author", json!(1)),
        ("timestamp", json!("soon")),
        ("statements", json!([])),
        ("statements", json!({})),
        ("note", json!("x")),
        ("@context", json!(null)),
        ("@context", json!([CONTEXT])),
    ] {
        let mut document = made();
        document[member] = value.clone();
        let error = parse(&document).unwrap_err();
        assert!(
            matches!(error, VexError::Malformed(_)),
            "{member} {value}: {error}"
        );
    }
    let text = String::from_utf8(load("made/vex_not_affected.openvex.json")).unwrap();
    let inserted = |part: &str| format!("{{{part}{}", &text[1..]);
    for damaged in [
        format!("\u{feff}{text}"),
        format!("{text}{{}}"),
        format!("{text}\0"),
        inserted("\"author\":\"x\","),
        inserted("\"role\":NaN,"),
        inserted(&format!(
            "\"role\":{}{},",
            "[".repeat(10_000),
            "]".repeat(10_000)
        )),
        text.replace("\"status\"", "\"status\": \"affected\", \"status\""),
    ] {
        let error = VexDocument::parse(damaged.as_bytes()).unwrap_err();
        assert!(matches!(error, VexError::Malformed(_)), "{error}");
    }
    for cut in (0..50).map(|part| (text.trim_end().len()) * part / 50) {
        assert!(VexDocument::parse(&text.as_bytes()[..cut]).is_err());
    }
}

proptest! {
    /// A byte that is another never makes two statements of one, nor a digest of another.
    #[test]
    fn a_changed_byte_binds_to_no_other_digest(at: prop::sample::Index, byte: u8) {
        let mut bytes = load("made/vex_not_affected.openvex.json");
        let before = VexDocument::parse(&bytes).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(after) = VexDocument::parse(&bytes) {
            prop_assert_eq!(after.statements.len(), before.statements.len());
            let digests = |document: &VexDocument| document.statements[0].products[0].component.digests.clone();
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            prop_assert!(digests(&after).iter().all(|digest| text.contains(&digest.to_hex())));
            prop_assert!(digests(&after).len() <= digests(&before).len());
        }
    }
}
