//! Reports that are made to be misread.

use serde_json::{Value, json};

use super::*;

fn trivy() -> Value {
    made("made/trivy_critical_fixable.json")
}

const VULNERABILITY: &str = "/Results/0/Vulnerabilities/0";

#[test]
fn a_finding_has_its_names() {
    let report = read_value(&trivy()).unwrap();
    let finding = only(&report);
    assert_eq!(finding.id, "CVE-2099-1001");
    assert_eq!(
        (finding.package, finding.version),
        ("libexample", "1.0.0-r0")
    );
    let purl = "pkg:apk/alpine/libexample@1.0.0-r0?arch=x86_64&distro=3.22.1";
    assert_eq!(finding.purl, purl);
    assert_eq!(
        finding.target,
        "registry.example/team/fixture:1.4.2 (alpine 3.22.1)"
    );

    let report = read_value(&made("made/grype_manifest_digest.json")).unwrap();
    let finding = only(&report);
    assert_eq!(
        (finding.package, finding.version, finding.target),
        ("libother", "2.0.0-r0", "apk")
    );
    assert!(finding.purl.starts_with("pkg:apk/alpine/libother@"));

    let report = read_value(&made("made/trivy_with_digest.sarif")).unwrap();
    let finding = only(&report);
    assert_eq!((finding.package, finding.version), ("libother", "2.0.0-r0"));
    assert_eq!(
        (finding.id, finding.target),
        ("CVE-2099-1002", "team/fixture")
    );

    let report = read_value(&made("made/cyclonedx_image_vulnerabilities.json")).unwrap();
    let names = report
        .findings
        .iter()
        .map(|it| (it.id, it.package, it.version, it.purl));
    let expected = [
        ("CVE-2099-1001", "libexample", "1.0.0-r0", purl),
        (
            "CVE-2099-1002",
            "libother",
            "2.0.0-r0",
            "pkg:apk/alpine/libother@2.0.0-r0?arch=x86_64&distro=3.22.1",
        ),
    ];
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

#[test]
fn a_severity_in_no_table_and_a_missing_id_make_a_report_unreadable() {
    for (file, severity, id) in [
        (
            "made/trivy_critical_fixable.json",
            "/Results/0/Vulnerabilities/0/Severity",
            "/Results/0/Vulnerabilities/0/VulnerabilityID",
        ),
        (
            "made/grype_manifest_digest.json",
            "/matches/0/vulnerability/severity",
            "/matches/0/vulnerability/id",
        ),
        (
            "made/grype_manifest_digest.json",
            "/ignoredMatches/0/vulnerability/severity",
            "/ignoredMatches/0/vulnerability/id",
        ),
        (
            "made/cyclonedx_image_vulnerabilities.json",
            "/vulnerabilities/0/ratings/1/severity",
            "/vulnerabilities/0/id",
        ),
        (
            "made/trivy_with_digest.sarif",
            "/runs/0/results/0/level",
            "/runs/0/results/0/ruleId",
        ),
        (
            "made/trivy_with_digest.sarif",
            "/runs/0/tool/driver/rules/0/properties/security-severity",
            "/runs/0/results/0/ruleId",
        ),
    ] {
        for (pointer, value) in [
            (severity, json!("Defcon1")),
            (severity, json!([])),
            (id, json!("")),
            (id, json!(null)),
            (id, json!(7)),
        ] {
            let error = with(made(file), pointer, value.clone()).unwrap_err();
            assert_eq!(
                error.reason(),
                "unreadable",
                "{file} {pointer} {value}: {error}"
            );
        }
    }
}

#[test]
fn an_absent_severity_is_unknown() {
    for value in [json!(null), json!(""), json!("UNKNOWN"), json!("unknown")] {
        let report = with(trivy(), "/Results/0/Vulnerabilities/0/Severity", value).unwrap();
        assert_eq!(only(&report).severity, Severity::Unknown);
        let grype = made("made/grype_manifest_digest.json");
        let report = with(grype, "/matches/0/vulnerability/severity", json!("Unknown")).unwrap();
        assert_eq!(only(&report).severity, Severity::Unknown);
    }
}

#[test]
fn lists_for_objects_and_the_like_are_refused() {
    for file in [
        "made/trivy_critical_fixable.json",
        "made/grype_manifest_digest.json",
        "made/cyclonedx_image_vulnerabilities.json",
        "made/trivy_with_digest.sarif",
    ] {
        let report = made(file);
        let findings = [
            "/Results",
            "/Results/0",
            "/Results/0/Vulnerabilities",
            VULNERABILITY,
            "/matches",
            "/matches/0",
            "/matches/0/vulnerability",
            "/matches/0/artifact",
            "/source",
            "/ignoredMatches",
            "/vulnerabilities",
            "/vulnerabilities/0",
            "/vulnerabilities/0/affects",
            "/vulnerabilities/0/ratings",
            "/vulnerabilities/0/ratings/0",
            "/metadata",
            "/metadata/component",
            "/components",
            "/runs",
            "/runs/0",
            "/runs/0/results",
            "/runs/0/results/0",
            "/runs/0/tool",
            "/runs/0/tool/driver",
            "/runs/0/tool/driver/rules",
            "/runs/0/properties",
            "/Metadata",
            "/Metadata/RepoDigests",
            "/Metadata/ImageID",
            "/descriptor",
        ];
        for pointer in findings
            .into_iter()
            .filter(|pointer| report.pointer(pointer).is_some())
        {
            let value = match report.pointer(pointer).unwrap() {
                Value::Object(_) => json!([]),
                _ => json!({}),
            };
            let result = with(report.clone(), pointer, value);
            assert!(result.is_err(), "{file} {pointer}: {result:?}");
        }
    }
}

#[test]
fn of_duplicates_the_highest_severity_and_a_known_fix_hold() {
    let mut report = trivy();
    let one = report.pointer(VULNERABILITY).unwrap().clone();
    let mut other = one.clone();
    other["Severity"] = json!("LOW");
    let mut unfixed = one.clone();
    unfixed["FixedVersion"] = json!("");
    unfixed["Status"] = json!("affected");
    *report.pointer_mut("/Results/0/Vulnerabilities").unwrap() = json!([other, unfixed]);
    let read = read_value(&report).unwrap();
    let finding = only(&read);
    assert_eq!(
        (finding.severity, finding.fix),
        (Severity::Critical, FixState::Fixable)
    );
    let mut results = report["Results"].clone();
    results[0]["Target"] = json!("app/Cargo.lock");
    report["Results"]
        .as_array_mut()
        .unwrap()
        .push(results[0].clone());
    assert_eq!(read_value(&report).unwrap().findings.len(), 2);
}

#[test]
fn members_come_in_any_order() {
    for file in [
        "made/trivy_critical_fixable.json",
        "made/grype_manifest_digest.json",
        "made/cyclonedx_image_vulnerabilities.json",
        "made/trivy_with_digest.sarif",
    ] {
        let report = made(file);
        let expected = read_value(&report).unwrap();
        let reversed = reverse(&report).to_string();
        assert_eq!(read(reversed.as_bytes()).unwrap(), expected, "{file}");
    }
}

/// JSON whose members are in the reverse order.
struct ReversedJson(String);

impl std::fmt::Display for ReversedJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn reverse(value: &Value) -> ReversedJson {
    ReversedJson(match value {
        Value::Object(members) => {
            let members = members.iter().rev();
            let members =
                members.map(|(name, value)| format!("{}:{}", json!(name), reverse(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(|it| reverse(it).0).collect();
            format!("[{}]", elements.join(","))
        }
        other => other.to_string(),
    })
}

#[test]
fn a_file_of_two_formats_is_refused() {
    let mut report = trivy();
    for (name, value) in [
        ("matches", json!([])),
        ("bomFormat", json!("CycloneDX")),
        ("runs", json!([])),
    ] {
        report[name] = value;
        let error = read_value(&report).unwrap_err();
        assert_eq!(error.reason(), "unsupported-schema");
        assert!(error.to_string().contains("Trivy JSON and of"), "{error}");
        report.as_object_mut().unwrap().remove(name);
    }
}

#[test]
fn versions_are_read_by_number() {
    for version in [
        json!(1),
        json!(3),
        json!(2.5),
        json!(null),
        json!("2"),
        json!([2]),
        json!(true),
    ] {
        let error = with(trivy(), "/SchemaVersion", version.clone()).unwrap_err();
        assert_eq!(error.reason(), "unsupported-schema", "{version}");
    }
    let cyclonedx = || made("made/cyclonedx_image_vulnerabilities.json");
    for version in ["1.4", "1.5", "1.6", "1.7"] {
        assert!(with(cyclonedx(), "/specVersion", json!(version)).is_ok());
    }
    for version in [
        json!("1.3"),
        json!("1.8"),
        json!("2.0"),
        json!("1.60"),
        json!(1.6),
        json!(null),
    ] {
        let error = with(cyclonedx(), "/specVersion", version.clone()).unwrap_err();
        assert_eq!(error.reason(), "unsupported-schema", "{version}");
    }
    for version in [json!("2.0.0"), json!("2.1"), json!(2.1), json!(null)] {
        let error = with(
            made("made/trivy_with_digest.sarif"),
            "/version",
            version.clone(),
        )
        .unwrap_err();
        assert_eq!(error.reason(), "unsupported-schema", "{version}");
    }
}

#[test]
fn nothing_examined_is_not_nothing_found() {
    for results in [json!(null), json!([])] {
        let error = with(trivy(), "/Results", results).unwrap_err();
        assert_eq!(error.reason(), "empty");
    }
    for result in [
        json!({}),
        json!(null),
        json!({"Target": "x", "Class": "secret", "Secrets": []}),
        json!({"Class": "config"}),
    ] {
        let error = with(trivy(), "/Results", json!([result])).unwrap_err();
        assert_eq!(error.reason(), "no-vulnerability-scan", "{result}");
    }
    // Trivy writes the empty list also into an SBOM that it made without a scan.
    let error = with(
        made("made/cyclonedx_image_vulnerabilities.json"),
        "/vulnerabilities",
        json!([]),
    )
    .unwrap_err();
    assert_eq!(error.reason(), "sbom-only");
    let mut grype = made("made/cyclonedx_image_vulnerabilities.json");
    grype["metadata"]["tools"] =
        json!([{"vendor": "anchore", "name": "Grype", "version": "0.110.0"}]);
    let report = with(grype.clone(), "/vulnerabilities", json!([])).unwrap();
    assert!(report.findings.is_empty() && report.tool.as_deref() == Some("grype"));
    let report = read_value(&grype).unwrap();
    let fixes: Vec<_> = report.findings.iter().map(|finding| finding.fix).collect();
    assert_eq!(fixes, [FixState::Fixable, FixState::NotStated]);
    for results in [json!(null), json!({})] {
        let error = with(
            made("made/trivy_with_digest.sarif"),
            "/runs/0/results",
            results,
        )
        .unwrap_err();
        assert!(["empty", "unreadable"].contains(&error.reason()), "{error}");
    }
}

#[test]
fn what_a_report_takes_out_is_kept() {
    let report = read_value(&made("made/grype_manifest_digest.json")).unwrap();
    let suppressed = SuppressedFinding {
        id: "CVE-2099-1001".to_owned(),
        package: "libexample".to_owned(),
        severity: Severity::Critical,
        cause: "ignored by Grype: made up".to_owned(),
    };
    assert_eq!(report.suppressed, std::slice::from_ref(&suppressed));

    let finding = json!({"VulnerabilityID": "CVE-2099-1001", "PkgName": "libexample", "Severity": "CRITICAL"});
    let modified = json!([{"Type": "vulnerability", "Status": "not_affected", "Source": "a.openvex.json", "Finding": finding},
        {"Type": "misconfiguration", "Status": "ignored", "Finding": {"ID": "DS002"}}]);
    let report = with(trivy(), "/Results/0/ExperimentalModifiedFindings", modified).unwrap();
    let by_trivy = SuppressedFinding {
        cause: "status not_affected of a.openvex.json".to_owned(),
        ..suppressed.clone()
    };
    assert_eq!(report.suppressed, [by_trivy]);

    for (state, count) in [
        ("not_affected", 1),
        ("false_positive", 1),
        ("resolved", 1),
        ("resolved_with_pedigree", 1),
        ("in_triage", 2),
        ("exploitable", 2),
        ("other", 2),
    ] {
        let cyclonedx = made("made/cyclonedx_image_vulnerabilities.json");
        let report = with(
            cyclonedx,
            "/vulnerabilities/0/analysis",
            json!({"state": state}),
        )
        .unwrap();
        assert_eq!(report.findings.len(), count, "{state}");
        assert_eq!(report.suppressed.len(), 2 - count, "{state}");
    }
    for (suppressions, count) in [
        (json!([]), 1),
        (json!([{"kind": "inSource"}]), 0),
        (json!([{"status": "accepted"}]), 0),
        (json!([{"status": "underReview"}]), 1),
        (json!([{"kind": "external"}, {"status": "rejected"}]), 1),
    ] {
        let sarif = made("made/trivy_with_digest.sarif");
        let report = with(
            sarif,
            "/runs/0/results/0/suppressions",
            suppressions.clone(),
        )
        .unwrap();
        assert_eq!(report.findings.len(), count, "{suppressions}");
        assert_eq!(report.suppressed.len(), 1 - count, "{suppressions}");
    }
}

#[test]
fn recorded_filters_of_grype_are_kept() {
    let rule = |name: &str, upstream: &str, kind: &str| {
        json!({"vulnerability": "", "reason": "", "match-type": "exact-indirect-match",
        "package": {"name": name, "version": "", "type": kind, "upstream-name": upstream}})
    };
    let configuration = json!({"only-fixed": true, "only-notfixed": false, "ignore-wontfix": "", "exclude": ["/srv/**"],
        "ignore": [rule("kernel-headers", "kernel", "rpm"), rule("linux-libc-dev", "linux", "deb"), rule("openssl", "linux", "deb"),
            {"vulnerability": "CVE-2099-1001", "fix-state": "wont-fix", "reason": "made up"}],
        "fail-on-severity": "high"});
    let mut report = made("made/grype_manifest_digest.json");
    report["descriptor"]["configuration"] = configuration;
    report["descriptor"]["db"] =
        json!({"status": {"built": "2026-11-20T06:00:00Z", "valid": true}});
    let report = read_value(&report).unwrap();
    assert_eq!(
        report.filters,
        [
            "exclude: /srv/**",
            "ignore: match-type exact-indirect-match, package name openssl, package type deb, package upstream-name linux",
            "ignore: fix-state wont-fix, reason made up, vulnerability CVE-2099-1001",
            "only-fixed"
        ]
    );
    assert_eq!(
        report.database_built_at,
        "2026-11-20T06:00:00Z".parse().ok()
    );
}

#[test]
fn other_formats_are_refused_by_name() {
    for (document, reason, name) in [
        (
            json!({"payloadType": "application/vnd.in-toto+json", "payload": "", "signatures": []}),
            "unsupported-schema",
            "a DSSE envelope",
        ),
        (
            json!({"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": "x", "predicate": {}}),
            "unsupported-schema",
            "an in-toto statement",
        ),
        (
            json!({"invocation": {}, "scanner": {"result": {}}, "metadata": {}}),
            "unsupported-schema",
            "cosign's vulnerability predicate",
        ),
        (
            json!({"image": "a", "summary": {"fatal": 0}, "details": []}),
            "not-a-scan-report",
            "Dockle",
        ),
        (
            json!({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": []}),
            "sbom-only",
            "SPDX 3",
        ),
        (
            json!({"hello": "world"}),
            "not-a-scan-report",
            "no format that is known",
        ),
        (json!([{"runs": []}]), "unsupported-schema", "list of SARIF"),
        (json!("text"), "not-a-scan-report", "a text alone"),
        (json!([1]), "not-a-scan-report", "no format that is known"),
    ] {
        let error = read_value(&document).unwrap_err();
        assert_eq!(error.reason(), reason, "{document}");
        assert!(error.to_string().contains(name), "{error}");
    }
}
