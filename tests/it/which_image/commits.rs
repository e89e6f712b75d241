//! The image of a commit, by records and SHA tags.

use super::*;

fn tagged(sha: &str) -> Trigger<'_> {
    ("push", "refs/tags/v1.2.0", sha)
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_a_commit_is_found_by_the_record_of_any_environment_before() {
    let stage = Stage::new().await;
    let built = stage.build("dev", COMMIT, 1);
    let fixed = stage.build("hotfix", OTHER, 2);
    // Newer releases, which are of other commits.
    stage.build("dev", TWIN, 3);
    let log = stage.promoted(tagged(COMMIT), "stage", &[]);
    assert_eq!(stage.current("stage"), built);
    let found =
        format!("found by commit {COMMIT}, which the tag v1.2.0 names, by its record in dev");
    assert!(log.contains(&found), "{log}");
    assert_eq!(stage.source_of("stage").as_deref(), Some("dev"));

    stage.promoted(("push", "refs/tags/v1.2.1", OTHER), "stage", &[]);
    assert_eq!(stage.current("stage"), fixed);
    assert_eq!(stage.source_of("stage").as_deref(), Some("hotfix"));
    let again = stage.promoted(("push", "refs/tags/v1.2.1", OTHER), "stage", &[]);
    assert_eq!(stage.place.output("outcome"), "unchanged", "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sha_tag_finds_an_image_that_no_record_names() {
    let stage = Stage::new().await;
    let image = MadeImage::new(1, &[("revision", COMMIT)]);
    image.put(&stage.registry, "hotfix", &["sha-9f3c2a1"]);
    let log = stage.promoted(tagged(COMMIT), "stage", &[]);
    assert!(log.contains("as tag sha-9f3c2a1"), "{log}");
    assert_eq!(stage.source_of("stage").as_deref(), Some("hotfix"));
    // A tag alone says too little.
    let unlabelled = MadeImage::new(2, &[]);
    unlabelled.put(&stage.registry, "dev", &["sha-2222222"]);
    let refusal = stage.refused(tagged(OTHER), "stage", &[]);
    assert!(
        refusal.contains("but no label of it names a commit"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_an_image_is_refused_with_the_places_that_were_searched() {
    let stage = Stage::new().await;
    stage.build("dev", COMMIT, 1);
    stage.build("hotfix", COMMIT, 1);
    insta::assert_snapshot!(stage.refused(tagged(OTHER), "stage", &[]), @r"
    refused: commit 2222222222222222222222222222222222222222 is not in dev or hotfix: no record of dev names it, ghcr.io/dev has no tag git-2222222 or sha-2222222, and none with the whole commit; no record of hotfix names it, ghcr.io/hotfix has no tag git-2222222 or sha-2222222, and none with the whole commit
     why:  without source promote releases the image in dev or hotfix that was built from the commit which the tag v1.2.0 names
     hint: release the commit to dev or hotfix first, or wait until the run that does so has finished; or give source
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_images_of_one_commit_are_refused_and_listed() {
    let stage = Stage::new().await;
    let images = [stage.build("dev", COMMIT, 1), stage.build("dev", COMMIT, 2)];
    let third = stage.build("hotfix", COMMIT, 3);
    let refusal = stage.refused(tagged(COMMIT), "stage", &[]);
    for digest in images.iter().chain([&third]) {
        assert!(refusal.contains(digest), "{refusal}");
    }
    for part in [
        "has 3 images in",
        "record of dev",
        "record of hotfix",
        "give the right one as source",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
    stage.promoted(tagged(COMMIT), "stage", &[("source", &third)]);
    assert_eq!(stage.source_of("stage").as_deref(), Some("hotfix"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_two_environments_record_of_two_commits_is_refused() {
    let stage = Stage::new().await;
    let digest = stage.build("dev", COMMIT, 1);
    stage.build("hotfix", OTHER, 1);
    for source in [
        &[][..],
        &[("source", digest.as_str())],
        &[("source", "latest")],
    ] {
        let refusal = stage.refused(tagged(COMMIT), "stage", source);
        let what =
            format!("{digest} is of commit {COMMIT} in dev, and of commit {OTHER} in hotfix");
        assert!(refusal.contains(&what), "{source:?}: {refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_name_is_sought_in_every_environment_before() {
    let stage = Stage::new().await;
    let fixed = stage.build("hotfix", COMMIT, 1);
    stage.promoted(tagged(COMMIT), "stage", &[("source", &fixed)]);
    assert_eq!(stage.source_of("stage").as_deref(), Some("hotfix"));
    let whole = format!("{}/hotfix@{fixed}", stage.registry.host());
    let again = stage.promoted(tagged(COMMIT), "stage", &[("source", &whole)]);
    assert_eq!(stage.place.output("outcome"), "unchanged", "{again}");
    insta::assert_snapshot!(stage.refused(tagged(COMMIT), "stage", &[("source", "v9")]), @r"
    refused: there is no ghcr.io/dev:v9 and no ghcr.io/hotfix:v9
     why:  the image must be in dev or hotfix
     hint: check the name, or release the image there first
    ");
    let foreign = format!("{}/prod:latest", stage.registry.host());
    let refusal = stage.refused(tagged(COMMIT), "stage", &[("source", &foreign)]);
    assert!(
        refusal.contains("stage takes its images from dev or hotfix"),
        "{refusal}"
    );
}

/// Without a checkout an abbreviated commit stays so: records tell which it is.
#[tokio::test(flavor = "multi_thread")]
async fn an_abbreviated_commit_is_made_whole_by_records_unless_two_begin_with_it() {
    let stage = Stage::new().await;
    let branch = ("push", "refs/heads/release/v1.2.0-sha-9f3c2a1", COMMIT);
    let built = stage.build("dev", COMMIT, 1);
    stage.promoted(branch, "stage", &[]);
    assert_eq!(stage.current("stage"), built);
    stage.build("hotfix", TWIN, 2);
    insta::assert_snapshot!(stage.refused(branch, "stage", &[]), @r"
    refused: 9f3c2a1, which the branch release/v1.2.0-sha-9f3c2a1 names, is ambiguous: images of 2 commits begin with it: 9f3c2a1ca84d1343b96baa8137c943ed1860e522, 9f3c2a1111111111111111111111111111111111
     why:  an abbreviated commit can be two
     hint: name the commit with more digits, or give source
    ");
}
