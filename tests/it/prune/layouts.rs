//! Image layouts: manifests without a tag, and blobs that nothing names.

use shipmark::image::Digest;
use shipmark::layout::{LayoutDeletion, LayoutDirectory};
use shipmark::prune::{apply_prune, plan_prune};
use shipmark::retention::RetentionRules;

use super::layout_stage::{INDEX, LayoutStage, MANIFEST};
use super::stage::*;
use crate::support::*;

fn new_stage(folder: &tempfile::TempDir) -> LayoutStage {
    LayoutStage::new(folder.path().to_owned())
}

async fn prune(stage: &LayoutStage, rules: RetentionRules) -> shipmark::prune::PruneOutcome {
    let request = request_of_layout(stage.path(), rules);
    let plan = plan_prune(&request, &context()).await.unwrap();
    assert_eq!(stops(&plan), [""; 0]);
    let outcome = apply_prune(&request, &to_file(&plan), &context())
        .await
        .unwrap();
    let deleted = outcome.repositories[0].deletions.len();
    assert_eq!(deleted, plan.deletion_count(), "the dry run is the run");
    outcome
}

#[tokio::test]
async fn a_layout_loses_tags_untagged_manifests_and_blobs_that_nothing_names() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = new_stage(&folder);
    let (a, b, kept) = (
        stage.image("a", 30),
        stage.image("b", 30),
        stage.image("kept", 30),
    );
    let index = stage.index(&[&a, &b], 30);
    let lost = stage.image("lost", 30);
    let lost_index = stage.index(&[&kept], 30);
    let young = stage.image("young", 0);
    let old_blob = stage.blob("nothing names this", 30);
    let young_blob = stage.blob("nothing names this yet", 0);
    stage.entry(&index, INDEX, Some("pr-1"));
    stage.entry(&kept, MANIFEST, Some("1.0.0"));
    stage.entry(&lost_index, INDEX, None);
    let outcome = prune(&stage, rules([tagged("pr-*", Some(14)), untagged(Some(7))])).await;
    assert_eq!(outcome.repositories[0].holes, []);
    assert!(outcome.repositories[0].failure.is_none());
    let left = stage.blobs();
    for (digest, is_left) in [
        (&kept, true),
        (&young, true),
        (&young_blob, true),
        (&index, false),
        (&a, false),
        (&b, false),
        (&lost, false),
        (&lost_index, false),
        (&old_blob, false),
    ] {
        assert_eq!(left.contains(digest), is_left, "{digest}");
    }
    // Config and layer of the image that stays, and of the young one.
    assert_eq!(left.len(), 3 + 3 + 1);
    assert_eq!(outcome.repositories[0].blobs, 1 + 3 * 2);
    assert_eq!(stage.names(), ["1.0.0"]);
    let layout = LayoutDirectory::open(stage.path()).await.unwrap();
    layout.check(kept.parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn an_empty_policy_leaves_a_layout_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = new_stage(&folder);
    let image = stage.image("a", 30);
    stage.blob("nothing names this", 30);
    stage.entry(&image, MANIFEST, Some("pr-1"));
    let before = stage.blobs();
    prune(&stage, rules([])).await;
    assert_eq!(stage.blobs(), before);
}

#[tokio::test]
async fn a_name_that_is_no_tag_keeps_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = new_stage(&folder);
    let image = stage.image("a", 30);
    let other = stage.image("b", 30);
    stage.entry(&image, MANIFEST, Some("ghcr.io/acme/web:1.0"));
    stage.entry(&other, MANIFEST, None);
    prune(&stage, rules([untagged(None)])).await;
    assert!(stage.blobs().contains(&image));
    assert!(!stage.blobs().contains(&other));
}

#[tokio::test]
async fn a_tag_of_a_layout_that_moved_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = new_stage(&folder);
    let (a, b) = (stage.image("a", 30), stage.image("b", 30));
    stage.entry(&a, MANIFEST, Some("pr-1"));
    let layout = LayoutDirectory::new(stage.path());
    let tag = "pr-1".parse().unwrap();
    let digest = |text: &str| text.parse::<Digest>().unwrap();
    let changed = LayoutDeletion::Changed("pr-1".parse().unwrap());
    assert_eq!(layout.delete_tag(&tag, digest(&b)).await.unwrap(), changed);
    assert_eq!(
        layout.delete_manifest(digest(&a), &[]).await.unwrap(),
        changed
    );
    assert!(stage.blobs().contains(&a));
    let deleted = layout.delete_tag(&tag, digest(&a)).await.unwrap();
    assert_eq!(deleted, LayoutDeletion::Deleted);
    let again = layout.delete_tag(&tag, digest(&a)).await.unwrap();
    assert_eq!(again, LayoutDeletion::Absent);
    let deleted = layout.delete_manifest(digest(&a), &[]).await.unwrap();
    assert_eq!(deleted, LayoutDeletion::Deleted);
    let again = layout.delete_manifest(digest(&a), &[]).await.unwrap();
    assert_eq!(again, LayoutDeletion::Absent);
    assert_eq!(stage.names(), [""; 0]);
}
