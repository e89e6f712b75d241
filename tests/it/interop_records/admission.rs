//! Admission by cosign of what workflows released, with the identities that a real Fulcio gives them.

use serde_json::json;

use super::summaries::{SUMMARY_TYPE, admission_policy};
use super::*;
use crate::support::example;
use crate::support::made_image::MadeImage;

const FLOWS: &str = "https://github.com/acme/web/.github/workflows";
/// Workflows that may promote to production, and roll it back.
const RELEASING: &str =
    r"^https://github.com/acme/web/.github/workflows/(promote-prod|rollback)\.yml@refs/heads/main$";

/// A team's folder, whose jobs sign keyless.
struct Jobs {
    desk: Desk,
    issuer: String,
}

impl Jobs {
    fn new(policy: &str) -> Self {
        let desk = Desk::new(policy, &[]);
        for (name, file) in [
            ("SIGSTACK_TRUSTED_ROOT", "root.json"),
            ("SIGSTACK_SIGNING_CONFIG", "config.json"),
        ] {
            std::fs::copy(variable(name), desk.0.path(file)).unwrap();
        }
        Self {
            desk,
            issuer: variable("SIGSTACK_OIDC_ISSUER"),
        }
    }

    /// Runs our program in a job of a workflow on main.
    fn ship(&self, workflow: &str, arguments: &[&str]) {
        let job = format!("acme/web/.github/workflows/{workflow}@refs/heads/main");
        let claims = json!({"claims": {
            "repository": "acme/web", "ref": "refs/heads/main", "job_workflow_ref": job,
        }});
        let (url, claims) = (format!("{}/jobs", self.issuer), claims.to_string());
        let job = self.desk.must("curl", &["-sf", "-d", &claims, &url]);
        let job: Value = serde_json::from_str(&job).unwrap();
        let mut command = self.desk.shipmark();
        command
            .args(arguments)
            .args(["--signing-config=config.json", "--trusted-root=root.json"])
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", job["url"].as_str().unwrap())
            .env(
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                job["token"].as_str().unwrap(),
            );
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.status, Some(0), "{arguments:?}: {}", ran.log);
    }

    /// Pushes an image of this number to stage, and promotes it.
    fn release(&self, number: u32, tag: &str, stage: &str) {
        let image = MadeImage::new(number, &[]);
        image.write_archive(&self.desk.0.path("image.tar"));
        let tags = format!("--tags={tag}");
        let push = [
            "push",
            "--source=oci-archive:image.tar",
            "--environment=stage",
            &tags,
        ];
        self.ship("build.yml", &push);
        let from = format!("--source={stage}:{tag}");
        let promote = ["promote", &from, "--environment=prod", &tags];
        self.ship("promote-prod.yml", &promote);
    }

    fn is_admitted(&self, image: &str) -> bool {
        self.is_admitted_by(RELEASING, image)
    }

    /// Whether a summary by a workflow that the expression matches admits the image.
    fn is_admitted_by(&self, workflow: &str, image: &str) -> bool {
        let (identity, issuer) = (
            format!("--certificate-identity-regexp={workflow}"),
            format!("--certificate-oidc-issuer={}", self.issuer),
        );
        let arguments = [
            "verify-attestation",
            "--policy=released.cue",
            "--type",
            SUMMARY_TYPE,
            &identity,
            &issuer,
            "--trusted-root=root.json",
            image,
        ];
        self.desk.succeeds("cosign", &arguments)
    }

    fn copy(&self, from: &str, to: &str, more: &[&str]) {
        let plain = ["cp", "--from-plain-http", "--to-plain-http"];
        self.desk
            .must("oras", &[&plain[..], more, &[from, to]].concat());
    }
}

fn policy(stage: &str, prod: &str, issuer: &str, promoter: &str) -> String {
    let signer = |workflow: &str| {
        format!("{{identity: '{FLOWS}/{workflow}@refs/heads/main', issuer: '{issuer}'}}")
    };
    let (build, promote, back) = (
        signer("build.yml"),
        signer(promoter),
        signer("rollback.yml"),
    );
    format!(
        "trusted-root: root.json\ndefaults: {{sign: keyless, vsa: true}}\nenvironments:\n  \
         stage: {{repository: '{stage}', signers: [{build}]}}\n  \
         prod: {{repository: '{prod}', from: stage, signers: [{promote}, {back}]}}\n"
    )
}

#[test]
#[ignore = "needs a Sigstore, cosign, oras and two registries: scripts/interop.sh"]
fn promise_6_cosign_admits_what_the_releasing_workflows_released_alone() {
    for base in bases("admission") {
        let [stage, prod] = ["stage", "prod"].map(|name| format!("{base}{name}"));
        let issuer = variable("SIGSTACK_OIDC_ISSUER");
        let jobs = Jobs::new(&policy(&stage, &prod, &issuer, "promote-prod.yml"));
        jobs.desk.write("released.cue", &admission_policy(&prod));
        jobs.release(1, "first", &stage);
        jobs.release(2, "second", &stage);
        let [first, second] = ["first", "second"].map(|tag| format!("{prod}:{tag}"));
        assert!(jobs.is_admitted(&first), "{first}");
        assert!(jobs.is_admitted(&second), "{second}");
        jobs.ship(
            "rollback.yml",
            &["rollback", "--environment=prod", "--reason=broken"],
        );
        assert!(!jobs.is_admitted(&second), "{second}");
        assert!(jobs.is_admitted(&first), "{first}");
        // The same digest with the summary of stage, there and copied next to it.
        assert!(!jobs.is_admitted(&format!("{stage}:first")), "{stage}");
        let copied = format!("{base}copied:first");
        jobs.copy(&format!("{stage}:first"), &copied, &["-r"]);
        assert!(!jobs.is_admitted(&copied), "{copied}");
        // An image that nobody released, and one that the workflow of the build did.
        let source = format!("--source={}", example());
        let build = ["push", &source, "--environment=stage", "--tags=direct"];
        jobs.ship("build.yml", &build);
        let direct = format!("{prod}:direct");
        jobs.copy(&format!("{stage}:direct"), &direct, &[]);
        assert!(!jobs.is_admitted(&direct), "{direct}");
        let edited = Jobs::new(&policy(&stage, &prod, &issuer, "build.yml"));
        let from = format!("--source={stage}:direct");
        let promote = ["promote", &from, "--environment=prod", "--tags=direct"];
        edited.ship("build.yml", &promote);
        assert!(jobs.is_admitted_by(r"/build\.yml@", &direct), "{direct}");
        assert!(!jobs.is_admitted(&direct), "{direct}");
    }
}
