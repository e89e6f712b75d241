//! Tables and laws of the whole room.

use std::collections::HashSet;
use std::fmt::Write;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::event::{EventFacts, EventInputs, GitRef, LocalCheckout, fixtures};
use crate::image::{CommitId, Tag};

const BUILT: &str = "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff";

fn origin(version: Option<&str>) -> ImageOrigin {
    ImageOrigin {
        revision: Some(BUILT.parse().unwrap()),
        version: version.map(str::to_owned),
        ..ImageOrigin::default()
    }
}

fn on(git_ref: &str) -> EventFacts {
    EventFacts::from_checkout(&LocalCheckout {
        git_ref: Some(GitRef::from(git_ref)),
        commit: Some("860c1904a1ce19322e91ac35af1ab07466440c37".parse().unwrap()),
        ..LocalCheckout::default()
    })
}

fn event(name: &str, payload: &str) -> EventFacts {
    EventFacts::parse(&EventInputs {
        name,
        payload: Some(payload.as_bytes()),
        ..EventInputs::default()
    })
    .unwrap()
}

fn push(facts: &EventFacts) -> Result<DerivedTags, TaggingError> {
    derive_push_tags(Some(facts), None, &TagRules::Default)
}

fn promote(facts: &EventFacts, source: &ImageOrigin) -> Result<DerivedTags, TaggingError> {
    let prod = "prod".parse().unwrap();
    derive_promote_tags(Some(facts), source, Some(&prod), &TagRules::Default)
}

/// The tags in a line, the immutable ones before the bar; or the error.
fn line(derived: &Result<DerivedTags, TaggingError>) -> String {
    let derived = match derived {
        Ok(derived) => derived,
        Err(error) => return format!("error: {error}"),
    };
    let names = |immutable: bool| {
        let of_kind = |planned: &&PlannedTag| planned.kind.is_immutable() == immutable;
        let tags = derived.tags.iter().filter(of_kind);
        let names: Vec<_> = tags.map(|planned| planned.tag.as_str()).collect();
        names.join(" ")
    };
    format!("{} | {}", names(true), names(false))
        .trim()
        .to_owned()
}

#[test]
fn every_real_event_gives_its_tags() {
    let mut table = String::new();
    for fixture in fixtures::load_all() {
        let _ = writeln!(table, "{}", fixture.name);
        match fixture.facts() {
            Ok(facts) => {
                let _ = writeln!(table, "  push    {}", line(&push(&facts)));
                let _ = writeln!(table, "  promote {}", line(&promote(&facts, &origin(None))));
            }
            Err(error) => {
                let _ = writeln!(table, "  error: {error}");
            }
        }
    }
    insta::assert_snapshot!(table, @r"
    create/branch
      push    | feature-branch
      promote git-2b2e927 | prod
    create/run_create_branch
      push    git-5f3331d | dev
      promote git-2b2e927 | prod
    create/run_create_tag
      push    2.1.8-beta.67 git-860c190 |
      promote 2.1.8-beta.67 git-2b2e927 | prod
    create/tag
      push    simple-tag |
      promote git-2b2e927 | prod
    delete/branch
      push    error: the event delete deleted the branch feature-branch: there is nothing to tag
      promote error: the event delete deleted the branch feature-branch: there is nothing to tag
    delete/tag
      push    error: the event delete deleted the tag simple-tag: there is nothing to tag
      promote error: the event delete deleted the tag simple-tag: there is nothing to tag
    deployment/commit
      push    error: the event deployment has no default tags
      promote git-2b2e927 | prod
    deployment/created
      push    error: the event deployment has no default tags
      promote git-2b2e927 | prod
    deployment_status/created
      push    error: the event deployment_status has no default tags
      promote git-2b2e927 | prod
    env_only/empty
      error: no event is named (GITHUB_EVENT_NAME is empty)
    env_only/null
      error: no event is named (GITHUB_EVENT_NAME is empty)
    env_only/tag_1.0dev4
      push    1.0dev4 git-860c190 |
      promote git-2b2e927 | prod
    env_only/tag_1.1beta2
      push    1.1beta2 git-860c190 |
      promote git-2b2e927 | prod
    env_only/tag_1.2.3rc2
      push    1.2.3rc2 git-860c190 |
      promote git-2b2e927 | prod
    env_only/tag_1.2post1
      push    1.2post1 git-860c190 |
      promote git-2b2e927 | prod
    env_only/tag_20200110-RC2
      push    20200110-RC2 git-860c190 |
      promote git-2b2e927 | prod
    env_only/tag_p1-v1.0.0
      push    p1-1.0.0 git-860c190 | p1-1.0 p1-1 p1-latest
      promote p1-1.0.0 git-2b2e927 | p1-1.0 p1-1 p1-latest prod
    env_only/tag_release1
      push    release1 git-860c190 |
      promote git-2b2e927 | prod
    env_only/tag_sometag
      push    sometag git-860c190 |
      promote git-2b2e927 | prod
    env_only/tag_v1.2.3rc2
      push    v1.2.3rc2 git-860c190 |
      promote git-2b2e927 | prod
    env_only/tag_v2.0.8-beta.67
      push    2.0.8-beta.67 git-860c190 |
      promote 2.0.8-beta.67 git-2b2e927 | prod
    issues/run_issue_opened
      push    error: the event issues has no default tags
      promote git-2b2e927 | prod
    merge_group/checks_requested
      push    git-2ffea6d | pr-104
      promote git-2b2e927 | prod
    merge_group/destroyed
      push    git-bcafa0e | pr-3
      promote git-2b2e927 | prod
    pull_request/closed_merged
      push    | pr-3
      promote git-2b2e927 | prod
    pull_request/closed_unmerged
      push    | pr-2
      promote git-2b2e927 | prod
    pull_request/fork_synchronize
      push    | pr-305
      promote git-2b2e927 | prod
    pull_request/opened
      push    | pr-2
      promote git-2b2e927 | prod
    pull_request/run_pull_request
      push    | pr-15
      promote git-2b2e927 | prod
    pull_request/synchronize
      push    | pr-2
      promote git-2b2e927 | prod
    pull_request_target/dependabot
      push    | pr-15
      promote git-2b2e927 | prod
    pull_request_target/fork
      push    | pr-305
      promote git-2b2e927 | prod
    pull_request_target/run_pull_request_target
      push    | pr-15
      promote git-2b2e927 | prod
    pull_request_target/self
      push    | pr-10
      promote git-2b2e927 | prod
    push/branch
      push    git-6113728 | master
      promote git-2b2e927 | prod
    push/branch_created
      push    git-d2b75aa | feature-branch
      promote git-2b2e927 | prod
    push/branch_deleted
      push    error: the event push deleted the branch feature-branch: there is nothing to tag
      promote error: the event push deleted the branch feature-branch: there is nothing to tag
    push/run_push_dev
      push    git-860c190 | dev
      promote git-2b2e927 | prod
    push/run_push_invalidchars
      push    git-983315b | my-feature-1245
      promote git-2b2e927 | prod
    push/run_push_master
      push    git-2665741 | master
      promote git-2b2e927 | prod
    push/run_tag_v1.1.1
      push    1.1.1 git-860c190 | 1.1 1 latest
      promote 1.1.1 git-2b2e927 | 1.1 1 latest prod
    push/tag_created
      push    simple-tag git-6113728 |
      promote git-2b2e927 | prod
    push/tag_deleted
      push    error: the event push deleted the tag simple-tag: there is nothing to tag
      promote error: the event push deleted the tag simple-tag: there is nothing to tag
    push/tag_deleted_v0.0.1
      push    error: the event push deleted the tag v0.0.1: there is nothing to tag
      promote error: the event push deleted the tag v0.0.1: there is nothing to tag
    push/tag_v0.0.1
      push    0.0.1 git-d2b75aa | 0.0 latest
      promote 0.0.1 git-2b2e927 | 0.0 latest prod
    release/prereleased
      push    0.0.1 |
      promote 0.0.1 git-2b2e927 | prod
    release/published
      push    0.0.1 | 0.0 latest
      promote 0.0.1 git-2b2e927 | 0.0 latest prod
    release/released
      push    0.0.1 | 0.0 latest
      promote 0.0.1 git-2b2e927 | 0.0 latest prod
    release/run_release_created
      push    error: the event is about a release that is created, not one that is published
      promote error: the event is about a release that is created, not one that is published
    release/unpublished
      push    error: the event is about a release that is unpublished, not one that is published
      promote error: the event is about a release that is unpublished, not one that is published
    repository_dispatch/on_demand
      push    error: the event repository_dispatch has no default tags
      promote git-2b2e927 | prod
    schedule/run_schedule
      push    error: the event schedule has no default tags
      promote git-2b2e927 | prod
    workflow_dispatch/main
      push    | main
      promote git-2b2e927 | prod
    workflow_dispatch/run_workflow_dispatch
      push    git-860c190 | master
      promote git-2b2e927 | prod
    workflow_dispatch/run_workflow_dispatch_dev
      push    git-860c190 | dev
      promote git-2b2e927 | prod
    workflow_run/completed
      push    error: the event workflow_run has no default tags
      promote git-2b2e927 | prod
    workflow_run/requested
      push    error: the event workflow_run has no default tags
      promote git-2b2e927 | prod
    ");
}

#[test]
fn a_branch_takes_no_name_that_stands_for_something_else() {
    for branch in [
        "latest",
        "1",
        "1.4",
        "1.4.0",
        "v1.4.0",
        "1.4.0/fix",
        "-/1.4.0",
        "git-2b2e927",
        "pr-7",
    ] {
        let derived = push(&on(&format!("refs/heads/{branch}")));
        assert_eq!(line(&derived), "git-860c190 |", "{branch}");
        assert_eq!(derived.unwrap().notes.len(), 1, "{branch}");
        let unknown = EventFacts {
            commit: None,
            ..on(&format!("refs/heads/{branch}"))
        };
        assert!(
            matches!(push(&unknown), Err(TaggingError::NoTags(_))),
            "{branch}"
        );
    }
    for tag in ["latest", "1", "git-2b2e927"] {
        let derived = push(&on(&format!("refs/tags/{tag}")));
        assert_eq!(line(&derived), "git-860c190 |", "{tag}");
    }
}

#[test]
fn hostile_names_stay_text() {
    for (branch, tag) in [
        ("a\nb", "a-b"),
        ("%0A::error::x", "0A-error-x"),
        ("`id`", "id-"),
        ("<script>alert(1)</script>", "script-alert-1-script-"),
        ("::add-mask::x", "add-mask-x"),
        ("${{github.token}}", "github.token-"),
    ] {
        let derived = push(&on(&format!("refs/heads/{branch}")));
        assert_eq!(line(&derived), format!("git-860c190 | {tag}"));
        let derived = derived.unwrap();
        let texts = derived
            .notes
            .iter()
            .chain(derived.tags.iter().map(|planned| &planned.rule));
        for text in texts {
            assert!(!text.contains(char::is_control), "{text:?}");
        }
    }
}

#[test]
fn promise_4_a_build_part_is_written_with_a_dash() {
    let derived = push(&on("refs/tags/v1.4.0+build.7"));
    assert_eq!(line(&derived), "1.4.0-build.7 git-860c190 | 1.4 1 latest");
    let derived = derived.unwrap();
    assert_eq!(derived.version.as_deref(), Some("1.4.0-build.7"));
    assert_eq!(
        derived.notes,
        ["the tag of 1.4.0+build.7 is 1.4.0-build.7: no tag can contain a +"]
    );
}

#[test]
fn a_workflow_started_by_hand_is_as_a_push() {
    for (git_ref, expected) in [
        ("refs/heads/release/1.2.0", "| release-1.2.0"),
        ("refs/tags/v1.4.0", "1.4.0 | 1.4 1 latest"),
        ("refs/x/y", "error: refs/x/y is neither a branch nor a tag"),
    ] {
        let facts = event("workflow_dispatch", &format!(r#"{{"ref":"{git_ref}"}}"#));
        assert_eq!(line(&push(&facts)), expected);
    }
}

#[test]
fn errors_say_how_to_go_on() {
    assert_eq!(
        derive_push_tags(None, None, &TagRules::Default),
        Err(TaggingError::NoFacts)
    );
    let detached = push(&EventFacts::from_checkout(&LocalCheckout::default())).unwrap_err();
    assert!(matches!(detached, TaggingError::NoRef(_)), "{detached}");
    assert!(detached.hint().contains("--ref"));
    let draft = r#"{"action":"published","release":{"tag_name":"v1.4.0","draft":true}}"#;
    let draft = push(&event("release", draft)).unwrap_err();
    assert!(draft.to_string().contains("a draft") && !draft.is_refusal());
}

#[test]
fn given_rules_replace_the_table() {
    let rules = TagRules::parse(["nightly", "1.4.0", "nightly", "1.4.0,immutable=false"]).unwrap();
    let derived = derive_push_tags(None, None, &rules);
    assert_eq!(line(&derived), "1.4.0 | nightly");
    let derived = derived.unwrap();
    assert_eq!(derived.version.as_deref(), Some("nightly"));
    assert_eq!(
        derived.notes,
        [
            "the tag 1.4.0 is given twice: taken as immutable (the rule 1.4.0), \
          not as moving (the rule 1.4.0,immutable=false)"
        ]
    );
    let prod = "prod".parse().unwrap();
    let promoted = derive_promote_tags(None, &ImageOrigin::default(), Some(&prod), &rules);
    assert_eq!(line(&promoted), "1.4.0 | nightly");
}

#[test]
fn a_promotion_takes_its_version_from_the_event_else_the_image() {
    let all = "1.4.0 git-2b2e927 | 1.4 1 latest prod";
    let bare = "git-2b2e927 | prod";
    for (git_ref, label, expected) in [
        ("refs/heads/main", None, bare),
        ("refs/heads/main", Some("main"), bare),
        ("refs/heads/main", Some("1.4.0"), all),
        ("refs/heads/main", Some("v1.4.0"), all),
        (
            "refs/heads/main",
            Some("1.4.0-rc.1"),
            "1.4.0-rc.1 git-2b2e927 | prod",
        ),
        ("refs/tags/v1.4.0", Some("1.3.0"), all),
        ("refs/tags/nightly", Some("1.4.0"), all),
        ("refs/heads/release/v1.4.0-sha-2b2e927", None, all),
        ("refs/heads/release/1.4.0", Some("main"), all),
        (
            "refs/heads/release/sprint-42",
            Some("1.4.0"),
            "1.4.0 sprint-42 git-2b2e927 | 1.4 1 latest prod",
        ),
    ] {
        let derived = promote(&on(git_ref), &origin(label));
        assert_eq!(line(&derived), expected, "{git_ref} {label:?}");
    }
}

#[test]
fn a_promotion_needs_no_event() {
    let derive = |source: &ImageOrigin| derive_promote_tags(None, source, None, &TagRules::Default);
    assert_eq!(
        line(&derive(&origin(Some("0.4.0")))),
        "0.4.0 git-2b2e927 | 0.4 latest"
    );
    let nothing = derive(&ImageOrigin::default()).unwrap_err();
    assert_eq!(
        nothing.to_string(),
        "no rule gives a tag: the image names no commit, so there is no git- tag"
    );
}

#[test]
fn a_release_branch_refuses_an_image_of_another_commit() {
    let facts = on("refs/heads/release/v1.4.0-sha-860c190");
    let rules = TagRules::parse(["nightly"]).unwrap();
    for rules in [&TagRules::Default, &rules] {
        let error = derive_promote_tags(Some(&facts), &origin(None), None, rules).unwrap_err();
        assert!(error.is_refusal());
        assert_eq!(
            error.to_string(),
            format!(
                "the branch release/v1.4.0-sha-860c190 names the commit 860c190, \
                     but the image was built from {BUILT}"
            )
        );
    }
    let error = promote(&facts, &ImageOrigin::default()).unwrap_err();
    assert!(error.is_refusal(), "{error}");
    let error = promote(&on("refs/heads/release/v1.4.0-sha-main"), &origin(None)).unwrap_err();
    assert!(matches!(error, TaggingError::ReleaseBranch(_)), "{error}");
}

#[test]
fn a_forks_release_branch_names_nothing() {
    let from = |head: &str| {
        let payload = format!(
            r#"{{"number":1,"pull_request":{{"merged":true,
                "head":{{"ref":"release/v1.4.0-sha-860c190","repo":{{"full_name":"{head}"}}}},
                "base":{{"ref":"main","repo":{{"full_name":"acme/web"}}}}}}}}"#
        );
        promote(&event("pull_request", &payload), &origin(None))
    };
    assert!(matches!(
        from("acme/web"),
        Err(TaggingError::OtherCommit { .. })
    ));
    let foreign = from("evil/web");
    assert_eq!(line(&foreign), "git-2b2e927 | prod");
    assert!(foreign.unwrap().notes[0].contains("another repository"));
}

/// Tags that begin with `shipmark.` are entries of timelines, whatever would give one.
#[test]
fn promise_2_no_release_has_the_name_of_a_timeline_entry() {
    let refused = |derived: Result<DerivedTags, TaggingError>| match derived {
        Err(error) => format!("{error}. {}", error.hint()),
        Ok(derived) => panic!("{}", line(&Ok(derived))),
    };
    insta::assert_snapshot!(refused(push(&on("refs/tags/shipmark.prod/v1.4.0"))), @r#"the version of the tag shipmark.prod/v1.4.0 gives "shipmark.prod-1.4.0", a tag that is reserved for signatures, referrers, records and holds. use another name: change the rule, flavor, version or git tag that gives the tag"#);
    let requested = NamedRelease::parse("shipmark.prod-1.4.0").unwrap();
    let by_input = derive_push_tags(None, Some(&requested), &TagRules::Default);
    insta::assert_snapshot!(refused(by_input), @r#"the input version gives "shipmark.prod-1.4.0", a tag that is reserved for signatures, referrers, records and holds. use another name: change the rule, flavor, version or git tag that gives the tag"#);
    for rule in [
        "type=raw,value=shipmark.x",
        "type=raw,value=Shipmark.x",
        "type=raw,value=-shipmark.x-1.2.3",
        "type=sha,prefix=shipmark.",
        "type=raw,value=x,prefix=shipmark.",
        "type=semver,pattern={{version}},prefix=shipmark.,value=1.4.0",
        "type=ref,event=branch,prefix=shipmark.",
    ] {
        let rules = TagRuleSet::parse(rule, "", CompatMode::Compatible).unwrap();
        let context = TagContext::from_facts(Some(on("refs/heads/main")), Timestamp::UNIX_EPOCH);
        let rules = TagRules::new(rules, context);
        let error = refused(derive_push_tags(None, None, &rules));
        assert!(
            error.contains("for signatures, referrers, records and holds"),
            "{rule}: {error}"
        );
    }
    let form = CommitTagForm {
        environment: "dev".parse().unwrap(),
        prefix: "shipmark.".to_owned(),
        suffix: String::new(),
        digits: Some(7),
    };
    let mut source = origin(None);
    source.names.commit_tag_form = Some(form);
    let promoted = promote(&on("refs/heads/main"), &source);
    assert!(refused(promoted).contains("reserved"));
}

/// Whoever may push can write entries: their names must not become versions or commits of images.
#[test]
fn promise_2_the_entry_of_a_timeline_is_no_version_and_no_commit() {
    let commit: CommitId = "cdef0123456789abcdef0123456789abcdef0123".parse().unwrap();
    for environment in ["prod", "eu-1", "v1", "web-2", "a-1-2"] {
        let text =
            format!("shipmark.{environment}.20261120t214808123z.promote.0123456789ab.cdef01234567");
        let entry: Tag = text.parse().unwrap();
        assert!(tags_of_commit([&entry], &commit).is_empty(), "{entry}");
        assert!(!is_commit_spelling(&entry), "{entry}");
        assert_eq!(NamedRelease::parse_image_name(&text), None, "{entry}");
        assert_eq!(ReleaseSeries::default().version(&entry), None, "{entry}");
        assert_eq!(release_on_line(&entry, [&entry]), None, "{entry}");
    }
    for (text, prefix) in [
        ("shipmark.x-1.4.0", "shipmark.x-"),
        ("shipmark.x-v1.4.0", "shipmark.x-"),
        ("hold.x-1.4.0", "hold.x-"),
        ("hold.1.4.0", "hold."),
        ("Hold.v1.4.0", "Hold."),
    ] {
        let tag: Tag = text.parse().unwrap();
        assert_eq!(NamedRelease::parse_image_name(text), None, "{text}");
        let series = ReleaseSeries::from_affixes(prefix, "");
        assert_eq!(series.version(&tag), None, "{text}");
    }
}

/// A hold keeps an image, and is no name of it: neither of its version nor of its commit.
#[test]
fn the_tag_of_a_hold_is_no_version_and_no_commit() {
    let commit: CommitId = "cdef0123456789abcdef0123456789abcdef0123".parse().unwrap();
    for text in [
        "hold.1.4.0",
        "hold.case-7",
        "hold.sha-cdef012",
        "hold.git-cdef0123456789abcdef0123456789abcdef0123",
    ] {
        let hold: Tag = text.parse().unwrap();
        assert!(tags_of_commit([&hold], &commit).is_empty(), "{hold}");
        assert!(!is_commit_spelling(&hold), "{hold}");
        assert_eq!(NamedRelease::parse_image_name(text), None, "{hold}");
        assert_eq!(ReleaseSeries::default().version(&hold), None, "{hold}");
        assert_eq!(release_on_line(&hold, [&hold]), None, "{hold}");
    }
}

/// Names as people and attackers give them to branches and tags.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{1,200}",
        "[a-z0-9./_+-]{1,150}",
        "[-./]{0,3}v?[0-9]{1,3}([./-][0-9]{1,3}){0,3}",
        "(latest|git-|sha-|pr-|sha256-|shipmark\\.|hold\\.|release/)[0-9a-f]{0,64}",
        "[-.]{0,2}(shipmark|hold)\\.[a-z]{1,4}[-/]v?[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}",
    ]
}

fn check(derived: &DerivedTags) -> Result<(), TestCaseError> {
    let mut seen = HashSet::new();
    prop_assert!(!derived.tags.is_empty());
    for planned in &derived.tags {
        prop_assert_eq!(
            &planned.tag.as_str().parse::<Tag>(),
            &Ok(planned.tag.clone())
        );
        prop_assert!(seen.insert(&planned.tag));
        prop_assert!(!planned.rule.contains(char::is_control));
        prop_assert!(!planned.tag.as_str().starts_with("shipmark."));
        prop_assert!(!planned.tag.as_str().starts_with("hold."));
    }
    let kinds = derived
        .tags
        .iter()
        .map(|planned| !planned.kind.is_immutable());
    prop_assert!(kinds.is_sorted());
    prop_assert!(
        !derived
            .notes
            .iter()
            .any(|note| note.contains(char::is_control))
    );
    Ok(())
}

proptest! {
    #[test]
    fn every_tag_is_valid_and_unique(name in any_name(), tag: bool, version in prop::option::of(any_name())) {
        let facts = on(&format!("refs/{}/{name}", if tag { "tags" } else { "heads" }));
        let source = origin(version.as_deref());
        for derive in [push(&facts), promote(&facts, &source)].iter().flatten() {
            check(derive)?;
        }
        prop_assert_eq!(push(&facts), push(&facts));
        prop_assert_eq!(promote(&facts, &source), promote(&facts, &source));
    }

    #[test]
    fn a_branch_moves_its_own_tag_only(name in any_name()) {
        let derived = push(&on(&format!("refs/heads/{name}"))).unwrap();
        for planned in derived.tags.iter().filter(|planned| !planned.kind.is_immutable()) {
            prop_assert_eq!(&planned.kind, &TagKind::Moving(MovingTagSource::Branch));
            prop_assert_eq!(tag_name::reserved_meaning(&planned.tag), None);
        }
    }
}
