//! Summaries of typical runs, as tests compare them and `scripts/summary-pictures.sh` draws them.

use std::sync::Arc;

use super::gate_samples::refused_by_gates;
use super::*;
use crate::actions::ProcessEnvironment;
use crate::gate::{GateReport, WildcardPattern};
use crate::image::{Digest, MediaType, Platform, Tag};
use crate::policy::ReleasePolicy;
use crate::referrers::{CopiedReferrers, ReferrerKind};
use crate::release::{
    BatchOutcome, CheckedAttestation, CheckedImage, CheckedSignature, DestinationOutcome, Failure,
    ManifestContent, MissingEvidence, PlatformContent, PreviousImage, PromotionPath,
    ReleaseOutcome, ReleaseVerb, RequiredEvidence, ServiceOutcome, SignatureFormat,
    SignatureResult, SignerCheck, SignerName, TagChange, TagResult, Verification,
};
use crate::report::bundle_report::BundleVerification;
use crate::report::policy_report::PolicyReport;
use crate::report::tags_report::TagsResult;
use crate::signing::{
    CertificateEvidence, FileSigner, Identity, ImageClaim, PublicKey, Requirement,
    SignatureEvidence, TrustRoot, VerificationError, VerifiedAttestation, VerifiedSignature,
};
use crate::tagging::{
    ExpandedTag, ImmutableTagSource, MovingTagSource, OrderedLabels, RuleExpansion, TagKind,
    TagProvenance, VersionOrigin,
};
use crate::transfer::{BlobAmount, CopyStats};

const COMMIT: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";
const COMMIT_BEFORE: &str = "2b2e9271c0ffee00d1ce5eed4a11ab07466440c3";
const REPOSITORY: &str = "https://github.com/acme/web";
const SUBJECT: &str = "https://github.com/acme/web/.github/workflows/release.yml@refs/tags/v1.4.0";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const KEY: &str = include_str!("../../../tests/data/keys/cosign.pub");

/// Returns every sample by its name.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    let release = |outcome: ReleaseOutcome, context| release_summary(&outcome, None, &context);
    let tag_run = || run("Release", "push", "v1.4.0");
    vec![
        ("push", release(pushed(), run("Build", "push", "main"))),
        ("promotion", release(promoted(true), tag_run())),
        ("promotion-unsigned", release(promoted(false), tag_run())),
        ("fleet", batch_summary(&released_batch(), &batch_run())),
        (
            "fleet-refused",
            batch_summary(&refused_batch(), &batch_run()),
        ),
        (
            "gates-refused",
            batch_summary(&refused_by_gates(), &batch_run()),
        ),
        ("refusal", refusal(&tag_run())),
        (
            "verification",
            verification_summary(&verified(), &run("Deploy", "workflow_dispatch", "main")),
        ),
        (
            "verification-refused",
            verification_summary(&unverified(), &run("Deploy", "workflow_dispatch", "main")),
        ),
        (
            "verification-environment",
            environment_summary(
                &environment_samples::refused(),
                &run("Rescan", "schedule", "main"),
            ),
        ),
        (
            "verification-bundle",
            bundle_summary(&verified_bundle(), &tag_run()),
        ),
        ("dry-run", release(planned(), tag_run())),
        ("tags", tags_summary(&tags(), &tag_run())),
        (
            "policy",
            policy_summary(&policy(), &run("Policy", "pull_request", "main")),
        ),
        (
            "history",
            history_summary(
                &record_samples::history(),
                &run("History", "workflow_dispatch", "main"),
            ),
        ),
        (
            "inspect",
            inspect_summary(
                &record_samples::inspection(),
                &run("Inspect", "workflow_dispatch", "main"),
            ),
        ),
        (
            "rollback",
            rollback_summary(
                &verb_samples::rollback(),
                &run("Rollback", "workflow_dispatch", "main"),
            ),
        ),
        (
            "rollback-fleet",
            record_batch_summary(
                &verb_samples::rollback_services(),
                &run("Rollback", "workflow_dispatch", "main"),
            ),
        ),
        (
            "mark-fleet",
            record_batch_summary(
                &verb_samples::mark_services(),
                &run("Deploy", "push", "main"),
            ),
        ),
        (
            "mark",
            mark_summary(&verb_samples::mark(), &run("Deploy", "push", "main")),
        ),
        (
            "hold",
            hold_summary(
                &verb_samples::hold(),
                &run("Legal", "workflow_dispatch", "main"),
            ),
        ),
        (
            "adopt",
            adopt_summary(
                &verb_samples::adoption(),
                &run("Migration", "workflow_dispatch", "main"),
            ),
        ),
    ]
}

/// Returns the context of a run of `acme/web`.
pub(super) fn run(workflow: &str, event: &str, ref_name: &str) -> SummaryContext {
    let payload = tempfile::NamedTempFile::new().unwrap();
    let owner = r#"{"repository": {"owner": {"login": "acme", "type": "Organization"}}}"#;
    std::fs::write(payload.path(), owner).unwrap();
    SummaryContext {
        run: RunFacts::from_environment(&ProcessEnvironment::from_iter([
            ("GITHUB_WORKFLOW", workflow),
            ("GITHUB_RUN_NUMBER", "42"),
            ("GITHUB_RUN_ID", "18233541042"),
            ("GITHUB_ACTOR", "octocat"),
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_REF_NAME", ref_name),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/web"),
            ("GITHUB_EVENT_PATH", payload.path().to_str().unwrap()),
        ])),
        ..SummaryContext::default()
    }
}

fn batch_run() -> SummaryContext {
    let mut context = run("Release", "push", "v1.4.0");
    context.attempt.environment = Some("prod".to_owned());
    context.attempt.from = Some("dev".to_owned());
    context
}

fn pushed() -> ReleaseOutcome {
    let before = destination().previous;
    let before = before.map(|previous| PreviousImage {
        tag: "main".parse().unwrap(),
        ..previous
    });
    ReleaseOutcome {
        verb: ReleaseVerb::Push,
        source: "oci:image".parse().unwrap(),
        environment: None,
        path: PromotionPath::default(),
        version: None,
        source_repository: None,
        destinations: vec![DestinationOutcome {
            place: "ghcr.io/acme/web".parse().unwrap(),
            tags: vec![
                tag(
                    "git-860c190",
                    commit_kind(),
                    "the commit of the event",
                    TagChange::Created,
                ),
                tag(
                    "main",
                    TagKind::Moving(MovingTagSource::Branch),
                    "the name of the branch main",
                    moved(),
                ),
            ],
            previous: before,
            ..destination()
        }],
        ..promoted(true)
    }
}

/// Returns a promotion from dev to prod.
pub(super) fn promoted(is_signed: bool) -> ReleaseOutcome {
    let signer = SignerName {
        text: format!("{SUBJECT} (issuer {ISSUER})"),
        check: SignerCheck::Identity {
            subject: SUBJECT.to_owned(),
            issuer: ISSUER.to_owned(),
        },
    };
    let mut destination = destination();
    if !is_signed {
        destination.signatures.clear();
    }
    ReleaseOutcome {
        verb: ReleaseVerb::Promote,
        dry_run: false,
        source: "ghcr.io/acme/web/dev:git-860c190".parse().unwrap(),
        sought_commit: None,
        environment: Some("prod".parse().unwrap()),
        path: PromotionPath {
            from: Some("dev".parse().unwrap()),
            next: Vec::new(),
        },
        root: Digest::from_bytes(b"web 1.4.0"),
        media_type: MediaType::OciIndex,
        platform_selection: None,
        requested_digest: None,
        version: Some("1.4.0".to_owned()),
        commit: Some(COMMIT.parse().unwrap()),
        source_repository: Some(REPOSITORY.to_owned()),
        platforms: [("amd64", 25_900_000), ("arm64", 24_100_000)]
            .map(|(architecture, bytes)| PlatformContent {
                platform: Some(Platform {
                    os: "linux".to_owned(),
                    architecture: architecture.to_owned(),
                    variant: None,
                    os_version: None,
                }),
                bytes: Some(bytes),
            })
            .into(),
        signer: is_signed.then_some(signer),
        source_signer: None,
        gates: GateReport::default(),
        provenance: TagProvenance {
            version: Some(VersionOrigin::Event),
            ..TagProvenance::default()
        },
        destinations: vec![destination],
        notes: Vec::new(),
    }
}

fn planned() -> ReleaseOutcome {
    let mut outcome = ReleaseOutcome {
        dry_run: true,
        ..promoted(true)
    };
    for signed in &mut outcome.destinations[0].signatures {
        signed.at = None;
    }
    outcome
        .notes
        .push("prod: latest stays with 2.0.0, which is higher".to_owned());
    for content in &mut outcome.platforms {
        content.bytes = None;
    }
    outcome.destinations[0].copy_stats = CopyStats::default();
    outcome
}

fn destination() -> DestinationOutcome {
    let line = TagKind::Moving(MovingTagSource::Other);
    let environment = TagKind::Moving(MovingTagSource::Environment);
    let stays = TagChange::Stays {
        at: Some(Digest::from_bytes(b"web 2.0.0")),
        why: "2.0.0 is higher".to_owned(),
    };
    DestinationOutcome {
        record: None,
        place: "ghcr.io/acme/web/prod".parse().unwrap(),
        tags: vec![
            tag(
                "1.4.0",
                version_kind(),
                "the version of the tag v1.4.0",
                TagChange::Created,
            ),
            tag(
                "1.4",
                line.clone(),
                "the highest release of 1.4",
                TagChange::Created,
            ),
            tag("1", line.clone(), "the highest release of 1", moved()),
            tag("prod", environment, "the environment", moved()),
            tag("latest", line, "the highest release", stays),
        ],
        previous: Some(PreviousImage {
            tag: "prod".parse().unwrap(),
            digest: Digest::from_bytes(b"web 1.3.2"),
            commit: Some(COMMIT_BEFORE.parse().unwrap()),
            source: Some(REPOSITORY.to_owned()),
        }),
        copy_stats: CopyStats {
            manifests_written: 5,
            moved: BlobAmount {
                blobs: 4,
                bytes: 12_900_000,
            },
            mounted: BlobAmount {
                blobs: 9,
                bytes: 37_100_000,
            },
            ..CopyStats::default()
        },
        referrers: CopiedReferrers {
            copied: [(ReferrerKind::Sbom, 2), (ReferrerKind::Provenance, 2)].into(),
            ..CopiedReferrers::default()
        },
        signatures: vec![SignatureResult {
            of: Digest::from_bytes(b"web 1.4.0"),
            predicate_type: None,
            format: SignatureFormat::Bundle,
            at: Some(crate::image::TagOrDigest::Digest(Digest::from_bytes(
                b"signature",
            ))),
            url: None,
            is_new: true,
        }],
    }
}

fn moved() -> TagChange {
    TagChange::Moved {
        from: Digest::from_bytes(b"web 1.3.2"),
    }
}

fn version_kind() -> TagKind {
    TagKind::Immutable(ImmutableTagSource::Version)
}

fn commit_kind() -> TagKind {
    TagKind::Immutable(ImmutableTagSource::Commit)
}

fn tag(name: &str, kind: TagKind, rule: &str, change: TagChange) -> TagResult {
    TagResult {
        tag: name.parse::<Tag>().unwrap(),
        kind,
        rule: rule.to_owned(),
        change,
    }
}

const SERVICES: [&str; 12] = [
    "accounts",
    "api",
    "billing",
    "catalog",
    "checkout",
    "cron",
    "gateway",
    "mailer",
    "media-resizer",
    "search",
    "web",
    "worker",
];

pub(super) fn released_batch() -> BatchOutcome {
    let services = SERVICES.iter().enumerate().map(|(at, service)| {
        let mut outcome = promoted(true);
        outcome.root = Digest::from_bytes(service.as_bytes());
        let destination = &mut outcome.destinations[0];
        destination.place = format!("ghcr.io/acme/{service}/prod").parse().unwrap();
        if at % 5 == 3 {
            destination.referrers = CopiedReferrers::default();
            destination.signatures[0].is_new = false;
            destination.copy_stats = CopyStats::default();
            destination.previous = None;
            let tags = &mut destination.tags[..4];
            tags.iter_mut()
                .for_each(|tag| tag.change = TagChange::Unchanged);
        }
        (
            service.parse().unwrap(),
            ServiceOutcome::Completed(Box::new(outcome)),
        )
    });
    BatchOutcome {
        verb: ReleaseVerb::Promote,
        dry_run: false,
        started: true,
        services: services.collect(),
        gates: vec![GateReport::default(); SERVICES.len()],
    }
}

fn refused_batch() -> BatchOutcome {
    let mut batch = released_batch();
    batch.started = false;
    for (_, end) in &mut batch.services {
        *end = ServiceOutcome::NotStarted;
    }
    batch.services[4].1 = ServiceOutcome::Failed(moved_version("checkout"));
    batch
}

fn moved_version(service: &str) -> Failure {
    let (there, here) = (
        Digest::from_bytes(b"other"),
        Digest::from_bytes(service.as_bytes()),
    );
    Failure::refused(format!(
        "tag 1.4.0 of ghcr.io/acme/{service}/prod points to {there}, expected {here}"
    ))
    .with_reason("1.4.0 is an immutable tag (the version of the tag v1.4.0)")
    .with_hint(format!(
        "release under a new version, or release the existing image, with source ghcr.io/acme/{service}/prod:1.4.0"
    ))
}

fn refusal(context: &SummaryContext) -> String {
    let attempt = RunAttempt {
        source: Some("ghcr.io/acme/web/dev:git-860c190".to_owned()),
        destinations: vec!["ghcr.io/acme/web/prod".to_owned()],
        environment: Some("prod".to_owned()),
        from: Some("dev".to_owned()),
        ..RunAttempt::default()
    };
    let mut context = context.clone();
    context.warnings.push(
        "SHA tags are not derived: the image has no label org.opencontainers.image.revision\n hint: set labels in the build".to_owned(),
    );
    context.attempt = attempt;
    failure_summary("promote", &moved_version("web"), &context)
}

fn verified() -> Verification {
    let root = Digest::from_bytes(b"web 1.4.0");
    let evidence = SignatureEvidence {
        certificate: Some(CertificateEvidence {
            subject: SUBJECT.to_owned(),
            issuer: ISSUER.to_owned(),
            run: Vec::new(),
            logged: true,
        }),
        times: vec!["2026-03-02T10:14:05Z".parse().unwrap()],
        logged: true,
    };
    let digest = Digest::from_bytes(b"signature");
    let claim = ImageClaim {
        repository: "ghcr.io/acme/web/prod".to_owned(),
        digest: root,
        annotations: [("version".to_owned(), "1.4.0".to_owned())].into(),
    };
    let attested = Digest::from_bytes(b"attestation");
    Verification {
        source: "ghcr.io/acme/web/prod:1.4.0".parse().unwrap(),
        requirement: Requirement::Identity {
            identity: Identity {
                subject: WildcardPattern::new(SUBJECT),
                issuer: ISSUER.to_owned(),
                conditions: Vec::new(),
            },
            trust: Arc::new(TrustRoot::load_embedded().unwrap()),
            logged: true,
        },
        images: vec![CheckedImage {
            digest: root,
            platform: None,
            content: ManifestContent::Index,
        }],
        signatures: vec![CheckedSignature {
            of: root,
            format: SignatureFormat::Bundle,
            at: crate::image::TagOrDigest::Digest(digest),
            digest,
            result: Ok(VerifiedSignature {
                claim,
                evidence: evidence.clone(),
            }),
        }],
        attestations: vec![CheckedAttestation {
            of: root,
            format: SignatureFormat::Bundle,
            at: crate::image::TagOrDigest::Digest(attested),
            digest: attested,
            result: Ok(VerifiedAttestation {
                predicate_type: "https://spdx.dev/Document".to_owned(),
                predicate: serde_json::Value::Null,
                evidence,
            }),
        }],
        unread: Vec::new(),
        missing: Vec::new(),
    }
}

fn unverified() -> Verification {
    let mut found = verified();
    found.requirement = Requirement::Key {
        key: PublicKey::parse(KEY).unwrap(),
        log: None,
    };
    found.attestations.clear();
    found.signatures[0].result = Err(VerificationError::SignedWithCertificate);
    found.missing = vec![MissingEvidence {
        wanted: RequiredEvidence::Signature,
        of: found.images[0].clone(),
    }];
    found
}

fn verified_bundle() -> BundleVerification {
    let found = verified();
    let [
        CheckedSignature {
            result: Ok(signature),
            ..
        },
    ] = &found.signatures[..]
    else {
        panic!("the sample has a signature");
    };
    BundleVerification {
        bundle: "web-1.4.0.tar.gz.sigstore.json".to_owned(),
        artifact: "web-1.4.0.tar.gz".to_owned(),
        signer: FileSigner::Identity(found.requirement.identity().unwrap().clone()),
        result: Ok(signature.evidence.clone()),
    }
}

fn tags() -> TagsResult {
    let expanded = |text: &str, kind: TagKind, rule: &str| ExpandedTag {
        text: text.to_owned(),
        kind,
        rule: rule.to_owned(),
    };
    let line = || TagKind::Moving(MovingTagSource::Other);
    let labels = [
        (
            "org.opencontainers.image.created",
            "2026-03-02T10:11:12.000Z",
        ),
        ("org.opencontainers.image.licenses", "Apache-2.0"),
        ("org.opencontainers.image.revision", COMMIT),
        ("org.opencontainers.image.source", REPOSITORY),
        ("org.opencontainers.image.title", "web"),
        ("org.opencontainers.image.version", "1.4.0"),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut expansion = RuleExpansion::default();
    expansion.tags.extend([
        expanded("1.4.0", version_kind(), "type=semver,pattern={{version}}"),
        expanded("1.4", line(), "type=semver,pattern={{major}}.{{minor}}"),
        expanded("sha-860c190", commit_kind(), "type=sha"),
    ]);
    expansion.latest = Some(expanded("latest", line(), "flavor latest=auto"));
    TagsResult {
        images: vec![
            "ghcr.io/acme/web".to_owned(),
            "docker.io/acme/web".to_owned(),
        ],
        expansion,
        labels: OrderedLabels(labels.into()),
        annotations: OrderedLabels::default(),
        ..TagsResult::default()
    }
}

fn policy() -> PolicyReport {
    let text = include_str!("../../../examples/fleet/shipmark.yml");
    PolicyReport {
        policy: ReleasePolicy::parse(text.as_bytes()).unwrap(),
        file: ".github/shipmark.yml of commit 860c190".to_owned(),
        environment: None,
    }
}
