//! From a feature branch to production, a hotfix during a freeze, and the rollback of it.

use super::*;

/// Commits of a story up to the merge of a release into main.
pub(super) struct Merged {
    /// Commit that was built.
    pub(super) built: String,
    /// Merge commit of main, of which nothing was built.
    pub(super) merge: String,
    pub(super) images: Images,
    pub(super) reports: String,
}

impl Team {
    /// Builds a feature, and develop after its merge. Returns develop's head and images.
    fn build_develop(&mut self) -> (String, Images) {
        let first = self.first.clone();
        let feature = self
            .branches
            .commit("feature/login", &first, &[("login.rs", "1")]);
        let of_feature = Job {
            workflow: "build.yml",
            event: "push/run_push_dev.json",
            branch: "feature/login",
            head: &feature,
            attempt: 1,
        };
        let early = self.build("dev", of_feature, &[]);
        let built = self.branches.merge("develop", &first, &feature);
        let of_develop = Job {
            branch: "develop",
            head: &built,
            ..of_feature
        };
        let images = self.build("dev", of_develop, &[]);
        for (service, early, image) in zip(&early, &images) {
            let tag = format!("sha-{}", &feature[..7]);
            assert_eq!(self.names("dev", service, early), tag);
            let tags = format!("latest sha-{}", &built[..7]);
            assert_eq!(self.names("dev", service, image), tags);
        }
        (built, images)
    }

    /// Promotes develop's image to stage by a release branch.
    fn release_candidate(&mut self) -> (String, Images) {
        let (built, images) = self.build_develop();
        let branch = format!("release/v1.2.0-sha-{}", &built[..7]);
        let candidate = Job {
            workflow: "promote-stage.yml",
            event: "push/branch_created.json",
            branch: &branch,
            head: &built,
            attempt: 1,
        };
        let reports = self.scans(&images, &[("CVE-2026-2000", "HIGH")]);
        let inputs = [
            ("command", "promote"),
            ("environment", "stage"),
            ("scan-report", &reports),
        ];
        self.done(candidate, &inputs);
        (built, images)
    }

    /// Reports of the findings in `web`, and of none in `api`.
    pub(super) fn scans(&self, images: &Images, findings: &[(&str, &str)]) -> String {
        let [web, api] = images;
        [self.scan("web", web, findings), self.scan("api", api, &[])].join("\n")
    }

    /// Merges the release into main, whose policy has a VEX document about the image that was built.
    pub(super) fn merge_release(&mut self) -> Merged {
        let (built, images) = self.release_candidate();
        let vex = vex_document(&images[0], "CVE-2026-2000").to_string();
        let first = self.first.clone();
        let triaged = self.branches.commit("main", &first, &[(VEX_FILE, &vex)]);
        let merge = self.branches.merge("main", &triaged, &built);
        let found = [("CVE-2026-2000", "HIGH"), ("CVE-2026-1234", "CRITICAL")];
        let reports = self.scans(&images, &found);
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        Merged {
            built,
            merge,
            images,
            reports,
        }
    }
}

pub(super) fn zip<'a>(
    a: &'a Images,
    b: &'a Images,
) -> impl Iterator<Item = (&'static str, &'a BuiltIndex, &'a BuiltIndex)> {
    let pairs = SERVICES.into_iter().zip(a).zip(b);
    pairs.map(|((service, a), b)| (service, a, b))
}

/// A push to main that merged something, which promotes to production.
pub(super) fn on_main(head: &str) -> Job<'_> {
    Job {
        workflow: "promote-prod.yml",
        event: "push/run_push_master.json",
        branch: "main",
        head,
        attempt: 1,
    }
}

/// Inputs of a promotion to production.
pub(super) fn to_production(reports: &str) -> [(&str, &str); 3] {
    [
        ("command", "promote"),
        ("environment", "prod"),
        ("scan-report", reports),
    ]
}

fn vex_document(image: &BuiltIndex, id: &str) -> Value {
    let product = format!("pkg:oci/web@{}", image.digest().replace(':', "%3A"));
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex/1",
        "author": "security", "timestamp": "2026-01-01T00:00:00Z", "version": 1,
        "statements": [{
            "vulnerability": {"name": id}, "products": [{"@id": product}],
            "status": "not_affected", "justification": "vulnerable_code_not_in_execute_path",
        }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_git_flow_leads_one_digest_through_every_gate_to_production() {
    let mut team = Team::new().await;
    let released = team.merge_release();
    assert_ne!(released.merge, released.built);
    // Without reports nothing is released, and a refusal has the reasons of both services.
    team.clear_logs();
    let inputs = [("command", "promote"), ("environment", "prod")];
    let ran = team.run(on_main(&released.merge), &inputs);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let unknown = ran.log.matches("scan (unknown)").count();
    assert!(unknown >= 2, "{}", ran.log);
    assert_eq!(team.writes(), [""; 0]);

    team.done(on_main(&released.merge), &to_production(&released.reports));
    let short = &released.built[..7];
    for (service, image, _) in zip(&released.images, &released.images) {
        let stage = format!("1 1.2 1.2.0 latest sha-{short} stage");
        assert_eq!(team.names("stage", service, image), stage);
        let prod = format!("1 1.2 1.2.0 latest prod sha-{short}");
        assert_eq!(team.names("prod", service, image), prod);
        let promotion = ("promote".to_owned(), image.digest());
        assert_eq!(team.timeline("prod", service), [promotion]);
        assert_eq!(team.results(service), ["PASSED"]);
    }

    let fixed = hotfix(&mut team, &released);
    roll_back(&team, &released, &fixed);
}

/// A fix from its own environment, released during a freeze. Returns its images.
fn hotfix(team: &mut Team, released: &Merged) -> Images {
    let head = team
        .branches
        .commit("hotfix/login", &released.merge, &[("login.rs", "2")]);
    let job = Job {
        workflow: "hotfix.yml",
        event: "push/branch_created.json",
        branch: "hotfix/login",
        head: &head,
        attempt: 1,
    };
    let fixed = team.build("hotfix", job, &[("version", "1.2.1")]);
    let policy = policy_text(&team.registries, FREEZE);
    let frozen = team
        .branches
        .commit("main", &released.merge, &[(POLICY_FILE, &policy)]);
    let merge = team.branches.merge("main", &frozen, &head);
    let reports = team.scans(&fixed, &[]);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    team.clear_logs();
    let refused = team.run(on_main(&merge), &to_production(&reports));
    assert_eq!(refused.status, Some(1), "{}", refused.log);
    assert!(refused.log.contains("freeze (failed)"), "{}", refused.log);
    assert_eq!(team.writes(), [""; 0]);
    let reason = [("override-freeze", "logins fail since 14:00")];
    team.done(
        on_main(&merge),
        &[&to_production(&reports)[..], &reason].concat(),
    );
    for (service, image, before) in zip(&fixed, &released.images) {
        let tags = format!("1 1.2 1.2.1 git-{} latest prod", &head[..7]);
        assert_eq!(team.names("prod", service, image), tags);
        let tags = format!("1.2.0 sha-{}", &released.built[..7]);
        assert_eq!(team.names("prod", service, before), tags);
        assert_eq!(team.results(service), ["PASSED", "PASSED"]);
    }
    fixed
}

/// The hotfix is withdrawn, and the release before it is current again.
fn roll_back(team: &Team, released: &Merged, fixed: &Images) {
    let job = Job {
        workflow: "rollback.yml",
        event: "workflow_dispatch/main.json",
        ..on_main(&released.merge)
    };
    let inputs = [
        ("command", "rollback"),
        ("environment", "prod"),
        ("services", "web\napi"),
        ("reason", "logins fail still"),
    ];
    team.done(job, &inputs);
    for (service, image, before) in zip(fixed, &released.images) {
        let actions = team.timeline("prod", service);
        let withdrawn = ("rollback".to_owned(), image.digest());
        assert_eq!(actions.last(), Some(&withdrawn), "{actions:?}");
        assert_eq!(actions.len(), 3, "{actions:?}");
        let tags = format!("1 1.2 1.2.0 latest prod sha-{}", &released.built[..7]);
        assert_eq!(team.names("prod", service, before), tags);
        assert_eq!(team.results(service), ["FAILED", "PASSED", "PASSED"]);
    }
}
