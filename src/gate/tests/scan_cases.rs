//! The cases of tests/data/reports: reports of tests/data/reports/made, with an image, a rule, a time and VEX
//! documents, and the verdict that they must lead to.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::scan_support::place;
use super::*;

/// Digests of the image buildkit-multi.tar, from which the reports were made.
const ROOT: &str = "cc1d754f7abe924052ff9825539b5567c8aa2617e3591547d0ed519a498faf6a";
const PLATFORMS: [(&str, &str, &str); 2] = [
    (
        "linux/amd64",
        "d7e20a29fb984726614e20887ab463613b90a2ecb7b4e3ab322a6ec6abbeac7d",
        "1b67c2ecf6a46829024b90c4b3ebeedbb8255e7af5f58b847d5b32a48650d6da",
    ),
    (
        "linux/arm64",
        "b4593c79a0abb80d3e796a5643c03f47fbb8d7eafbfb0410ce9b83f606e0d001",
        "1980d21fe19f4a0052209fbb7ac299c3960cce41f91e7b10bd49cb6f860ef34f",
    ),
];

/// Case of cases.json.
pub struct ReportCase {
    pub name: String,
    pub image: JudgedImage,
    pub rule: ScanRule,
    /// Names and contents of the report files.
    pub reports: Vec<(String, Vec<u8>)>,
    pub vex: Vec<ConsideredVex>,
    pub now: Timestamp,
    pub passes: bool,
}

impl ReportCase {
    /// Judges the case with these contents in place of the reports' own.
    pub fn judge(&self, contents: &[&[u8]]) -> ScanJudgement {
        let names = self.reports.iter().map(|(name, _)| name.clone());
        let reports = names.zip(contents).map(|(name, content)| ConsideredReport {
            name,
            content: ScanReport::read(*content).map(Arc::new),
            attested_by: None,
        });
        let reports: Vec<ConsideredReport> = reports.collect();
        let facts = ScanFacts {
            image: &self.image,
            place: &place(),
            requires_attested: false,
            reports: &reports,
            vex: &self.vex,
            now: self.now,
        };
        judge_scan(&self.rule, facts)
    }

    /// Judges the case as it is.
    pub fn judge_unchanged(&self) -> ScanJudgement {
        let contents: Vec<&[u8]> = self.reports.iter().map(|(_, it)| it.as_slice()).collect();
        self.judge(&contents)
    }
}

fn read(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    std::fs::read(folder.join(file)).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.map(|text| text.as_str().unwrap()).collect()
}

/// Returns the image of the cases, of which these platforms are released; all if none are named.
fn fixture_image(released: &[&str]) -> JudgedImage {
    let digest = |hex: &str| format!("sha256:{hex}").parse().unwrap();
    let platforms = PLATFORMS.map(|(name, manifest, config)| JudgedPlatform {
        platform: Some(platform(name)),
        manifest: digest(manifest),
        config: digest(config),
        layers_size: 5_108,
        content: None,
        platform_conflict: None,
        is_released: released.is_empty() || released.contains(&name),
    });
    JudgedImage {
        root: digest(ROOT),
        platforms: platforms.into(),
    }
}

/// Reads the policy of a case. Every key of it is one that is read here.
fn read_rule(policy: &Value) -> ScanRule {
    let known = [
        "fail-on",
        "ignore-unfixed",
        "max-age",
        "unbound",
        "platforms",
    ];
    let mut keys = policy.as_object().unwrap().keys();
    assert!(keys.all(|key| known.contains(&key.as_str())), "{policy}");
    ScanRule {
        fail_on: policy["fail-on"].as_str().unwrap().parse().unwrap(),
        ignore_unfixed: policy["ignore-unfixed"] == true,
        max_age: policy["max-age"].as_str().map(|age| age.parse().unwrap()),
        allows_unbound: policy["unbound"] == "allow",
        denies_suppressed: false,
        ignore: Vec::new(),
    }
}

/// Reads the cases.
pub fn read_cases() -> Vec<ReportCase> {
    let cases: Vec<Value> = serde_json::from_slice(&read("cases.json")).unwrap();
    let cases = cases.iter().map(|case| {
        assert_eq!(case["image"], "images/buildkit-multi.tar");
        let files = |key: &str| {
            let files = texts(&case[key]).into_iter();
            files
                .map(|file| (file.to_owned(), read(file)))
                .collect::<Vec<_>>()
        };
        let vex = files("vex")
            .into_iter()
            .map(|(name, content)| ConsideredVex {
                name,
                content: VexDocument::parse(&content).map(Arc::new),
            });
        ReportCase {
            name: case["name"].as_str().unwrap().to_owned(),
            image: fixture_image(&texts(&case["policy"]["platforms"])),
            rule: read_rule(&case["policy"]),
            reports: files("reports"),
            vex: vex.collect(),
            now: time(case["now"].as_str().unwrap()),
            passes: case["verdict"] == "pass",
        }
    });
    cases.collect()
}

#[test]
fn promise_6_every_case_of_the_reports_has_its_verdict() {
    let cases = read_cases();
    assert_eq!(cases.len(), 32);
    for case in &cases {
        let verdict = case.judge_unchanged().verdict;
        assert_eq!(
            verdict.has_passed(),
            case.passes,
            "{}: {verdict:#?}",
            case.name
        );
    }
}
