//! Mutants of scan reports and VEX documents: whatever is read as one has ids, one meaning, and is JSON for others.

use std::path::{Path, PathBuf};

use fastrand::Rng;

use super::spoilt_json;

#[path = "../../../fuzz/reports.rs"]
mod drive;

/// How many of each kind.
const MUTANTS: u64 = 2000;
/// Most bytes of a report that is damaged.
const SIZE: u64 = 32 << 10;

/// Returns the files in these folders of the reports.
fn files(folders: &[&str]) -> Vec<PathBuf> {
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/reports");
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(reports.join(folder)).unwrap());
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.metadata().unwrap().len() <= SIZE);
    files.sort();
    files
}

/// Tries mutants of the files; returns how many were read.
fn drive_mutants(files: &[PathBuf], drive: impl Fn(&[u8]) -> bool) -> u64 {
    let documents: Vec<_> = files
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let documents: Vec<_> = documents
        .into_iter()
        .filter(|document| drive(document))
        .collect();
    let mut read = 0;
    for seed in 0..MUTANTS {
        let mut random = Rng::with_seed(seed);
        let document = &documents[random.usize(..documents.len())];
        read += u64::from(drive(&spoilt_json(document, &mut random)));
    }
    read
}

#[test]
fn mutants_of_scan_reports_have_one_meaning_or_are_refused() {
    let files = files(&["made", "trivy", "grype", "cyclonedx", "sarif"]);
    let read = drive_mutants(&files, drive::scan_report);
    assert!((1..MUTANTS * 9 / 10).contains(&read), "{read}");
}

#[test]
fn mutants_of_vex_documents_have_one_meaning_or_are_refused() {
    let files = files(&["made", "openvex"]);
    let read = drive_mutants(&files, drive::vex);
    assert!((1..MUTANTS * 9 / 10).contains(&read), "{read}");
}
