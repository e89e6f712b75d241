//! Reports that are cut, changed or too large: none turns into a better one.

use std::collections::BTreeSet;
use std::io::{self, Read};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::image::Digest;

/// Reports of every format that are read.
const FILES: [&str; 8] = [
    "made/trivy_critical_fixable.json",
    "made/grype_manifest_digest.json",
    "made/cyclonedx_image_vulnerabilities.json",
    "made/trivy_with_digest.sarif",
    "trivy/v2_alpine-310.json",
    "trivy/alpine-310.sarif",
    "grype/grype_0.28_image.json",
    "trivy/v2_many.json",
];

#[test]
fn a_report_cut_anywhere_is_not_json() {
    for entry in serde_json::from_slice::<Vec<Value>>(&load("expected.json")).unwrap() {
        let file = entry["file"].as_str().unwrap();
        let bytes = load(file);
        let reason = read(&bytes).map_or_else(|error| error.reason(), |_| "");
        if ["not-json", "duplicate-keys"].contains(&reason) {
            continue;
        }
        let length = bytes.trim_ascii_end().len();
        for cut in (0..50).map(|part| length * part / 50) {
            let error = read(&bytes[..cut]).unwrap_err();
            assert_eq!(
                error.reason(),
                "not-json",
                "{file} cut after {cut} bytes: {error}"
            );
        }
    }
}

#[test]
fn a_report_has_one_encoding_and_one_meaning() {
    for file in FILES {
        let bytes = load(file);
        let text = String::from_utf8(bytes.clone()).unwrap();
        let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf_16_with_mark = [&[0xff, 0xfe], utf_16.as_slice()].concat();
        let brace = text.find('{').unwrap() + 1;
        let inserted =
            |part: &str| format!("{}{part}{}", &text[..brace], &text[brace..]).into_bytes();
        for (case, damaged) in [
            (
                "a byte order mark",
                [b"\xef\xbb\xbf", bytes.as_slice()].concat(),
            ),
            ("UTF-16", utf_16),
            ("UTF-16 with a mark", utf_16_with_mark),
            ("a NUL at the end", [bytes.as_slice(), b"\0"].concat()),
            ("a NUL in a name", inserted("\"a\0\":1,")),
            ("NaN", inserted("\"a\":NaN,")),
            ("a comment", inserted("/* */")),
            ("Latin-1", [bytes.as_slice(), b" \"\xe9\""].concat()),
            ("another document", [bytes.as_slice(), b"{}"].concat()),
            (
                "depth",
                inserted(&format!(
                    "\"a\":{}{},",
                    "[".repeat(10_000),
                    "]".repeat(10_000)
                )),
            ),
        ] {
            let error = read(&damaged).unwrap_err();
            assert_eq!(error.reason(), "not-json", "{file} with {case}: {error}");
        }
        assert_eq!(read(&[bytes.as_slice(), b" \n"].concat()), read(&bytes));
    }
}

#[test]
fn a_report_of_more_than_64_mebibytes_is_refused() {
    let bytes = load(FILES[0]);
    let space = |count: u64| io::repeat(b' ').take(count);
    let rest = REPORT_LIMIT - bytes.len() as u64;
    assert!(ScanReport::read(bytes.as_slice().chain(space(rest))).is_ok());
    let error = ScanReport::read(bytes.as_slice().chain(space(rest + 1))).unwrap_err();
    assert_eq!(error.reason(), "too-large", "{error}");
}

#[test]
fn a_file_that_breaks_is_not_read() {
    /// Source that fails.
    struct BrokenSource;
    impl Read for BrokenSource {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }
    let bytes = load(FILES[0]);
    let error = ScanReport::read(bytes[..500].chain(BrokenSource)).unwrap_err();
    assert_eq!(error.reason(), "not-read");
}

/// Positions in which a member begins: after `{` or `,` outside of texts, with the length of the member.
fn members(text: &str) -> Vec<(usize, usize)> {
    let mut members = Vec::new();
    for (at, _) in text.match_indices('"') {
        let before = text[..at].trim_end();
        if !before.ends_with(['{', ',']) {
            continue;
        }
        let mut rest = serde_json::Deserializer::from_str(&text[at..]).into_iter::<String>();
        if !matches!(rest.next(), Some(Ok(_))) {
            continue;
        }
        let name = rest.byte_offset();
        let after = text[at + name..].trim_start();
        let Some(value) = after.strip_prefix(':') else {
            continue;
        };
        let mut value = serde_json::Deserializer::from_str(value).into_iter::<Value>();
        if matches!(value.next(), Some(Ok(_))) {
            let spaces = text[at + name..].len() - after.len();
            members.push((at, name + spaces + 1 + value.byte_offset()));
        }
    }
    members
}

#[test]
fn a_member_that_is_there_twice_is_found_everywhere() {
    for file in FILES {
        let text = String::from_utf8(load(file)).unwrap();
        let members = members(&text);
        assert!(members.len() > 30, "{file}");
        for (at, length) in members {
            let member = &text[at..at + length];
            let twice = format!("{}{member},{}", &text[..at], &text[at..]);
            let error = read(twice.as_bytes()).unwrap_err();
            assert_eq!(error.reason(), "duplicate-keys", "{file} at {at}: {error}");
        }
    }
}

/// Returns every digest that a report names as a manifest's or a config's.
fn bound_digests(report: &ScanReport) -> BTreeSet<Digest> {
    let subject = &report.subject;
    subject.manifests().chain(subject.config_digest).collect()
}

proptest! {
    /// A digest with another digit names nothing more of the image than before, and takes no finding away.
    #[test]
    fn a_changed_digest_binds_to_no_more_of_the_image(
        file in 0..FILES.len(),
        at: prop::sample::Index,
        digit in 0..64_usize,
    ) {
        let text = String::from_utf8(load(FILES[file])).unwrap();
        let before = read(text.as_bytes()).unwrap();
        let digests: Vec<_> = text.match_indices("sha256").map(|(at, _)| at).collect();
        prop_assume!(!digests.is_empty());
        let digit = digests[at.index(digests.len())] + "sha256:".len() + digit;
        let mut bytes = text.into_bytes();
        prop_assume!(bytes.get(digit).is_some_and(u8::is_ascii_hexdigit));
        bytes[digit] = if bytes[digit] == b'0' { b'1' } else { b'0' };
        let after = read(&bytes).unwrap();
        prop_assert_eq!(&after.findings, &before.findings);
        prop_assert_eq!(&after.suppressed, &before.suppressed);
        let new: Vec<_> = bound_digests(&after).difference(&bound_digests(&before)).copied().collect();
        prop_assert!(new.len() <= 1, "{:?}", new);
        let text = String::from_utf8(load(FILES[file])).unwrap();
        prop_assert!(new.iter().all(|digest| !text.contains(&digest.to_hex())), "{:?}", new);
    }

    /// A byte of the structure that is another is refused, or leaves every finding in its place.
    #[test]
    fn a_changed_byte_of_the_structure_takes_no_finding_away(
        file in 0..FILES.len(),
        at: prop::sample::Index,
        byte in prop::sample::select(b"\"{}[]:,".to_vec()),
    ) {
        let mut bytes = load(FILES[file]);
        let before = read(&bytes).unwrap();
        let at = at.index(bytes.len());
        prop_assume!(!bytes[at].is_ascii_alphanumeric());
        bytes[at] = byte;
        if let Ok(after) = read(&bytes) {
            prop_assert!(after.findings.len() + after.suppressed.len() >= before.findings.len());
        }
    }
}
