//! Two services in one run: a registry that fails in the middle, and a refusal of one that stops both.

use super::story::{Merged, on_main, to_production, zip};
use super::*;
use crate::registry::{Effect, Fault};
use crate::support::made_image::MadeImage;

async fn merged() -> (Team, Merged) {
    let mut team = Team::new().await;
    let merged = team.merge_release();
    team.clear_logs();
    (team, merged)
}

/// All gates of both services passed; the registry then refuses the tags of one of them.
#[tokio::test(flavor = "multi_thread")]
async fn promise_2_a_failure_in_the_middle_names_what_was_released_and_what_was_not() {
    let (team, merged) = merged().await;
    let inputs = to_production(&merged.reports);
    let fault = Fault::on("PUT", "/v2/team/api/manifests/1.2.0", Effect::status(403)).always();
    team.registries[2].fault(fault);
    let ran = team.run(on_main(&merged.merge), &inputs);
    assert_eq!(ran.status, Some(3), "{}", ran.log);
    for part in [
        "promote of 2 services: 1 released, 1 failed",
        "web: released",
        "api: failed: destination",
        "repeat the run to do the rest",
    ] {
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
    let summary = team.place.read("summary");
    assert!(
        summary.contains("web") && summary.contains("api"),
        "{summary}"
    );
    assert_half_released(&team, &merged);

    team.registries[2].clear_faults();
    team.clear_logs();
    let again = Job {
        attempt: 2,
        ..on_main(&merged.merge)
    };
    let ran = Ran::of(team.step(again, &inputs).output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.log
            .contains("promote of 2 services: 1 unchanged, 1 released"),
        "{}",
        ran.log
    );
    let of_web = |line: &String| line.contains("/v2/team/web/");
    assert_eq!(team.writes().iter().filter(|line| of_web(line)).count(), 0);
    assert_released(&team, &merged);
}

/// The first service is released as a whole, and the second has neither its moving tags nor a record.
fn assert_half_released(team: &Team, merged: &Merged) {
    let [web, api] = &merged.images;
    assert!(team.names("prod", "web", web).contains("1.2.0"));
    assert!(!team.names("prod", "api", api).contains("prod"));
    assert_eq!(team.timeline("prod", "web").len(), 1);
    assert_eq!(team.timeline("prod", "api").len(), 0);
}

fn assert_released(team: &Team, merged: &Merged) {
    for (service, image, _) in zip(&merged.images, &merged.images) {
        let tags = format!("1 1.2 1.2.0 latest prod sha-{}", &merged.built[..7]);
        assert_eq!(team.names("prod", service, image), tags);
        assert_eq!(team.timeline("prod", service).len(), 1);
        assert_eq!(team.results(service), ["PASSED"]);
    }
}

/// Whatever refuses one service, nothing is written for the other: not in a registry, and not in a log.
#[tokio::test(flavor = "multi_thread")]
async fn promise_3_a_refusal_of_one_service_stops_both_before_a_write() {
    let (team, merged) = merged().await;
    let [web, api] = &merged.images;
    let of_web = team.scan("web", web, &[]);
    let entries = team.sigstore.entries();
    for (finding, is_whole, part) in [
        ("CVE-2026-9999", true, "CVE-2026-9999"),
        // The exception of the environment, which the service replaces by none.
        ("CVE-2026-1234", true, "CVE-2026-1234"),
        // A platform that no report is about.
        ("CVE-2026-9999", false, "linux/arm64"),
    ] {
        let of_api = team.scan("api", api, &[(finding, "CRITICAL")]);
        let of_web = match is_whole {
            true => of_web.as_str(),
            false => of_web.lines().next().unwrap(),
        };
        team.clear_logs();
        let reports = format!("{of_web}\n{of_api}");
        let ran = team.run(on_main(&merged.merge), &to_production(&reports));
        assert_eq!(ran.status, Some(1), "{part}: {}", ran.log);
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
        assert_eq!(team.writes(), [""; 0], "{part}");
    }
    // An immutable tag of one service that names another image.
    let other = MadeImage::new(9, &[]);
    other.put(&team.registries[2], "team/api", &["1.2.0"]);
    team.clear_logs();
    let reports = team.scans(&merged.images, &[]);
    let ran = team.run(on_main(&merged.merge), &to_production(&reports));
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(ran.log.contains("1.2.0"), "{}", ran.log);
    assert_eq!(team.writes(), [""; 0]);
    assert_eq!(team.sigstore.entries(), entries, "nothing was signed");
}
