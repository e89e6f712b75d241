//! A push to a branch: the pushed commit if it was built, else what a merge commit merged.

use super::*;

/// A stage with a repository of two commits, and a merge of them. Returns it with the merged commit and the merge.
async fn merged(message: &str) -> (Stage, String, String) {
    let stage = Stage::new().await;
    let root = stage.place.root();
    let feature = add_commit(root, "b", "x", &[&stage.policy_commit]);
    let merge = add_commit(root, "b", message, &[&stage.policy_commit, &feature]);
    (stage, feature, merge)
}

/// Returns the text with a name in place of a commit.
fn without(text: &str, sha: &str, name: &str) -> String {
    let text = text.replace(sha, name);
    text.replace(&sha[..7], "SHORT")
}

fn pushed(sha: &str) -> Trigger<'_> {
    ("push", "refs/heads/main", sha)
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_a_merge_releases_the_image_of_the_commit_that_it_merged() {
    let (stage, feature, merge) = merged("Merge pull request #7 from acme/feature").await;
    let built = stage.build("dev", &feature, 1);
    stage.build("dev", COMMIT, 2);
    let log = stage.promoted(pushed(&merge), "stage", &[]);
    assert_eq!(stage.current("stage"), built);
    let found = format!("found by commit {feature}, which the merge commit {merge} names");
    assert!(log.contains(&found), "{log}");
    // What was built of the merge itself goes first.
    let own = stage.build("dev", &merge, 3);
    stage.promoted(pushed(&merge), "stage", &[]);
    assert_eq!(stage.current("stage"), own);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_of_which_nothing_was_built_is_refused() {
    let (stage, feature, merge) = merged("Merge branch 'feature'").await;
    stage.build("dev", COMMIT, 1);
    let refusal = stage.refused(pushed(&merge), "stage", &[]);
    let refusal = without(&without(&refusal, &feature, "FEATURE"), &merge, "MERGE");
    insta::assert_snapshot!(refusal, @r"
    refused: commit FEATURE is not in dev or hotfix: no record of dev names it, ghcr.io/dev has no tag git-SHORT or sha-SHORT, and none with the whole commit; no record of hotfix names it, there is no ghcr.io/hotfix, or it has no tags
     why:  without source promote releases the image in dev or hotfix that was built from the commit which the merge commit MERGE names
     hint: release the commit to dev or hotfix first, or wait until the run that does so has finished; or give source
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_squashed_commit_names_none_that_was_built() {
    let (stage, _, _) = merged("x").await;
    let squashed = add_commit(
        stage.place.root(),
        "b",
        "Feature (#7)",
        &[&stage.policy_commit],
    );
    stage.build("dev", COMMIT, 1);
    let refusal = stage.refused(pushed(&squashed), "stage", &[]);
    insta::assert_snapshot!(without(&refusal, &squashed, "SQUASHED"), @r"
    refused: commit SQUASHED is not in dev or hotfix: no record of dev names it, ghcr.io/dev has no tag git-SHORT or sha-SHORT, and none with the whole commit; no record of hotfix names it, there is no ghcr.io/hotfix, or it has no tags; the commit merges no other
     why:  without source promote releases the image in dev or hotfix that was built from the commit which the branch main names
     hint: give source: after a squash or rebase merge git does not name the commit that was built; or wait until the build of this commit has finished
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_the_clone_does_not_have_is_refused_with_the_depth_that_it_needs() {
    let stage = Stage::new().await;
    stage.build("dev", COMMIT, 1);
    insta::assert_snapshot!(stage.refused(pushed(OTHER), "stage", &[]), @r"
    refused: commit 2222222222222222222222222222222222222222 is not in dev or hotfix: no record of dev names it, ghcr.io/dev has no tag git-2222222 or sha-2222222, and none with the whole commit; no record of hotfix names it, there is no ghcr.io/hotfix, or it has no tags; whether the commit merges one that is built is not known here
     why:  without source promote releases the image in dev or hotfix that was built from the commit which the branch main names
     hint: check the repository out before this step, with fetch-depth: 0; or give source
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_a_merge_of_a_fork_names_no_commit() {
    let (stage, feature, merge) = merged("Merge pull request #7 from mallory/feature").await;
    stage.build("dev", &feature, 1);
    let refusal = stage.refused(pushed(&merge), "stage", &[]);
    insta::assert_snapshot!(without(&refusal, &merge, "MERGE"), @r"
    refused: commit MERGE is not in dev or hotfix: no record of dev names it, ghcr.io/dev has no tag git-SHORT or sha-SHORT, and none with the whole commit; no record of hotfix names it, there is no ghcr.io/hotfix, or it has no tags; the commit merges mallory/feature, a branch of another repository
     why:  without source promote releases the image in dev or hotfix that was built from the commit which the branch main names
     hint: give source, or push the commit to a branch of this repository and build it there
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_of_several_branches_is_refused() {
    let (stage, feature, merge) = merged("x").await;
    let parents = [stage.policy_commit.as_str(), &feature, &merge];
    let octopus = add_commit(stage.place.root(), "b", "x", &parents);
    stage.build("dev", &feature, 1);
    let refusal = stage.refused(pushed(&octopus), "stage", &[]);
    assert!(
        refusal.contains("the commit merges more than one other"),
        "{refusal}"
    );
}
