//! A release branch names a commit: exactly one, of this repository, and what its head has.

use std::collections::HashMap;

use git2::ObjectType;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_with_changes_since_the_commit_that_it_names_is_refused() {
    let stage = Stage::new().await;
    let root = stage.place.root();
    let built = add_commit(root, "b", "x", &[&stage.policy_commit]);
    let digest = stage.build("dev", &built, 1);
    let branch = format!("refs/heads/release/v1.2.0-sha-{}", &built[..7]);
    let fixed = add_commit(root, "c", "fix", &[&built]);
    let refusal = stage.refused(("push", &branch, &fixed), "stage", &[]);
    let refusal = refusal.replace(&built, "BUILT").replace(&fixed, "FIXED");
    insta::assert_snapshot!(refusal.replace(&built[..7], "SHORT"), @r"
    refused: the head of the branch release/v1.2.0-sha-SHORT (FIXED) has changes since the commit BUILT: a.txt
     why:  the branch names the commit whose image is released, and the changes are not in it
     hint: build and push the head first, and name the branch after it; or give source
    ");

    let empty = add_commit(root, "b", "an empty commit", &[&built]);
    stage.promoted(("push", &branch, &empty), "stage", &[]);
    assert_eq!(stage.current("stage"), digest);
    // A head that the clone lacks.
    let log = stage.promoted(("push", &branch, OTHER), "stage", &[]);
    let warning = "has changed since the commit";
    assert!(log.contains("::warning") && log.contains(warning), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abbreviation_of_two_commits_is_refused() {
    let stage = Stage::new().await;
    let twins = twin_commits(stage.place.root());
    stage.build("dev", &twins[0], 1);
    let branch = format!("refs/heads/release/v1.2.0-sha-{}", &twins[0][..7]);
    let refusal = stage.refused(("push", &branch, &twins[0]), "stage", &[]);
    for part in [
        "is ambiguous: 2 commits begin with it",
        &twins[0],
        &twins[1],
        "more digits of the commit",
    ] {
        assert!(refusal.contains(part), "{part}: {refusal}");
    }
    let whole = format!("refs/heads/release/v1.2.0-sha-{}", twins[0]);
    stage.promoted(("push", &whole, &twins[0]), "stage", &[]);
}

/// Writes two commits that share their first seven digits.
fn twin_commits(folder: &Path) -> [String; 2] {
    let repository = Repository::open(folder).unwrap();
    let tree = repository.head().unwrap().peel_to_tree().unwrap();
    let someone = Signature::new("A", "a@example.com", &Time::new(0, 0)).unwrap();
    let text_of = |number: u32| {
        let message = number.to_string();
        let buffer = repository.commit_create_buffer(&someone, &someone, &message, &tree, &[]);
        buffer.unwrap().to_vec()
    };
    let mut known: HashMap<String, u32> = HashMap::new();
    for number in 0.. {
        let id = Oid::hash_object(ObjectType::Commit, &text_of(number)).unwrap();
        if let Some(other) = known.insert(id.to_string()[..7].to_owned(), number) {
            let odb = repository.odb().unwrap();
            return [other, number].map(|number| {
                let written = odb.write(ObjectType::Commit, &text_of(number));
                written.unwrap().to_string()
            });
        }
    }
    unreachable!("numbers end after digits")
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_8_the_branch_of_a_fork_names_no_commit() {
    let stage = Stage::new().await;
    stage.build("dev", COMMIT, 1);
    let pull_request = |repository: &str, merged: bool| {
        serde_json::json!({
            "action": "closed",
            "number": 7,
            "pull_request": {
                "number": 7,
                "merged": merged,
                "merge_commit_sha": OTHER,
                "head": {
                    "ref": "release/v9.0.0-sha-9f3c2a1",
                    "sha": COMMIT,
                    "repo": {"full_name": repository},
                },
                "base": {"ref": "main", "sha": stage.policy_commit, "repo": {"full_name": "acme/web"}},
            },
            "repository": {"full_name": "acme/web", "default_branch": "main"},
        })
    };
    let run = |repository: &str, merged: bool| {
        std::fs::write(
            stage.place.path("event.json"),
            pull_request(repository, merged).to_string(),
        )
        .unwrap();
        let inputs = [("command", "promote"), ("environment", "stage")];
        let mut step = stage.place.step("refs/heads/main", &inputs);
        stage.registry.clear_log();
        step.env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_EVENT_PATH", stage.place.path("event.json"))
            .env("GITHUB_SHA", OTHER)
            .env("GITHUB_WORKFLOW_SHA", &stage.policy_commit);
        Ran::of(step.output().unwrap())
    };
    let refusal = stage.failed(run("mallory/web", true), 1);
    assert!(
        refusal.contains("which comes from another repository"),
        "{refusal}"
    );
    let refusal = stage.failed(run("acme/web", false), 1);
    assert!(refusal.contains("which is not merged"), "{refusal}");
    let own = run("acme/web", true);
    assert_eq!(own.status, Some(0), "{}", own.log);
}
