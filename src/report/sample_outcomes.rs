//! Outcomes for the tests of reports.

use super::tags_report::TagsResult;
use crate::gate::GateReport;
use crate::image::{Digest, MediaType};
use crate::referrers::{self, CopiedReferrers, SkipReason, SkippedReferrer};
use crate::release::{
    BatchOutcome, DestinationOutcome, Failure, PromotionPath, ReleaseOutcome, ReleaseVerb,
    ServiceOutcome, TagChange, TagResult,
};
use crate::tagging::{
    CommitTagOrigin, ExpandedTag, Finding, ImmutableTagSource, MovingTagSource, OrderedLabels,
    RuleExpansion, TagKind, TagProvenance, VersionOrigin,
};
use crate::transfer::{BlobAmount, CopyStats};

pub(super) fn promoted_outcome() -> ReleaseOutcome {
    let before = Digest::from_bytes(b"before");
    ReleaseOutcome {
        verb: ReleaseVerb::Promote,
        dry_run: false,
        source: "oci:dev:git-860c190".parse().unwrap(),
        sought_commit: None,
        environment: None,
        path: PromotionPath::default(),
        root: Digest::from_bytes(b"root"),
        media_type: MediaType::OciIndex,
        platform_selection: None,
        requested_digest: None,
        version: Some("1.4.0".into()),
        commit: Some("860c1904a1ce19322e91ac35af1ab07466440c37".parse().unwrap()),
        source_repository: None,
        platforms: Vec::new(),
        signer: None,
        source_signer: None,
        gates: GateReport::default(),
        provenance: TagProvenance {
            version: Some(VersionOrigin::Label),
            commit_tag: Some(CommitTagOrigin::SourceTag),
            ..TagProvenance::default()
        },
        destinations: vec![
            DestinationOutcome {
                record: None,
                place: "prod.example.com/team/web".parse().unwrap(),
                tags: vec![
                    tag_result(
                        "1.4.0",
                        TagKind::Immutable(ImmutableTagSource::Version),
                        TagChange::Created,
                    ),
                    tag_result(
                        "prod",
                        environment_tag_kind(),
                        TagChange::Moved { from: before },
                    ),
                    tag_result(
                        "latest",
                        environment_tag_kind(),
                        TagChange::Stays {
                            at: Some(before),
                            why: "2.0.0 is higher".into(),
                        },
                    ),
                ],
                previous: None,
                copy_stats: CopyStats {
                    manifests_written: 5,
                    moved: amount(4, 12_900_000),
                    mounted: amount(2, 2000),
                    present: amount(1, 48),
                    shared: amount(3, 4096),
                    resumed: amount(1, 1_048_576),
                },
                referrers: CopiedReferrers {
                    copied: [
                        (referrers::ReferrerKind::Signature, 2),
                        (referrers::ReferrerKind::Sbom, 1),
                    ]
                    .into(),
                    present: [(referrers::ReferrerKind::Provenance, 1)].into(),
                    skipped: vec![SkippedReferrer {
                        kind: referrers::ReferrerKind::ReleaseRecord,
                        count: 1,
                        reason: SkipReason::ReleaseRecord,
                    }],
                },
                signatures: Vec::new(),
            },
            DestinationOutcome {
                record: None,
                place: "oci:mirror".parse().unwrap(),
                tags: vec![tag_result(
                    "1.4.0",
                    TagKind::Immutable(ImmutableTagSource::Version),
                    TagChange::Unchanged,
                )],
                previous: None,
                copy_stats: CopyStats::default(),
                referrers: CopiedReferrers::default(),
                signatures: Vec::new(),
            },
        ],
        notes: vec!["no tag 1 for a 0.x version".into()],
    }
}

pub(super) fn dry_run_outcome() -> ReleaseOutcome {
    ReleaseOutcome {
        dry_run: true,
        ..promoted_outcome()
    }
}

pub(super) fn unchanged_outcome() -> ReleaseOutcome {
    let mut outcome = promoted_outcome();
    outcome.destinations.remove(0);
    outcome
}

/// Returns a batch with a released, an unchanged, a failed and a service that was not started.
pub(super) fn batch_outcome() -> BatchOutcome {
    let mut released = promoted_outcome();
    released.destinations.truncate(1);
    let ends = [
        ("web", ServiceOutcome::Completed(Box::new(released))),
        (
            "api",
            ServiceOutcome::Completed(Box::new(unchanged_outcome())),
        ),
        ("worker", ServiceOutcome::Failed(refused_failure())),
        ("cron", ServiceOutcome::NotStarted),
    ];
    BatchOutcome {
        verb: ReleaseVerb::Promote,
        dry_run: false,
        started: true,
        services: ends
            .into_iter()
            .map(|(service, end)| (service.parse().unwrap(), end))
            .collect(),
        gates: vec![GateReport::default(); 4],
    }
}

/// Text that tries to leave its place in logs, files and Markdown.
pub(super) const HOSTILE: &str =
    "x\n::add-mask::y\n## z `` | <script>alert(1)</script> [a](b) @acme %0A ##[group]";

pub(super) fn hostile_outcome() -> ReleaseOutcome {
    let mut outcome = unchanged_outcome();
    outcome.source = format!("oci:{HOSTILE}").parse().unwrap();
    outcome.version = Some(HOSTILE.into());
    outcome.notes = vec![HOSTILE.into()];
    let destination = &mut outcome.destinations[0];
    destination.place = crate::image::Destination::Layout(HOSTILE.into());
    destination.tags[0].rule = HOSTILE.into();
    destination.referrers.skipped.push(SkippedReferrer {
        kind: referrers::ReferrerKind::Other(HOSTILE.into()),
        count: 1,
        reason: SkipReason::UnknownKind,
    });
    destination.tags.push(tag_result(
        "latest",
        environment_tag_kind(),
        TagChange::Stays {
            at: None,
            why: HOSTILE.into(),
        },
    ));
    outcome
}

pub(super) fn refused_failure() -> Failure {
    Failure::refused("tag 1.4.0 of prod.example.com/team/web names another image")
        .with_reason("1.4.0 is an immutable tag")
        .with_hint("release 1.4.1")
}

fn environment_tag_kind() -> TagKind {
    TagKind::Moving(MovingTagSource::Environment)
}

fn tag_result(tag: &str, kind: TagKind, change: TagChange) -> TagResult {
    TagResult {
        tag: tag.parse().unwrap(),
        kind,
        rule: format!("the rule of {tag}"),
        change,
    }
}

fn amount(blobs: u64, bytes: u64) -> BlobAmount {
    BlobAmount { blobs, bytes }
}

/// Returns a batch of a hostile outcome and a hostile failure.
pub(super) fn hostile_batch() -> BatchOutcome {
    let mut batch = batch_outcome();
    batch.services[0].1 = ServiceOutcome::Completed(Box::new(hostile_outcome()));
    batch.services[2].1 = ServiceOutcome::Failed(Failure::refused(HOSTILE).with_hint(HOSTILE));
    batch
}

/// Returns derived tags and labels of hostile texts.
pub(super) fn hostile_tags() -> TagsResult {
    let tag = ExpandedTag {
        text: HOSTILE.to_owned(),
        kind: environment_tag_kind(),
        rule: HOSTILE.to_owned(),
    };
    let mut expansion = RuleExpansion::default();
    expansion.tags.push(tag);
    TagsResult {
        images: vec![HOSTILE.to_owned()],
        expansion,
        labels: OrderedLabels(vec![(HOSTILE.to_owned(), HOSTILE.to_owned())]),
        annotations: OrderedLabels(vec![(HOSTILE.to_owned(), HOSTILE.to_owned())]),
        levels: vec!["manifest".to_owned()],
        findings: vec![Finding::from_note(HOSTILE)],
        ..TagsResult::default()
    }
}
