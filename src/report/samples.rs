//! Outcomes to report on in tests.

use crate::image::{Digest, MediaType};
use crate::referrers::{self, Left, Reason, Travelled};
use crate::release::{Change, End, Failure, FleetOutcome, Outcome, Released, TagResult, Verb};
use crate::tagging::{Follows, Kind, Names};
use crate::transfer::{Amount, Content};

pub(super) fn promoted() -> Outcome {
    let before = Digest::of(b"before");
    Outcome {
        verb: Verb::Promote,
        dry_run: false,
        source: "oci:dev:git-860c190".parse().unwrap(),
        root: Digest::of(b"root"),
        media_type: MediaType::OciIndex,
        subset: None,
        kept: None,
        version: Some("1.4.0".into()),
        commit: Some("860c1904a1ce19322e91ac35af1ab07466440c37".parse().unwrap()),
        destinations: vec![
            Released {
                place: "prod.example.com/team/web".parse().unwrap(),
                tags: vec![
                    tag("1.4.0", Kind::Immutable(Names::Version), Change::Created),
                    tag("prod", environment(), Change::Moved { from: before }),
                    tag(
                        "latest",
                        environment(),
                        Change::Stays {
                            at: Some(before),
                            why: "2.0.0 is higher".into(),
                        },
                    ),
                ],
                content: Content {
                    manifests_written: 5,
                    moved: amount(4, 12_900_000),
                    mounted: amount(2, 2000),
                    present: amount(1, 48),
                    shared: amount(3, 4096),
                    resumed: amount(1, 1_048_576),
                },
                beside: Travelled {
                    copied: [(referrers::Kind::Signature, 2), (referrers::Kind::Sbom, 1)].into(),
                    present: [(referrers::Kind::Provenance, 1)].into(),
                    left: vec![Left {
                        kind: referrers::Kind::Record,
                        count: 1,
                        reason: Reason::Record,
                    }],
                },
                signatures: Vec::new(),
            },
            Released {
                place: "oci:mirror".parse().unwrap(),
                tags: vec![tag(
                    "1.4.0",
                    Kind::Immutable(Names::Version),
                    Change::Unchanged,
                )],
                content: Content::default(),
                beside: Travelled::default(),
                signatures: Vec::new(),
            },
        ],
        notes: vec!["no tag 1 for a 0.x version".into()],
    }
}

pub(super) fn dry() -> Outcome {
    Outcome {
        dry_run: true,
        ..promoted()
    }
}

pub(super) fn unchanged() -> Outcome {
    let mut outcome = promoted();
    outcome.destinations.remove(0);
    outcome
}

/// One service that went well, one that was right, one that failed, one that was left.
pub(super) fn fleet() -> FleetOutcome {
    let mut released = promoted();
    released.destinations.truncate(1);
    let ends = [
        ("web", End::Done(Box::new(released))),
        ("api", End::Done(Box::new(unchanged()))),
        ("worker", End::Failed(refused())),
        ("cron", End::NotBegun),
    ];
    FleetOutcome {
        verb: Verb::Promote,
        dry_run: false,
        begun: true,
        services: ends
            .into_iter()
            .map(|(service, end)| (service.parse().unwrap(), end))
            .collect(),
    }
}

/// Where any text could stand, there stands one that tries to get out.
pub(super) const HOSTILE: &str =
    "x\n::add-mask::y\n## z `` | <script>alert(1)</script> [a](b) @acme %0A ##[group]";

pub(super) fn hostile() -> Outcome {
    let mut outcome = unchanged();
    outcome.source = format!("oci:{HOSTILE}").parse().unwrap();
    outcome.version = Some(HOSTILE.into());
    outcome.notes = vec![HOSTILE.into()];
    let destination = &mut outcome.destinations[0];
    destination.place = crate::image::Place::Layout(HOSTILE.into());
    destination.tags[0].rule = HOSTILE.into();
    destination.beside.left.push(Left {
        kind: referrers::Kind::Other(HOSTILE.into()),
        count: 1,
        reason: Reason::Unknown,
    });
    destination.tags.push(tag(
        "latest",
        environment(),
        Change::Stays {
            at: None,
            why: HOSTILE.into(),
        },
    ));
    outcome
}

pub(super) fn refused() -> Failure {
    Failure::refused("tag 1.4.0 of prod.example.com/team/web names another image")
        .why("1.4.0 is an immutable tag")
        .hint("release 1.4.1")
}

fn environment() -> Kind {
    Kind::Moving(Follows::Environment)
}

fn tag(tag: &str, kind: Kind, change: Change) -> TagResult {
    TagResult {
        tag: tag.parse().unwrap(),
        kind,
        rule: format!("the rule of {tag}"),
        change,
    }
}

fn amount(blobs: u64, bytes: u64) -> Amount {
    Amount { blobs, bytes }
}
