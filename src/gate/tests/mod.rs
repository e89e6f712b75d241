//! Tests of the judges.

mod attestations_gate;
mod freeze_gate;
mod github;
mod image_gate;
mod model;
mod scan_attested;
mod scan_binding;
mod scan_cases;
mod scan_damage;
mod scan_exceptions;
mod scan_gate;
mod scan_support;
mod scan_vex;
mod soak_gate;

use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::image::{Digest, ImageLabels, ImageSource, Platform};

/// Returns a time that is written as in a report.
fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Returns the digest whose hex digits are all `digit`.
fn digest(digit: char) -> Digest {
    let hex: String = std::iter::repeat_n(digit, 64).collect();
    format!("sha256:{hex}").parse().unwrap()
}

/// Returns `linux/arm/v7` as a platform.
fn platform(name: &str) -> Platform {
    let mut parts = name.split('/').map(str::to_owned);
    Platform {
        os: parts.next().unwrap(),
        architecture: parts.next().unwrap(),
        variant: parts.next(),
        os_version: None,
    }
}

/// Returns the image of a platform, with a manifest and a config of one digit each.
fn judged_platform(name: &str, manifest: char, config: char) -> JudgedPlatform {
    JudgedPlatform {
        platform: Some(platform(name)),
        manifest: digest(manifest),
        config: digest(config),
        layers_size: 10 << 20,
        content: Some(JudgedConfig {
            user: "app".to_owned(),
            created: Some(time("2026-11-01T00:00:00Z")),
            labels: labels(&[("org.opencontainers.image.revision", "2b2e927")]),
        }),
        platform_conflict: None,
        is_released: true,
    }
}

/// Returns an index of linux/amd64 (manifest a, config c) and linux/arm64 (manifest b, config d).
fn index() -> JudgedImage {
    JudgedImage {
        root: digest('1'),
        platforms: vec![
            judged_platform("linux/amd64", 'a', 'c'),
            judged_platform("linux/arm64", 'b', 'd'),
        ],
    }
}

fn labels(pairs: &[(&str, &str)]) -> ImageLabels {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ImageLabels::from(pairs.collect::<std::collections::BTreeMap<_, _>>())
}

/// Checks the state of a verdict, and that its reasons have these parts, each in a reason of its own.
#[track_caller]
fn assert_verdict(verdict: &GateVerdict, state: GateState, parts: &[&str]) {
    assert_eq!(verdict.state(), state, "{verdict:#?}");
    assert_eq!(verdict.reasons().len(), parts.len(), "{verdict:#?}");
    for (reason, part) in verdict.reasons().iter().zip(parts) {
        assert!(reason.contains(part), "{reason}: {part}");
    }
}
