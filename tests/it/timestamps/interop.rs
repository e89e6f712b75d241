//! What the real cosign says of the timestamps that openssl made. Left out of a plain `cargo test`;
//! scripts/interop.sh runs it. The tables in docs/verifying.md are this one's.

use std::collections::BTreeSet;

use super::{Recorded, Stamped};
use crate::support::process::Place;
use crate::support::table::{documented, yes};

impl Stamped {
    /// Returns whether cosign takes the timestamp as the only proof of the time.
    pub(super) fn cosign_accepts(&self) -> bool {
        let place = Place::new();
        std::fs::write(place.path("bundle"), self.bundle.to_string()).unwrap();
        std::fs::write(place.path("root"), self.root.to_string()).unwrap();
        std::fs::write(place.path("artifact"), &self.artifact).unwrap();
        let mut cosign = std::process::Command::new("cosign");
        cosign.current_dir(place.root()).args([
            "verify-blob",
            "--bundle=bundle",
            "--trusted-root=root",
            "--use-signed-timestamps",
            "--insecure-ignore-tlog",
            "--insecure-ignore-sct",
            &format!("--certificate-identity={}", super::SIGNER),
            &format!("--certificate-oidc-issuer={}", super::ISSUER),
            "artifact",
        ]);
        let output = cosign.output().expect("cosign runs");
        let told = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            println!("cosign: {}", told.lines().last().unwrap_or_default());
        }
        output.status.success()
    }
}

const BEGIN: &str = "<!-- timestamps of openssl -->\n";
const HEAD: &str = "| key | certificates | SHA-256 | SHA-384 | SHA-512 |\n|---|---|---|---|---|\n";
const REFUSED_BEGIN: &str = "<!-- timestamps that prove nothing -->\n";
const REFUSED_HEAD: &str = "| timestamp | cosign | shipmark |\n|---|---|---|\n";
/// What cosign accepts though it proves nothing: anybody can make another text with the same SHA-1.
const TOO_WEAK: &str = "signed with SHA-1";

#[test]
#[ignore = "needs cosign"]
fn cosign_takes_the_timestamps_of_openssl_that_are_taken_here() {
    let recorded = Recorded::load();
    let mut rows: Vec<(String, String, Vec<&str>)> = Vec::new();
    for case in recorded.cases.iter().filter(|case| case.refused.is_none()) {
        let stamped = recorded.stamped(case);
        let both = stamped.cosign_accepts() && stamped.check().is_ok();
        let parts: Vec<_> = case.name.splitn(3, ", ").collect();
        let [key, _, place] = parts[..] else {
            assert!(both, "{}", case.name);
            continue;
        };
        match rows.iter_mut().find(|row| row.0 == key && row.1 == place) {
            Some(row) => row.2.push(yes(both)),
            None => rows.push((key.to_owned(), place.to_owned(), vec![yes(both)])),
        }
    }
    let row = |(key, place, cells): &(String, String, Vec<&str>)| {
        format!("| {key} | {place} | {} |", cells.join(" | "))
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    documented("docs/verifying.md", BEGIN, HEAD, &rows);
}

#[test]
#[ignore = "needs cosign"]
fn cosign_refuses_the_timestamps_that_are_refused_here_but_for_weak_ones() {
    let recorded = Recorded::load();
    let mut names = BTreeSet::new();
    let mut rows = Vec::new();
    for case in recorded.cases.iter().filter(|case| case.refused.is_some()) {
        let stamped = recorded.stamped(case);
        let name = case.name.split_once(", ").unwrap().1;
        let accepts = stamped.cosign_accepts();
        assert!(stamped.check().is_err(), "{}", case.name);
        assert_eq!(accepts, name == TOO_WEAK, "{}", case.name);
        if names.insert(name) {
            let cosign = if accepts { "accepted" } else { "refused" };
            rows.push(format!("| {name} | {cosign} | refused |"));
        }
    }
    documented("docs/verifying.md", REFUSED_BEGIN, REFUSED_HEAD, &rows);
}
