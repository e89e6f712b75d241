use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixtures::facts;
use super::*;

fn read(name: &str, payload: &Value) -> Result<EventFacts, EventError> {
    let payload = payload.to_string();
    EventFacts::parse(&EventInputs {
        name,
        payload: Some(payload.as_bytes()),
        ..EventInputs::default()
    })
}

const ID: &str = "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff";
const OTHER: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";

#[test]
fn a_pushed_tag_comes_with_its_commit() {
    let facts = facts("push/run_tag_v1.1.1");
    assert_eq!(facts.git_ref, Some(GitRef::Tag("v1.1.1".into())));
    assert_eq!(facts.commit.unwrap().as_str(), OTHER);
    assert_eq!(facts.default_branch.as_deref(), Some("master"));
    let repository = facts.repository.as_deref();
    assert_eq!(repository, Some("docker/test-docker-action"));
}

#[test]
fn a_deleted_ref_has_no_commit() {
    for name in ["push/tag_deleted", "push/branch_deleted", "delete/tag"] {
        let facts = facts(name);
        assert!(facts.deleted && facts.commit.is_none(), "{name}");
    }
    let tag = GitRef::Tag("simple-tag".into());
    assert_eq!(facts("delete/tag").git_ref, Some(tag));
    let deleted = EventFacts::parse(&EventInputs {
        name: "delete",
        git_ref: Some("refs/heads/main"),
        sha: Some(OTHER),
        payload: Some(br#"{"ref":"v1.4.0","ref_type":"tag"}"#),
        ..EventInputs::default()
    });
    let facts = deleted.unwrap();
    assert_eq!(facts.git_ref, Some(GitRef::Tag("v1.4.0".into())));
    assert_eq!(facts.commit, None);
}

#[test]
fn a_pull_requests_commit_is_its_head() {
    let own = facts("pull_request/synchronize").pull_request.unwrap();
    assert!(own.same_repository && !own.merged);
    for (name, number, head) in [
        ("pull_request/run_pull_request", 15, "3370e22"),
        ("pull_request_target/run_pull_request_target", 15, "3370e22"),
        ("pull_request/fork_synchronize", 305, "76bd109"),
        ("pull_request/closed_merged", 3, "7b5a809"),
    ] {
        let facts = facts(name);
        let pull_request = facts.pull_request.unwrap();
        assert_eq!(pull_request.number, number, "{name}");
        assert_eq!(facts.commit.unwrap().short(), head, "{name}");
        assert!(!pull_request.same_repository, "{name}");
        assert_eq!(pull_request.merged, name.ends_with("merged"), "{name}");
    }
}

#[test]
fn one_repository_is_so_by_all_that_is_known() {
    let same = |head: Value, base: Value| {
        let payload = json!({"number": 1, "pull_request": {
            "head": {"ref": "release/1.4.0", "repo": head}, "base": {"repo": base},
        }});
        let facts = read("pull_request", &payload).unwrap();
        let counts = facts.release_branch().unwrap().is_some();
        assert_eq!(counts, facts.pull_request.as_ref().unwrap().same_repository);
        counts
    };
    let base = json!({"id": 1, "full_name": "acme/web"});
    assert!(same(base.clone(), base.clone()));
    assert!(same(json!({"id": 1}), base.clone()));
    assert!(same(json!({"full_name": "acme/web"}), base.clone()));
    assert!(!same(
        json!({"id": 2, "full_name": "acme/web"}),
        base.clone()
    ));
    assert!(!same(
        json!({"id": 1, "full_name": "evil/web"}),
        base.clone()
    ));
    assert!(!same(Value::Null, base.clone()));
    assert!(!same(json!({}), base));
    assert!(!same(Value::Null, Value::Null));
}

#[test]
fn a_workflow_run_counts_within_its_repository() {
    assert!(facts("workflow_run/requested").commit.is_some());
    assert_eq!(facts("workflow_run/completed").commit, None);
}

#[test]
fn what_is_given_goes_before_the_payload() {
    let payload = json!({"ref": "refs/heads/main", "after": ID, "head_commit": {"id": ID}});
    let facts = read("push", &payload).unwrap();
    assert_eq!(facts.git_ref, Some(GitRef::Branch("main".into())));
    assert_eq!(facts.commit.unwrap().as_str(), ID);

    let text = payload.to_string();
    let given = EventInputs {
        name: "push",
        git_ref: Some("refs/tags/v1.4.0"),
        payload: Some(text.as_bytes()),
        ..EventInputs::default()
    };
    let other_ref = EventFacts::parse(&given).unwrap();
    assert_eq!(other_ref.git_ref, Some(GitRef::Tag("v1.4.0".into())));
    assert_eq!(other_ref.commit, None, "the payload's is that of main");
    let sha = Some(OTHER);
    let other_sha = EventFacts::parse(&EventInputs { sha, ..given }).unwrap();
    assert_eq!(other_sha.commit.unwrap().as_str(), OTHER);
}

#[test]
fn an_annotated_tags_own_object_is_no_commit() {
    let payload = json!({"ref": "refs/tags/v1.4.0", "after": ID, "head_commit": {"id": OTHER}});
    let commit = read("push", &payload).unwrap().commit.unwrap();
    assert_eq!(commit.as_str(), OTHER);
    let payload = json!({"ref": "refs/tags/v1.4.0", "after": ID});
    assert_eq!(read("push", &payload).unwrap().commit, None);
}

#[test]
fn an_annotated_tag_that_is_given_as_the_commit_is_peeled() {
    let of_tag = json!({"ref": "refs/tags/v1.4.0", "after": ID, "head_commit": {"id": OTHER}});
    let of_branch = json!({"ref": "refs/heads/main", "after": ID, "head_commit": {"id": OTHER}});
    let without_commit = json!({"ref": "refs/tags/v1.4.0", "after": ID});
    for (payload, git_ref, commit) in [
        (&of_tag, "refs/tags/v1.4.0", OTHER),
        (&of_tag, "", OTHER),
        (&of_tag, "refs/tags/v1.5.0", ID),
        (&of_branch, "refs/heads/main", ID),
        (&without_commit, "refs/tags/v1.4.0", ID),
    ] {
        let text = payload.to_string();
        let facts = EventFacts::parse(&EventInputs {
            name: "push",
            git_ref: Some(git_ref),
            sha: Some(ID),
            payload: Some(text.as_bytes()),
            ..EventInputs::default()
        });
        let found = facts.unwrap().commit.unwrap();
        assert_eq!(found.as_str(), commit, "{payload} {git_ref}");
    }
}

#[test]
fn malformed_events_are_errors_that_do_not_quote_them() {
    let name = EventFacts::parse(&EventInputs::default());
    assert_eq!(name, Err(EventError::NoName));
    let sha = EventFacts::parse(&EventInputs {
        name: "push",
        sha: Some("main"),
        ..EventInputs::default()
    });
    assert_eq!(sha, Err(EventError::Sha));
    for (event, payload, path) in [
        ("push", json!({"ref": 7}), "ref"),
        ("push", json!({"deleted": "yes"}), "deleted"),
        (
            "push",
            json!({"repository": "acme/web"}),
            "repository.full_name",
        ),
        ("release", json!({"release": []}), "release.tag_name"),
        ("pull_request", json!({"number": "12"}), "number"),
        (
            "pull_request",
            json!({"number": 1, "pull_request": {"head": {"sha": "s3cret"}}}),
            "pull_request.head.sha",
        ),
    ] {
        let error = read(event, &payload).unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, EventError::Field { path: at, .. } if at == path),
            "{text}"
        );
        assert!(!text.contains("s3cret"));
    }
}

#[test]
fn fields_of_other_events_are_left_alone() {
    let payload = json!({"ref": 7, "release": [], "number": "x", "deleted": "yes"});
    assert!(read("repository_dispatch", &payload).is_ok());
}

#[test]
fn release_branches_count_where_they_are_pushed_or_chosen() {
    let payload = json!({"ref": "refs/heads/release/v1.2.0-sha-2b2e927"});
    for (event, counts) in [
        ("push", true),
        ("workflow_dispatch", true),
        ("schedule", false),
    ] {
        let facts = read(event, &payload).unwrap();
        assert_eq!(facts.release_branch().unwrap().is_some(), counts, "{event}");
    }
    let deleted = json!({"ref": "refs/heads/release/1.2.0", "deleted": true});
    assert_eq!(read("push", &deleted).unwrap().release_branch(), Ok(None));
}

const EVENTS: [&str; 11] = [
    "push",
    "pull_request",
    "pull_request_target",
    "release",
    "workflow_dispatch",
    "merge_group",
    "schedule",
    "workflow_run",
    "create",
    "delete",
    "issues",
];

/// JSON with the keys that are looked for, holding anything.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("refs/heads/release/v1-sha-x")),
        Just(json!(ID)),
    ];
    let key = prop::sample::select(vec![
        "ref",
        "ref_type",
        "after",
        "deleted",
        "number",
        "action",
        "release",
        "tag_name",
        "prerelease",
        "pull_request",
        "head",
        "base",
        "repo",
        "id",
        "full_name",
        "sha",
        "repository",
        "head_commit",
        "workflow_run",
        "head_sha",
        "head_repository",
        "merge_group",
    ]);
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..8)
                .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_payload_is_read_or_refused(event in prop::sample::select(&EVENTS[..]), payload in any_json()) {
        if let Ok(facts) = read(event, &payload) {
            let _ = facts.release_branch();
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let given = EventInputs { name: "push", payload: Some(&bytes), ..EventInputs::default() };
        let _ = EventFacts::parse(&given);
    }

    #[test]
    fn a_ref_is_written_as_it_was_read(name in ".{1,40}") {
        for head in ["refs/heads/", "refs/tags/"] {
            let text = format!("{head}{name}");
            prop_assert_eq!(GitRef::from(text.as_str()).to_string(), text);
        }
    }
}
