//! Ways round the gates of production: each is refused before anything is written, or leaves what does not count.

use super::story::{Merged, on_main, to_production};
use super::*;
use crate::support::made_image::MadeImage;

/// A team right before its promotion to production.
async fn merged() -> (Team, Merged) {
    let mut team = Team::new().await;
    let merged = team.merge_release();
    (team, merged)
}

impl Team {
    /// What a run says that is refused and writes nothing.
    fn refused(&self, job: Job<'_>, inputs: &[(&str, &str)]) -> String {
        self.clear_logs();
        let signed = self.sigstore.entries();
        let ran = self.run(job, inputs);
        assert_eq!(ran.status, Some(1), "{inputs:?}: {}", ran.log);
        assert_eq!(self.writes(), [""; 0], "{inputs:?}");
        assert_eq!(self.sigstore.entries(), signed, "{inputs:?}");
        ran.log
    }
}

/// The policy without the gates of production.
fn without_gates(policy: &str) -> String {
    let gates = "    gates:\n      scan: {fail-on: high";
    let (before, after) = policy.split_once(gates).unwrap();
    let (_, after) = after.split_once("    immutable:").unwrap();
    let text = format!("{before}    immutable:{after}");
    let text = text.replace("production: true", "production: false");
    text.replace(
        "api: {gates: {prod: {scan: {ignore: []}}}}",
        "api: {target: runtime}",
    )
}

/// A run of the workflow that promotes to production, started by hand.
fn by_hand(head: &str) -> Job<'_> {
    Job {
        event: "workflow_dispatch/main.json",
        ..on_main(head)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_a_destination_that_is_named_directly_has_its_gates() {
    let (team, merged) = merged().await;
    let [dev, stage, prod] = team.registries.each_ref().map(Registry::host);
    let digest = merged.images[0].digest();
    let images = format!("{prod}/team/web");
    let direct = [("command", "promote"), ("images", images.as_str())];
    for (source, part) in [
        (
            format!("{dev}/team/web@{digest}"),
            "prod takes its images from stage or hotfix",
        ),
        (format!("{stage}/team/web@{digest}"), "scan (unknown)"),
        (digest.clone(), "scan (unknown)"),
    ] {
        let log = team.refused(
            by_hand(&merged.merge),
            &[&direct[..], &[("source", &source)]].concat(),
        );
        assert!(log.contains(part), "{source}: {log}");
    }
    // The same of what a job pushes.
    MadeImage::new(1, &[]).write_archive(&team.place.path("evil.tar"));
    let push = [
        ("command", "push"),
        ("source", "oci-archive:evil.tar"),
        ("images", &images),
    ];
    let log = team.refused(by_hand(&merged.merge), &push);
    assert!(log.contains("a push to the environment prod"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_gates_are_those_of_the_workflows_commit() {
    let (mut team, merged) = merged().await;
    let policy = policy_text(&team.registries, PAST_FREEZE);
    let loose = without_gates(&policy);
    std::fs::create_dir_all(team.place.path(".github")).unwrap();
    std::fs::write(team.place.path(POLICY_FILE), &loose).unwrap();
    let promote = [("command", "promote"), ("environment", "prod")];
    let log = team.refused(on_main(&merged.merge), &promote);
    assert!(log.contains("scan (unknown)"), "{log}");
    let changes = [("loose.yml", loose.as_str())];
    let head = team.branches.commit("main", &merged.merge, &changes);
    team.clear_logs();
    let inputs = [&promote[..], &[("policy", "loose.yml")]].concat();
    let named = team.run(by_hand(&head), &inputs);
    assert_eq!(named.status, Some(2), "{}", named.log);
    assert!(named.log.contains("differs in loose.yml"), "{}", named.log);
    assert_eq!(team.writes(), [""; 0]);
}

/// Writes reports about the platforms of an image, of which some are not what they should be.
fn write_reports(team: &Team, image: &BuiltIndex) {
    let [amd64, arm64] = image.platforms() else {
        panic!("two platforms");
    };
    let report = |platform| trivy_report(platform, &[], Hours::default().ago());
    let changed = |member: &str, value: Value| {
        let mut report = report(arm64);
        *report.pointer_mut(member).unwrap() = value;
        report
    };
    let names = report(amd64)["Metadata"]["RepoDigests"].clone();
    for (name, report) in [
        ("amd64", report(amd64)),
        ("other-name", changed("/Metadata/RepoDigests", names)),
        ("folder", changed("/ArtifactType", json!("filesystem"))),
        (
            "old",
            changed("/CreatedAt", json!(Hours(25).ago().to_string())),
        ),
        (
            "early",
            changed("/CreatedAt", json!(Hours(-2).ago().to_string())),
        ),
    ] {
        let path = team.place.path(&format!("{name}.json"));
        std::fs::write(path, report.to_string()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_report_of_another_image_platform_or_kind_passes_nothing() {
    let (team, merged) = merged().await;
    let [web, api] = &merged.images;
    let of_api = team.scan("api", api, &[]);
    write_reports(&team, web);
    for (second, part) in [
        ("", "linux/arm64"),
        ("other-name.json", "contradict each other"),
        ("folder.json", "filesystem"),
        ("old.json", "scan (failed)"),
        ("early.json", "scan (failed)"),
    ] {
        let reports = format!("amd64.json\n{second}\n{of_api}");
        team.clear_logs();
        let ran = team.run(on_main(&merged.merge), &to_production(&reports));
        let is_refused = [Some(1), Some(2)].contains(&ran.status);
        assert!(is_refused, "{second}: {}", ran.log);
        assert!(ran.log.contains(part), "{second}: {}", ran.log);
        assert_eq!(team.writes(), [""; 0], "{second}");
    }
}

/// Commits a policy to the branch `evil` that lets its runs release to production. Returns the commit.
fn edit_policy(team: &mut Team, after: &str) -> String {
    let loose = without_gates(&policy_text(&team.registries, PAST_FREEZE));
    let loose = loose.replace("    refs: [main]\n", "");
    let loose = loose.replace(
        "promote-prod.yml@refs/heads/main",
        "promote-prod.yml@refs/heads/*",
    );
    team.branches
        .commit("evil", after, &[(POLICY_FILE, &loose)])
}

/// The author of a branch edits the workflow and the policy there: the run may write to the registry, and what it
/// signs is of the branch.
#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_workflow_that_was_edited_on_another_branch_records_nothing_that_counts() {
    let (mut team, merged) = merged().await;
    let edited = team.branches.commit("evil", &merged.merge, &[("x", "1")]);
    let on_evil = |head| Job {
        branch: "evil",
        ..by_hand(head)
    };
    let log = team.refused(on_evil(&edited), &to_production(&merged.reports));
    assert!(log.contains("by a run on refs/heads/evil"), "{log}");
    let edited = edit_policy(&mut team, &merged.merge);
    let tag = format!("sha-{}", &merged.built[..7]);
    let web = [("environment", "prod"), ("services", "web")];
    let promote = [("command", "promote"), ("source", tag.as_str())];
    team.done(on_evil(&edited), &[web, promote].concat());
    assert_eq!(team.timeline("prod", "web").len(), 1);

    // For the policy of main nothing is released.
    let history = [&web[..], &[("command", "history")]].concat();
    let history = team.run(by_hand(&merged.merge), &history);
    let told = format!("{}{}", history.log, history.out);
    assert!(told.contains("does not count"), "{told}");
    let rollback = [&web[..], &[("command", "rollback"), ("reason", "x")]].concat();
    let job = Job {
        workflow: "rollback.yml",
        ..by_hand(&merged.merge)
    };
    let log = team.refused(job, &rollback);
    assert!(
        log.contains("of which the timeline of prod says nothing"),
        "{log}"
    );
    // The gates hold for the image whose tags are there already, too.
    let promote = [("command", "promote"), ("environment", "prod")];
    let log = team.refused(on_main(&merged.merge), &promote);
    assert!(log.contains("scan (unknown)"), "{log}");
    team.done(on_main(&merged.merge), &to_production(&merged.reports));
    let found = team.timeline("prod", "web");
    assert_eq!(found.len(), 2, "{found:?}");
}

/// Somebody who may write to the repository of a service copies image, signatures and records of another one there.
#[tokio::test(flavor = "multi_thread")]
async fn promise_6_records_of_another_repository_or_environment_are_not_replayed() {
    let (team, merged) = merged().await;
    let digest = merged.images[0].digest();
    let stage = &team.registries[1];
    stage.copy_content("team/web", "team/api");
    let reports = team.scan("web", &merged.images[0], &[]);
    let refused = |service: &str, source: &str| {
        let of_service = [("services", service), ("source", source)];
        let inputs = [&to_production(&reports)[..], &of_service].concat();
        team.refused(by_hand(&merged.merge), &inputs)
    };
    let log = refused("api", &digest);
    assert!(log.contains("to stage counts"), "{log}");
    // The same into the repository of another environment.
    stage.copy_content("team/web", "hotfix/web");
    let log = refused("web", &format!("{}/hotfix/web@{digest}", stage.host()));
    assert!(log.contains("has no release record in hotfix"), "{log}");
}

/// A registry that says it is yesterday: the record claims to be older than its signature.
#[tokio::test(flavor = "multi_thread")]
async fn promise_6_a_backdated_record_soaks_from_its_signature_on() {
    let yesterday = jiff::fmt::rfc2822::DateTimePrinter::new();
    let yesterday = yesterday
        .timestamp_to_rfc9110_string(&Hours(20).ago())
        .unwrap();
    let mut team = Team::with(Profile::plain().date(&yesterday), Hours(21)).await;
    let merged = team.merge_release();
    let short = format!("sha-{}", &merged.built[..7]);
    let policy = policy_text(&team.registries, PAST_FREEZE).replace("soak: 1s", "soak: 12h");
    let head = team
        .branches
        .commit("main", &merged.merge, &[(POLICY_FILE, &policy)]);
    let inputs = [&to_production(&merged.reports)[..], &[("source", &short)]].concat();
    let log = team.refused(by_hand(&head), &inputs);
    assert!(log.contains("soak (failed)"), "{log}");
    let (registry, _) = team.registry("stage");
    let entry = entries(registry, "team/web").pop().unwrap();
    let planned = any_record(registry, "team/web", &entry)
        .predicate
        .planned_at;
    let claimed: jiff::Timestamp = planned.to_string().parse().unwrap();
    assert!(claimed < Hours(19).ago(), "{planned}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_the_record_of_a_signer_past_its_end_does_not_count() {
    let (mut team, merged) = merged().await;
    let policy = policy_text(&team.registries, PAST_FREEZE);
    let signer = "promote-stage.yml@refs/heads/release/*'";
    let ended = policy.replace(signer, &format!("{signer}, until: 2020-01-31"));
    assert_ne!(ended, policy);
    let head = team
        .branches
        .commit("main", &merged.merge, &[(POLICY_FILE, &ended)]);
    let short = format!("sha-{}", &merged.built[..7]);
    let inputs = [&to_production(&merged.reports)[..], &[("source", &short)]].concat();
    let log = team.refused(by_hand(&head), &inputs);
    assert!(log.contains("its signer counts until 2020-02-01"), "{log}");
    // With the policy before, the same run passes.
    team.done(by_hand(&merged.merge), &inputs);
}

/// The record lists what was approved: a digest, whatever is newer in stage.
#[tokio::test(flavor = "multi_thread")]
async fn promise_5_an_approval_is_of_one_digest_and_of_its_own_reports() {
    let (team, merged) = merged().await;
    let [web, api] = merged.images.each_ref().map(BuiltIndex::digest);
    let sources = format!("web={web}\napi={api}");
    // The registry's stage tag is moved to something newer.
    let newer = MadeImage::run_as(7, "1000", &merged.built);
    newer.put(&team.registries[1], "team/web", &["stage", "latest"]);
    let inputs = [
        &to_production(&merged.reports)[..],
        &[("sources", &sources)],
    ]
    .concat();
    team.done(by_hand(&merged.merge), &inputs);
    assert_eq!(team.registries[2].tags("team/web")["prod"], web);
}

/// A provenance of the workflow, where the policy names its signers: those of `from` have signed none.
#[tokio::test(flavor = "multi_thread")]
async fn promise_6_an_attestation_counts_by_the_signers_of_its_rule_alone() {
    let (mut team, merged) = merged().await;
    let policy = policy_text(&team.registries, PAST_FREEZE);
    let signer = "{identity: 'https://github.com/acme/web/.github/workflows/build.yml@refs/heads/develop'}, ";
    let other = policy.replace(signer, "");
    assert_eq!(policy.matches(signer).count(), 2);
    let head = team
        .branches
        .commit("main", &merged.merge, &[(POLICY_FILE, &other)]);
    let short = format!("sha-{}", &merged.built[..7]);
    let inputs = [&to_production(&merged.reports)[..], &[("source", &short)]].concat();
    let log = team.refused(by_hand(&head), &inputs);
    for part in ["attestations (failed)", "signature (failed)"] {
        assert!(log.contains(part), "{part}: {log}");
    }
}
