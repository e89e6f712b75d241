//! Git Flow through gates: three registries, two services, a real git repository with recorded events, workflows
//! that sign keyless, and a production environment with every gate.

mod attacks;
mod crash;
mod services;
mod story;

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::gates::summaries::summaries;
use crate::registry::{Profile, Registry};
use crate::sigstore::{self, Sigstore};
use crate::support::branches::Branches;
use crate::support::built_index::{BuiltIndex, BuiltPlatform};
use crate::support::process::{Place, Ran};
use crate::support::records::{any_record, entries};

const SERVICES: [&str; 2] = ["web", "api"];
/// Owner and name of the workflows' repository.
const REPOSITORY: &str = "acme/web";
const POLICY_FILE: &str = ".github/shipmark.yml";
const VEX_FILE: &str = "security/web.openvex.json";

/// Policy with every gate in production. DEV, STAGE and PROD stand for registries, FREEZE for windows, and FLOWS for the
/// folder of the workflows.
const POLICY: &str = "\
trusted-root: root.json
defaults: {sign: keyless}
environments:
  dev:
    repository: DEV/team/{service}
    refs: [develop, 'feature/**']
    signers: [{identity: 'FLOWS/build.yml@refs/heads/*'}]
    tags: |
      type=sha,prefix=sha-
      type=raw,value=latest
  stage:
    repository: STAGE/team/{service}
    from: dev
    refs: ['release/**']
    signers: [{identity: 'FLOWS/promote-stage.yml@refs/heads/release/*'}]
    gates: {scan: {fail-on: critical, ignore-unfixed: true, max-age: 24h}}
  hotfix:
    repository: STAGE/hotfix/{service}
    refs: ['hotfix/**']
    signers: [{identity: 'FLOWS/hotfix.yml@refs/heads/hotfix/*'}]
    gates: {scan: {fail-on: critical, max-age: 24h}}
  prod:
    production: true
    repository: PROD/team/{service}
    from: [stage, hotfix]
    refs: [main]
    signers:
      - {identity: 'FLOWS/promote-prod.yml@refs/heads/main', actions: [promote, reinstate]}
      - {identity: 'FLOWS/rollback.yml@refs/heads/main', actions: [rollback]}
    gates:
      scan: {fail-on: high, max-age: 24h, vex: [security/web.openvex.json], ignore: [{id: CVE-2026-1234, package: 'pkg:deb/*', reason: not reachable, until: 2099-01-31}]}
      attestations:
        - rule: https://slsa.dev/provenance/v1,/buildDefinition/externalParameters/workflow/repository=https://github.com/acme/web
          signers: [{identity: 'FLOWS/build.yml@refs/heads/develop'}, {identity: 'FLOWS/hotfix.yml@refs/heads/hotfix/*'}]
        - {rule: 'https://cyclonedx.org/bom', signed: false}
      signature: {signers: [{identity: 'FLOWS/build.yml@refs/heads/develop'}, {identity: 'FLOWS/hotfix.yml@refs/heads/hotfix/*'}]}
      soak: 1s
      freeze: [FREEZE]
      image: {platforms: [linux/amd64, linux/arm64], user: non-root, max-size: 500MiB, max-age: 90d, labels: [org.opencontainers.image.revision]}
    immutable: ['[0-9]*.[0-9]*.[0-9]*', 'sha-*']
    vsa: true
services:
  web: {dockerfile: docker/web.Dockerfile, target: runtime}
  api: {gates: {prod: {scan: {ignore: []}}}}
";
const PAST_FREEZE: &str = "{from: 2020-12-23T00:00, to: 2021-01-02T00:00, zone: Europe/Berlin}";
const FREEZE: &str =
    "{from: 2020-12-23T00:00, to: 2100-01-02T00:00, zone: Europe/Berlin, override: true}";

/// A run of a workflow.
#[derive(Clone, Copy)]
struct Job<'a> {
    /// File name of the workflow.
    workflow: &'a str,
    /// Recorded event: folder and file.
    event: &'a str,
    branch: &'a str,
    /// Head of the branch.
    head: &'a str,
    attempt: u32,
}

/// The team's repository, registries and signing services.
struct Team {
    registries: [Registry; 3],
    sigstore: Sigstore,
    place: Place,
    branches: Branches,
    first: String,
    runs: AtomicU64,
    scan_age: Hours,
}

/// Hours before now.
#[derive(Clone, Copy, Default)]
struct Hours(i64);

impl Hours {
    fn ago(self) -> jiff::Timestamp {
        jiff::Timestamp::now() - jiff::SignedDuration::from_hours(self.0)
    }
}

/// Image of each service, in the order of the policy.
type Images = [BuiltIndex; 2];

impl Team {
    async fn new() -> Self {
        Self::with(Profile::plain(), Hours::default()).await
    }

    /// A team whose registry of stage has this profile, and whose scans are that old.
    async fn with(stage: Profile, scan_age: Hours) -> Self {
        let registries = [
            Registry::start(Profile::plain()).await,
            Registry::start(stage).await,
            Registry::start(Profile::plain()).await,
        ];
        let (place, sigstore) = (Place::new(), Sigstore::start().await);
        let (policy, root) = (
            policy_text(&registries, PAST_FREEZE),
            sigstore.trusted_root(),
        );
        let files = [(POLICY_FILE, policy.as_str()), ("root.json", &root)];
        let (branches, first) = Branches::begin(place.root(), &files);
        std::fs::write(place.path("root.json"), &root).unwrap();
        Self {
            registries,
            sigstore,
            place,
            branches,
            first,
            runs: AtomicU64::new(1),
            scan_age,
        }
    }

    fn registry(&self, environment: &str) -> (&Registry, &'static str) {
        let [dev, stage, prod] = &self.registries;
        match environment {
            "dev" => (dev, "team"),
            "stage" => (stage, "team"),
            "hotfix" => (stage, "hotfix"),
            _ => (prod, "team"),
        }
    }

    /// A step of a workflow, signed by it.
    fn step(&self, job: Job<'_>, inputs: &[(&str, &str)]) -> std::process::Command {
        let git_ref = format!("refs/heads/{}", job.branch);
        let workflow = format!("{REPOSITORY}/.github/workflows/{}@{git_ref}", job.workflow);
        self.sigstore.claim(json!({
            "iss": "https://token.actions.githubusercontent.com", "repository": REPOSITORY,
            "ref": git_ref, "sha": job.head, "job_workflow_ref": workflow, "workflow_ref": workflow,
        }));
        let (fulcio, rekor) = (self.sigstore.url("/fulcio"), self.sigstore.url("/rekor"));
        let signing = [
            ("fulcio-url", fulcio.as_str()),
            ("rekor-url", rekor.as_str()),
            ("trusted-root", "root.json"),
        ];
        let (name, _) = job.event.split_once('/').unwrap();
        let payload = recorded_event(job, &git_ref);
        std::fs::write(self.place.path("event.json"), payload).unwrap();
        let signing = match inputs.contains(&("command", "history")) {
            true => &[][..],
            false => &signing,
        };
        let mut step = self.place.step(&git_ref, &[inputs, signing].concat());
        step.env("GITHUB_EVENT_NAME", name)
            .env("GITHUB_EVENT_PATH", self.place.path("event.json"))
            .env("GITHUB_SHA", job.head)
            .env("GITHUB_WORKFLOW_SHA", job.head)
            .env("GITHUB_WORKSPACE", self.place.root())
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env(
                "GITHUB_RUN_ID",
                self.runs.load(Ordering::Relaxed).to_string(),
            )
            .env("GITHUB_RUN_ATTEMPT", job.attempt.to_string())
            .env(
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                self.sigstore.tokens().url.as_str(),
            )
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", sigstore::REQUEST_TOKEN);
        step
    }

    fn begin_run(&self) {
        self.runs.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs a step of a new run.
    fn run(&self, job: Job<'_>, inputs: &[(&str, &str)]) -> Ran {
        self.begin_run();
        Ran::of(self.step(job, inputs).output().unwrap())
    }

    fn done(&self, job: Job<'_>, inputs: &[(&str, &str)]) -> String {
        let ran = self.run(job, inputs);
        assert_eq!(ran.status, Some(0), "{inputs:?}: {}", ran.log);
        ran.log
    }

    /// Builds the image of each service, and pushes it to an environment with its provenance.
    fn build(&self, environment: &str, job: Job<'_>, more: &[(&str, &str)]) -> Images {
        let provenance = json!({
            "buildDefinition": {
                "buildType": "https://example.com/build/v1",
                "externalParameters": {"workflow": {"repository": "https://github.com/acme/web"}},
            },
            "runDetails": {"builder": {"id": "https://example.com/builder"}},
        });
        std::fs::write(self.place.path("provenance.json"), provenance.to_string()).unwrap();
        SERVICES.map(|service| {
            let image = BuiltIndex::new(&format!("{service} of {}", job.head), job.head);
            image.write_archive(&self.place.path("image.tar"));
            let reports = self.scan(service, &image, &[]);
            let mut inputs = vec![
                ("command", "push"),
                ("environment", environment),
                ("services", service),
                ("source", "oci-archive:image.tar"),
                ("provenance", "provenance.json"),
            ];
            if environment == "hotfix" {
                inputs.push(("scan-report", &reports));
            }
            self.done(job, &[&inputs, more].concat());
            image
        })
    }

    /// Writes reports of Trivy about both platforms of an image. Returns their paths.
    fn scan(&self, service: &str, image: &BuiltIndex, findings: &[(&str, &str)]) -> String {
        let reports = image.platforms().iter().map(|platform| {
            let name = format!("{service}-{}.json", platform.architecture);
            let report = trivy_report(platform, findings, self.scan_age.ago());
            std::fs::write(self.place.path(&name), report.to_string()).unwrap();
            name
        });
        reports.collect::<Vec<_>>().join("\n")
    }

    /// Tags of a service in an environment that name the digest.
    fn names(&self, environment: &str, service: &str, image: &BuiltIndex) -> String {
        let (registry, group) = self.registry(environment);
        let tags = registry.tags(&format!("{group}/{service}"));
        let is_named = |(tag, named): &(String, String)| {
            *named == image.digest() && !tag.starts_with("sha256-")
        };
        let named = tags.into_iter().filter(is_named).map(|(tag, _)| tag);
        named.collect::<Vec<_>>().join(" ")
    }

    /// Actions that the timeline of a service records, oldest first, each with the root.
    fn timeline(&self, environment: &str, service: &str) -> Vec<(String, String)> {
        let (registry, group) = self.registry(environment);
        let repository = format!("{group}/{service}");
        let names = entries(registry, &repository).into_iter();
        let records = names.map(|name| any_record(registry, &repository, &name));
        let read = records.map(|it| (it.predicate.action.to_string(), it.root.to_string()));
        read.collect()
    }

    /// Results of the verification summaries of a service in production.
    fn results(&self, service: &str) -> Vec<String> {
        let found = summaries(&self.registries[2], &format!("team/{service}"));
        let results = found.into_iter().map(|(result, environment)| {
            assert_eq!(environment, "prod");
            result
        });
        results.collect()
    }

    /// Requests that wrote, of all registries.
    fn writes(&self) -> Vec<String> {
        let is_write = |line: &String| !line.starts_with("GET ") && !line.starts_with("HEAD ");
        let all = self.registries.iter().flat_map(Registry::requests);
        all.filter(is_write).collect()
    }

    fn clear_logs(&self) {
        self.registries.iter().for_each(Registry::clear_log);
    }
}

fn policy_text(registries: &[Registry; 3], freeze: &str) -> String {
    let [dev, stage, prod] = registries.each_ref().map(Registry::host);
    let flows = format!("https://github.com/{REPOSITORY}/.github/workflows");
    let text = POLICY.replace("DEV/", &format!("{dev}/"));
    let text = text.replace("STAGE/", &format!("{stage}/"));
    let text = text.replace("PROD/", &format!("{prod}/"));
    text.replace("FREEZE", freeze).replace("FLOWS", &flows)
}

/// Returns the payload of a recorded event, with repository, ref and commit of the job.
fn recorded_event(job: Job<'_>, git_ref: &str) -> String {
    let path = format!("tests/data/events/{}", job.event);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(path).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let mut text = text;
    for (part, own) in [
        ("/after", job.head),
        ("/ref", git_ref),
        ("/repository/full_name", REPOSITORY),
    ] {
        if let Some(known) = recorded.pointer(part).and_then(Value::as_str) {
            text = text.replace(&format!("\"{known}\""), &format!("\"{own}\""));
        }
    }
    text
}

/// A report of Trivy about one platform, with findings: id and severity.
fn trivy_report(
    platform: &BuiltPlatform,
    findings: &[(&str, &str)],
    created: jiff::Timestamp,
) -> Value {
    let found = findings.iter().map(|(id, severity)| {
        json!({
            "VulnerabilityID": id, "PkgName": "openssl", "InstalledVersion": "3.0.1",
            "PkgIdentifier": {"PURL": "pkg:deb/debian/openssl@3.0.1"},
            "FixedVersion": "3.0.2", "Status": "fixed", "Severity": severity,
        })
    });
    let found: Vec<Value> = found.collect();
    json!({
        "SchemaVersion": 2, "CreatedAt": created.to_string(),
        "ArtifactName": "image", "ArtifactType": "container_image",
        "Metadata": {
            "ImageID": platform.config,
            "RepoDigests": [format!("dev.example.com/team/image@{}", platform.manifest)],
        },
        "Results": [{"Target": "image", "Class": "os-pkgs", "Type": "debian", "Vulnerabilities": found}],
    })
}
