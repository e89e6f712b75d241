use super::*;
use crate::commands::tests::{SHA, given, in_runner as runner};
use crate::event::EventName;

fn diagnostic_text(failure: Failure) -> String {
    failure.diagnostic().unwrap().to_string()
}

#[test]
fn the_runner_says_what_happened() {
    let facts = find_facts(&runner(&[])).unwrap();
    assert_eq!(facts.event, EventName::Push);
    assert_eq!(facts.git_ref, Some(GitRef::Tag("v1.4.0".into())));
    assert_eq!(facts.commit.unwrap().as_str(), SHA);
    assert_eq!(facts.repository.as_deref(), Some("acme/web"));
}

#[test]
fn an_event_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    let with_file = || runner(&[("GITHUB_EVENT_PATH", path.to_str().unwrap())]);
    let missing = diagnostic_text(find_facts(&with_file()).unwrap_err());
    assert!(missing.starts_with(&format!(
        "the event file {} cannot be read: ",
        path.display()
    )));
    std::fs::write(&path, "{").unwrap();
    assert_eq!(
        diagnostic_text(find_facts(&with_file()).unwrap_err()),
        format!(
            "the event file is not JSON: it ends too early at line 1, column 1\n why:  the event file is {}",
            path.display()
        )
    );
    assert!(find_optional_facts(&with_file()).is_err());
}

#[test]
fn a_ref_alone_is_like_a_push_of_it() {
    for given in [
        runner(&[("INPUT_REF", "refs/heads/release/1.4")]),
        given(&["--ref=refs/heads/release/1.4"]),
    ] {
        let facts = find_facts(&given).unwrap();
        assert_eq!(facts.event, EventName::Push);
        assert_eq!(facts.git_ref, Some(GitRef::Branch("release/1.4".into())));
        assert_eq!(facts.commit, None, "the runner's commit is not this ref's");
    }
    insta::assert_snapshot!(
        diagnostic_text(find_facts(&given(&["--ref=main"])).unwrap_err()),
        @r#"--ref: "main" is not a full ref: write refs/heads/NAME for a branch, refs/tags/NAME for a tag"#
    );
}

#[test]
fn the_event_input_overrides_the_runners_event() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    std::fs::write(
        &path,
        r#"{"action": "published", "release": {"tag_name": "v2.0.0"}}"#,
    )
    .unwrap();
    let event = format!("release={}", path.display());
    let flag = format!("--event={event}");
    for given in [
        runner(&[("INPUT_EVENT", &event), ("GITHUB_EVENT_PATH", "/nowhere")]),
        given(&[&flag, "--ref=refs/tags/v2.0.0"]),
    ] {
        let facts = find_facts(&given).unwrap();
        assert_eq!(facts.event, EventName::Release);
        assert_eq!(facts.release.unwrap().tag.as_deref(), Some("v2.0.0"));
    }
}
