//! Scan reports of 64 MiB: read as a stream, in less memory than they have bytes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shipmark::gate::{REPORT_LIMIT, ScanReport};

use crate::support::process::measured;

/// Names the report that a process of its own reads.
const REPORT: &str = "SHIPMARK_SCAN_REPORT";
/// The most memory that the process may ever have had, in KiB: with the test binary itself.
const MEMORY: u64 = 64 << 10;
/// The most time that the release build may take.
const TIME: Duration = Duration::from_secs(1);

fn load(file: &str) -> Value {
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    serde_json::from_slice(&std::fs::read(reports.join(file)).unwrap()).unwrap()
}

/// Writes a report whose list at `pointer` has as many elements as the limit lets it have. Returns how many.
fn write_report(
    path: &Path,
    mut report: Value,
    pointer: &str,
    element: impl Fn(usize) -> Value,
) -> usize {
    *report.pointer_mut(pointer).unwrap() = json!(["@"]);
    let frame = report.to_string();
    let (start, end) = frame.split_once("\"@\"").unwrap();
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(start.as_bytes()).unwrap();
    let mut left = REPORT_LIMIT as usize - frame.len();
    for number in 0.. {
        let separator = if number == 0 { "" } else { ",\n" };
        let element = format!("{separator}{:#}", element(number));
        let Some(rest) = left.checked_sub(element.len()) else {
            file.write_all(end.as_bytes()).unwrap();
            return number;
        };
        left = rest;
        file.write_all(element.as_bytes()).unwrap();
    }
    unreachable!()
}

/// Writes one report of each format that can be so large, with how many findings it has.
fn write_reports(folder: &Path) -> [(PathBuf, usize); 2] {
    let text = "A made-up vulnerability of a made-up package. ".repeat(12);
    let trivy = load("made/trivy_critical_fixable.json");
    let mut vulnerability = trivy["Results"][0]["Vulnerabilities"][0].clone();
    vulnerability["Description"] = json!(text);
    let path = folder.join("trivy.json");
    let count = write_report(&path, trivy, "/Results/0/Vulnerabilities", |number| {
        let mut vulnerability = vulnerability.clone();
        vulnerability["VulnerabilityID"] = json!(format!("CVE-2099-{number}"));
        vulnerability["PkgName"] = json!(format!("lib{}", number % 3000));
        vulnerability
    });
    let cyclonedx = load("made/cyclonedx_image_vulnerabilities.json");
    let mut vulnerability = cyclonedx["vulnerabilities"][0].clone();
    vulnerability["description"] = json!(text);
    let other = folder.join("cyclonedx.json");
    let other_count = write_report(&other, cyclonedx, "/vulnerabilities", |number| {
        let mut vulnerability = vulnerability.clone();
        vulnerability["id"] = json!(format!("CVE-2099-{number}"));
        vulnerability
    });
    [(path, count), (other, other_count)]
}

#[test]
fn a_report_of_64_mebibytes_takes_less_memory() {
    let folder = tempfile::tempdir().unwrap();
    for (path, count) in write_reports(folder.path()) {
        let output = folder.path().join("output");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["scan_reports::the_reader", "--exact", "--nocapture"])
            .env(REPORT, &path)
            .stderr(Stdio::null())
            .stdout(File::create(&output).unwrap());
        let (status, peak) = measured(command);
        let output = std::fs::read_to_string(output).unwrap();
        println!("{}: {peak} KiB, {output}", path.display());
        assert!(status.success(), "{output}");
        assert!(
            output.contains(&format!("{count} findings")),
            "{count}: {output}"
        );
        assert!(peak < MEMORY, "{peak} KiB");
    }
}

/// Reads a report in the process that [`a_report_of_64_mebibytes_takes_less_memory`] starts; in any other there is none.
#[test]
fn the_reader() {
    let Some(path) = std::env::var_os(REPORT) else {
        return;
    };
    let start = Instant::now();
    let report = ScanReport::read(File::open(path).unwrap()).unwrap();
    let time = start.elapsed();
    println!("{} findings in {time:?}", report.findings.len());
    // Only the release build is fast.
    assert!(cfg!(debug_assertions) || time < TIME, "{time:?}");
}
