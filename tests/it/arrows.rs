//! The house has floors: each room uses only rooms of the floors below, and on the floor of the work
//! only those it is built on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Every room, and the rooms that it may use. ARCHITECTURE.md shows the same.
const ROOMS: [(&str, &[&str]); 27] = [
    // Ground: pure values.
    ("notices", &[]),
    ("strict_json", &[]),
    ("rule_duration", &[]),
    ("image", &[]),
    ("event", &["image", "notices"]),
    ("tagging", &["event", "image", "notices"]),
    (
        "gate",
        &[
            "event",
            "image",
            "notices",
            "record",
            "rule_duration",
            "strict_json",
            "tagging",
        ],
    ),
    (
        "retention",
        &["image", "notices", "record", "rule_duration", "tagging"],
    ),
    (
        "policy",
        &[
            "event",
            "gate",
            "image",
            "notices",
            "record",
            "retention",
            "rule_duration",
            "tagging",
        ],
    ),
    ("record", &["image", "notices", "strict_json", "tagging"]),
    // Work: files, networks, other people's formats.
    ("credentials", &["image", "notices"]),
    ("http", &["notices"]),
    ("git", &["event", "image", "notices"]),
    ("github", &["event", "http", "notices"]),
    ("layout", &["image", "notices"]),
    ("archive", &["image", "layout", "notices"]),
    ("registry", &["credentials", "http", "image", "notices"]),
    (
        "registry_api",
        &[
            "credentials",
            "github",
            "http",
            "image",
            "notices",
            "retention",
        ],
    ),
    (
        "transfer",
        &["archive", "http", "image", "layout", "notices", "registry"],
    ),
    (
        "referrers",
        &["image", "layout", "notices", "registry", "transfer"],
    ),
    // Bytes in, bytes out; requests to Sigstore's services.
    (
        "signing",
        &["gate", "http", "image", "notices", "strict_json"],
    ),
    // The road.
    (
        "release",
        &[
            "archive",
            "event",
            "gate",
            "git",
            "github",
            "image",
            "layout",
            "notices",
            "policy",
            "record",
            "referrers",
            "registry",
            "retention",
            "signing",
            "tagging",
            "transfer",
        ],
    ),
    // Next to the road: what rules do not keep is deleted.
    (
        "prune",
        &[
            "image",
            "layout",
            "notices",
            "record",
            "registry",
            "registry_api",
            "release",
            "retention",
            "strict_json",
            "tagging",
            "transfer",
        ],
    ),
    // Surface.
    ("actions", &["notices"]),
    ("cli", &["actions", "notices"]),
    (
        "report",
        &[
            "actions",
            "cli",
            "gate",
            "image",
            "notices",
            "policy",
            "prune",
            "record",
            "referrers",
            "release",
            "retention",
            "signing",
            "tagging",
            "transfer",
        ],
    ),
    (
        "commands",
        &[
            "actions",
            "archive",
            "cli",
            "credentials",
            "event",
            "gate",
            "git",
            "github",
            "http",
            "image",
            "layout",
            "notices",
            "policy",
            "prune",
            "record",
            "referrers",
            "registry",
            "registry_api",
            "release",
            "report",
            "retention",
            "signing",
            "tagging",
            "transfer",
        ],
    ),
];

/// Only the surface reads the environment or the wall clock, or prints.
const BELOW_THE_SURFACE: [&str; 23] = [
    "registry_api",
    "prune",
    "gate",
    "notices",
    "record",
    "retention",
    "rule_duration",
    "strict_json",
    "image",
    "event",
    "tagging",
    "policy",
    "credentials",
    "http",
    "git",
    "github",
    "layout",
    "archive",
    "registry",
    "signing",
    "transfer",
    "referrers",
    "release",
];
const KEPT_FOR_THE_SURFACE: [&str; 7] = [
    "std::env::",
    "SystemTime::now()",
    "println!",
    "eprintln!",
    "print!",
    "std::process::exit",
    "stdout()",
];
/// Pure rooms do nothing but compute.
const GROUND: [&str; 10] = [
    "gate",
    "retention",
    "rule_duration",
    "notices",
    "strict_json",
    "image",
    "event",
    "tagging",
    "policy",
    "record",
];
const NOT_ON_THE_GROUND: [&str; 6] = [
    "std::fs",
    "tokio::",
    "reqwest",
    "async fn",
    "std::net::Tcp",
    "Instant::now",
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten();
    entries
        .flat_map(|entry| files(&entry.unwrap().path()))
        .collect()
}

/// The code of a room by file, without its tests and comments.
fn code(room: &str) -> Vec<(PathBuf, String)> {
    let single = source().join(format!("{room}.rs"));
    let mut paths = files(&source().join(room));
    paths.extend(single.is_file().then_some(single));
    let is_test = |path: &PathBuf| {
        path.iter().any(|part| part == "tests")
            || path.ends_with("tests.rs")
            || path.ends_with("fixtures.rs")
    };
    paths
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text
                .split("#[cfg(test)]\nmod ")
                .next()
                .unwrap_or_default()
                .to_owned();
            let lines = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let code = lines.collect::<Vec<_>>().join("\n");
            (path, code)
        })
        .collect()
}

fn rooms_used(code: &str) -> BTreeSet<String> {
    code.match_indices("crate::")
        .map(|(at, found)| {
            let rest = &code[at + found.len()..];
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect()
}

#[test]
fn every_room_is_on_the_map() {
    let mapped: BTreeSet<&str> = ROOMS
        .iter()
        .map(|(room, _)| *room)
        .chain(["lib", "main"])
        .collect();
    for entry in std::fs::read_dir(source()).unwrap() {
        let name = entry.unwrap().path();
        let room = name.file_stem().unwrap().to_str().unwrap();
        assert!(mapped.contains(room), "{room} is on no floor");
    }
}

#[test]
fn rooms_use_only_what_is_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    for (room, below) in &allowed {
        for (path, code) in code(room) {
            for used in rooms_used(&code) {
                let fine = used == *room || below.contains(&used.as_str());
                assert!(
                    fine,
                    "{} uses crate::{used}, which is not below {room}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn only_the_surface_reads_the_environment_or_prints() {
    for room in BELOW_THE_SURFACE {
        for (path, code) in code(room) {
            for kept in KEPT_FOR_THE_SURFACE {
                assert!(!code.contains(kept), "{} has {kept}", path.display());
            }
        }
    }
}

#[test]
fn the_ground_is_pure() {
    for room in GROUND {
        for (path, code) in code(room) {
            for kept in NOT_ON_THE_GROUND {
                assert!(!code.contains(kept), "{} has {kept}", path.display());
            }
        }
    }
}
