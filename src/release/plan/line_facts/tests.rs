use super::*;
use crate::event::{EventFacts, GitRef, LocalCheckout};
use crate::image::{ImageSelector, ImageSource, Manifest};
use crate::layout::{LayoutDirectory, TagPrecondition};
use crate::release::plan::record_facts::{
    NamedRollback, RecordFacts, RecordedRelease, RecordedRoot,
};
use crate::release::plan::recorded_releases::RecordedReleases;
use crate::release::plan::tags::plan_tags;
use crate::tagging::{TagRules, derive_push_tags};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn image(number: u32) -> Manifest {
    let index = serde_json::json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [],
        "annotations": {"number": number.to_string()},
    });
    Manifest::parse(index.to_string().into(), Some(INDEX)).unwrap()
}

/// Returns what `latest` names after a release of 1.4.1 in a layout with these tags, each with the image of a
/// number: its change in the plan, as text.
async fn latest_after_release(tags: &[(&str, u32)], records: RecordedReleases) -> String {
    let directory = tempfile::tempdir().unwrap();
    let layout = LayoutDirectory::new(directory.path());
    for (tag, number) in tags {
        let (tag, image) = (tag.parse().unwrap(), image(*number));
        let written = layout.write_tag(&tag, &image, TagPrecondition::Any).await;
        written.unwrap();
    }
    let root = image(0);
    let resolved = ResolvedImage {
        location: ImageSource::Layout(directory.path().into(), ImageSelector::Digest(root.digest)),
        reader: ImageReader::from_store(ImageStore::Layout(layout)).into(),
        root,
        origin: None,
        platform_selection: None,
        generated_manifests: Vec::new(),
    };
    let destination = OpenDestination::of_layout(directory.path(), records);
    let facts = EventFacts::from_checkout(&LocalCheckout {
        git_ref: Some(GitRef::Tag("v1.4.1".to_owned())),
        ..LocalCheckout::default()
    });
    let planned = derive_push_tags(Some(&facts), None, &TagRules::Default)
        .unwrap()
        .tags;
    let before = DestinationState::default();
    let seen = read_lines_again(&destination, &planned, &before, &resolved).await;
    let plan = plan_tags(
        &destination.name,
        &planned,
        &seen.unwrap(),
        resolved.root.digest,
    );
    let mut results = plan.unwrap().into_results().into_iter();
    let latest = results
        .find(|result| result.tag.as_str() == "latest")
        .unwrap();
    format!("{:?}", latest.change)
}

fn records(releases: &[(u32, RecordedRelease)]) -> RecordedReleases {
    let of_image = |number: &u32| image(*number).digest;
    let is_withdrawn = |(_, release): &&(u32, _)| *release == RecordedRelease::Withdrawn;
    let withdrawn = releases.iter().filter(is_withdrawn);
    RecordedReleases::known(RecordFacts {
        rollbacks: withdrawn
            .map(|(number, _)| NamedRollback::of_root(of_image(number)))
            .collect(),
        roots: releases
            .iter()
            .map(|(number, release)| {
                let versions = [format!("{number}.0.0")];
                (
                    of_image(number),
                    RecordedRoot::of_release(*release, versions),
                )
            })
            .collect(),
        ..RecordFacts::default()
    })
}

#[tokio::test]
async fn promise_4_records_of_a_destination_decide_on_its_lines() {
    let tags = [("2.0.0", 2), ("1.4.0", 1), ("latest", 1)];
    let none = latest_after_release(&tags, RecordedReleases::not_kept()).await;
    assert!(none.contains("2.0.0 is in progress"), "{none}");
    for (release, expected) in [
        (RecordedRelease::Released, "2.0.0 is in progress"),
        (RecordedRelease::Intended, "2.0.0 is in progress"),
        (RecordedRelease::Withdrawn, "Moved"),
        (RecordedRelease::Unrecorded, "Moved"),
    ] {
        let change = latest_after_release(&tags, records(&[(2, release)])).await;
        assert!(change.contains(expected), "{release:?}: {change}");
    }
    let withdrawn = records(&[(2, RecordedRelease::Withdrawn)]);
    let tags = [("2.0.0", 2), ("1.4.0", 1), ("latest", 2)];
    let change = latest_after_release(&tags, withdrawn).await;
    assert!(change.contains("Moved"), "{change}");
}
