//! Tables of the names that a promotion keeps: the version, the SHA tag, the name of a release branch.

use super::*;
use crate::event::{EventFacts, GitRef, LocalCheckout};
use crate::image::Tag;

const BUILT: &str = "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff";

fn on(git_ref: &str) -> EventFacts {
    EventFacts::from_checkout(&LocalCheckout {
        git_ref: Some(GitRef::from(git_ref)),
        commit: Some("860c1904a1ce19322e91ac35af1ab07466440c37".parse().unwrap()),
        ..LocalCheckout::default()
    })
}

fn labelled(version: Option<&str>) -> ImageOrigin {
    ImageOrigin {
        malformed_revision: None,
        revision: Some(BUILT.parse().unwrap()),
        version: version.map(str::to_owned),
        ..ImageOrigin::default()
    }
}

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn promote(git_ref: &str, source: &ImageOrigin) -> DerivedTags {
    let prod = "prod".parse().unwrap();
    derive_promote_tags(Some(&on(git_ref)), source, Some(&prod), &TagRules::Default).unwrap()
}

fn immutable_tags(derived: &DerivedTags) -> String {
    let tags = derived.tags.iter();
    let tags = tags.filter(|planned| planned.kind.is_immutable());
    let names: Vec<_> = tags.map(|planned| planned.tag.as_str()).collect();
    names.join(" ")
}

fn versioned(derived: &DerivedTags) -> (Option<&str>, Option<VersionOrigin>) {
    (derived.version.as_deref(), derived.provenance.version)
}

/// Each source in turn says another version, and the one before it falls silent.
#[test]
fn the_version_comes_from_the_first_source_that_names_one() {
    let mut source = labelled(Some("1.1.0"));
    source.names = ImageNames {
        requested_version: NamedRelease::parse("1.4.0"),
        source_tag: Some("v1.2.0".parse().unwrap()),
        commit_tag_form: None,
        repository_tags: tags(&["1.0.0", "v0.9.0", "latest"]),
    };
    let mut git_ref = "refs/heads/release/v1.3.0";
    let mut check =
        |version: &str, origin, contradictions: usize, change: fn(&mut ImageOrigin, &mut &str)| {
            let derived = promote(git_ref, &source);
            assert_eq!(versioned(&derived), (Some(version), Some(origin)));
            let others = &derived.provenance.version_contradictions;
            assert_eq!(others.len(), contradictions, "{others:?}");
            change(&mut source, &mut git_ref);
        };
    check("1.4.0", VersionOrigin::Input, 5, |source, _| {
        source.names.requested_version = None
    });
    check("1.3.0", VersionOrigin::Event, 4, |_, git_ref| {
        *git_ref = "refs/heads/main"
    });
    check("1.2.0", VersionOrigin::SourceTag, 3, |source, _| {
        source.names.source_tag = None
    });
    check("1.1.0", VersionOrigin::Label, 2, |source, _| {
        source.version = Some("main".into())
    });
    check("1.0.0", VersionOrigin::RepositoryTags, 1, |source, _| {
        source.names.repository_tags.clear()
    });
    let none = promote("refs/heads/main", &source);
    assert_eq!(versioned(&none), (None, None));
    assert!(
        none.notes
            .iter()
            .any(|note| note.contains("main, is not a full version"))
    );
}

#[test]
fn only_a_full_version_counts() {
    for text in [
        "main",
        "1.4",
        "1",
        "latest",
        "v1",
        "hotfix-1.4.0",
        "web-release-v1.4.0",
        "sha-2b2e927",
        "2025-03-10",
    ] {
        let mut source = labelled(Some(text));
        source.names.source_tag = Some(text.parse().unwrap());
        source.names.repository_tags = tags(&[text]);
        let derived = promote("refs/heads/main", &source);
        assert_eq!(versioned(&derived), (None, None), "{text}");
    }
}

/// A component's release keeps its component and its lines, whatever says it.
#[test]
fn a_release_of_a_component_keeps_its_name() {
    let names: [fn(&mut ImageOrigin); 4] = [
        |source| source.names.requested_version = NamedRelease::parse("api/v1.2.3"),
        |source| source.names.source_tag = Some("api-1.2.3".parse().unwrap()),
        |source| source.version = Some("api-1.2.3".to_owned()),
        |source| source.names.repository_tags = tags(&["api-v1.2.3", "api-latest"]),
    ];
    for name in names {
        let mut source = labelled(None);
        name(&mut source);
        let derived = promote("refs/heads/main", &source);
        let tags = derived.tags.iter().map(|planned| planned.tag.as_str());
        let tags: Vec<_> = tags.collect();
        assert_eq!(
            tags.join(" "),
            "api-1.2.3 git-2b2e927 api-1.2 api-1 api-latest prod",
            "{source:?}"
        );
    }
}

#[test]
fn the_flavor_of_a_name_is_not_put_around_it_twice() {
    let rules = TagRuleSet::parse("", "suffix=-alpine", CompatMode::Compatible).unwrap();
    let facts = on("refs/heads/main");
    let subject = TagContext::from_facts(Some(facts.clone()), jiff::Timestamp::UNIX_EPOCH);
    let rules = TagRules::new(rules, subject);
    let mut source = labelled(Some("1.4.0-alpine"));
    for tag in ["1.4.0-alpine", "sha-2b2e927-alpine"] {
        source.names.source_tag = Some(tag.parse().unwrap());
        let derived = derive_promote_tags(Some(&facts), &source, None, &rules).unwrap();
        let lines = derived.tags.iter().filter(|planned| planned.kind.is_line());
        assert_eq!(lines.count(), 3, "{tag}");
        assert!(immutable_tags(&derived).contains("1.4.0-alpine"), "{tag}");
        assert!(
            !immutable_tags(&derived).contains("-alpine-alpine"),
            "{tag}"
        );
    }
    let requested = NamedRelease::parse("1.5.0");
    let pushed = derive_push_tags(Some(&facts), requested.as_ref(), &rules).unwrap();
    assert_eq!(immutable_tags(&pushed), "git-860c190-alpine 1.5.0-alpine");
}

#[test]
fn contradictions_name_both_versions_and_their_sources() {
    let mut source = labelled(Some("1.3.0"));
    source.names.source_tag = Some("1.4.0".parse().unwrap());
    let derived = promote("refs/heads/main", &source);
    assert_eq!(
        derived.provenance.version_contradictions,
        [
            "the version is 1.4.0 (the version of the source's tag 1.4.0), but another source names 1.3.0 (the version that the image names)"
        ]
    );
    for (label, tag) in [
        ("1.4.0-rc.2", "1.4.0"),
        ("1.4.0", "1.4.0-rc.2"),
        ("v1.4.0", "1.4.0"),
    ] {
        source.version = Some(label.to_owned());
        source.names.source_tag = Some(tag.parse().unwrap());
        let derived = promote("refs/heads/main", &source);
        assert_eq!(
            derived.provenance.version_contradictions, [""; 0],
            "{label} {tag}"
        );
    }
}

/// Each source in turn spells the SHA tag, and the one before it falls silent.
#[test]
fn the_sha_tag_keeps_its_spelling() {
    let mut source = labelled(None);
    source.names = ImageNames {
        source_tag: Some("build-2b2e9270c0".parse().unwrap()),
        commit_tag_form: Some(CommitTagForm {
            environment: "dev".parse().unwrap(),
            prefix: "sha-".to_owned(),
            suffix: String::new(),
            digits: None,
        }),
        repository_tags: tags(&["x-2b2e927", "sha-2b2e92700", "1.4.0", "sha-2b2e927"]),
        requested_version: NamedRelease::parse("1.4.0"),
    };
    let mut check = |sha_tag: &str, origin, change: fn(&mut ImageOrigin)| {
        let derived = promote("refs/heads/main", &source);
        assert_eq!(immutable_tags(&derived), format!("1.4.0 {sha_tag}"));
        assert_eq!(derived.provenance.commit_tag, Some(origin));
        change(&mut source);
    };
    let form = |source: &mut ImageOrigin| source.names.commit_tag_form = None;
    check("build-2b2e9270c0", CommitTagOrigin::SourceTag, |source| {
        source.names.source_tag = None
    });
    check(&format!("sha-{BUILT}"), CommitTagOrigin::FromRule, form);
    check("sha-2b2e927", CommitTagOrigin::RepositoryTags, |source| {
        source.names.repository_tags.clear()
    });
    check("git-2b2e927", CommitTagOrigin::Commit, |_| {});
}

#[test]
fn an_unlabelled_image_keeps_the_sha_tag_of_its_source() {
    let mut source = ImageOrigin::default();
    source.names.source_tag = Some("sha-2b2e927".parse().unwrap());
    let derived = promote("refs/heads/main", &source);
    assert_eq!(immutable_tags(&derived), "sha-2b2e927");
    assert_eq!(derived.provenance.commit_contradiction, None);
    source.names.source_tag = Some("develop".parse().unwrap());
    assert_eq!(immutable_tags(&promote("refs/heads/main", &source)), "");
}

#[test]
fn a_label_that_denies_the_sha_tag_is_a_contradiction() {
    let mut source = labelled(None);
    source.names.source_tag = Some("sha-860c190".parse().unwrap());
    let derived = promote("refs/heads/main", &source);
    let contradiction = derived.provenance.commit_contradiction.as_deref();
    assert_eq!(
        contradiction,
        Some(format!("the source's tag sha-860c190 names the commit 860c190, but the image was built from {BUILT}").as_str())
    );
}

#[test]
fn a_release_branch_without_a_version_adds_its_name() {
    for (branch, expected) in [
        ("sprint-42", "sprint-42 git-2b2e927"),
        ("2025-03-10", "2025-03-10 git-2b2e927"),
        ("2025.03.10", "2025.03.10 git-2b2e927"),
        ("2025.12.10-sha-2b2e927", "2025.12.10 git-2b2e927"),
        ("sprint-42-sha-2b2e927", "sprint-42 git-2b2e927"),
        ("web/sprint-42", "web-sprint-42 git-2b2e927"),
        ("sha-2b2e927", "git-2b2e927"),
        ("v1.2.0-sha-2b2e927", "1.2.0 git-2b2e927"),
        ("2026.02.0", "2026.02.0 git-2b2e927"),
        ("0.9.2.5", "0.9.2.5 git-2b2e927"),
        ("latest", "git-2b2e927"),
        ("1.4", "git-2b2e927"),
        ("v2", "git-2b2e927"),
        ("pr-7", "git-2b2e927"),
        ("prod", "git-2b2e927"),
        ("git-860c190", "git-2b2e927"),
    ] {
        let derived = promote(&format!("refs/heads/release/{branch}"), &labelled(None));
        assert_eq!(immutable_tags(&derived), expected, "{branch}");
    }
}

fn push(git_ref: &str, version: Option<&str>) -> Result<String, TaggingError> {
    let facts = on(git_ref);
    let requested = version.and_then(NamedRelease::parse);
    let derived = derive_push_tags(Some(&facts), requested.as_ref(), &TagRules::Default)?;
    let names: Vec<_> = derived
        .tags
        .iter()
        .map(|planned| planned.tag.as_str())
        .collect();
    Ok(names.join(" "))
}

#[test]
fn a_push_has_a_version_where_the_input_asks_for_it() {
    let branch = "refs/heads/release/v1.2.0-sha-860c190";
    let moving = "release-v1.2.0-sha-860c190";
    for (git_ref, version, expected) in [
        (branch, None, format!("git-860c190 {moving}")),
        (
            branch,
            Some("1.2.0"),
            format!("git-860c190 1.2.0 1.2 1 latest {moving}"),
        ),
        (
            branch,
            Some("1.2.0-rc.1"),
            format!("git-860c190 1.2.0-rc.1 {moving}"),
        ),
        (
            "refs/tags/v1.2.0",
            Some("1.2.0"),
            "1.2.0 git-860c190 1.2 1 latest".to_owned(),
        ),
    ] {
        assert_eq!(
            push(git_ref, version),
            Ok(expected),
            "{git_ref} {version:?}"
        );
    }
    let other = push("refs/tags/v1.2.0", Some("1.3.0")).unwrap_err();
    assert_eq!(
        other.to_string(),
        "version is 1.3.0, and the event names the version 1.2.0"
    );
}

#[test]
fn a_push_says_that_its_release_branch_names_another_version() {
    let facts = on("refs/heads/release/v1.2.0-sha-860c190");
    for (version, text) in [
        (
            "1.3.0",
            &[
                "the version is 1.3.0 (the input version), but another source names 1.2.0 (the version of the branch release/v1.2.0-sha-860c190)",
            ][..],
        ),
        ("1.2.0", &[]),
        ("1.2.0-rc.1", &[]),
    ] {
        let requested = NamedRelease::parse(version);
        let derived = derive_push_tags(Some(&facts), requested.as_ref(), &TagRules::Default);
        let provenance = derived.unwrap().provenance;
        assert_eq!(provenance.version_contradictions, text);
    }
}

/// What is looked up where nothing else says it, and nothing where something does.
#[test]
fn sixteen_versions_are_looked_up() {
    let there: Vec<String> = (0..40).map(|patch| format!("1.4.{patch}")).collect();
    let there = there.iter().map(|tag| tag.parse().unwrap());
    let there = there
        .chain(tags(&["sha-2b2e927", "latest", "1.4"]))
        .collect();
    let unknown = |source: &ImageOrigin| {
        let facts = on("refs/heads/main");
        let unknown = UnknownNames::of_promotion(Some(&facts), source).unwrap();
        let found = unknown.candidates(&there, &ExcludedVersions::default());
        let found: Vec<_> = found.iter().map(Tag::to_string).collect();
        (unknown.is_empty(), found.join(" "))
    };
    let highest = "1.4.24 1.4.25 1.4.26 1.4.27 1.4.28 1.4.29 1.4.30 1.4.31 1.4.32 1.4.33 1.4.34 1.4.35 1.4.36 1.4.37 1.4.38 1.4.39";
    assert_eq!(
        unknown(&ImageOrigin::default()),
        (false, highest.to_owned())
    );
    assert_eq!(
        unknown(&labelled(None)),
        (false, format!("{highest} sha-2b2e927"))
    );
    assert_eq!(
        unknown(&labelled(Some("1.4.0"))),
        (false, "sha-2b2e927".to_owned())
    );
    let mut by_sha_tag = labelled(Some("1.4.0"));
    by_sha_tag.names.source_tag = Some("git-2b2e927".parse().unwrap());
    assert_eq!(unknown(&by_sha_tag), (true, String::new()));
}

#[test]
fn excluded_versions_and_dates_are_not_looked_up() {
    let there = tags(&["1.10.6", "1.4.1", "2025.03.10", "2025.03"])
        .into_iter()
        .collect();
    let unknown =
        UnknownNames::of_promotion(Some(&on("refs/heads/main")), &ImageOrigin::default()).unwrap();
    let excluded = ExcludedVersions::parse(["1.10.6"]).unwrap();
    let found = unknown.candidates(&there, &excluded);
    assert_eq!(found.iter().map(Tag::as_str).collect::<Vec<_>>(), ["1.4.1"]);
}

/// An image of one component is not one of another; a version without a component may be of any.
#[test]
fn components_that_differ_contradict_each_other() {
    for (source_tag, git_ref, label, contradicts) in [
        ("web-1.4.0", "refs/tags/api/v1.4.0", None, true),
        ("web-1.4.0", "refs/tags/web/v1.4.0", None, false),
        ("api-1.4.0", "refs/heads/main", Some("web-1.4.0"), true),
        ("api-1.4.0", "refs/heads/main", Some("1.4.0"), false),
        ("1.4.0", "refs/tags/api/v1.4.0", None, false),
    ] {
        let mut source = labelled(label);
        source.names.source_tag = Some(source_tag.parse().unwrap());
        let found = promote(git_ref, &source).provenance.version_contradictions;
        assert_eq!(
            !found.is_empty(),
            contradicts,
            "{source_tag} {git_ref} {label:?}: {found:?}"
        );
        assert!(
            found
                .iter()
                .all(|text| text.contains("web-1.4.0") && text.contains("api-1.4.0"))
        );
    }
}

/// A tag cannot contain `+`: the label says that what follows is a build part.
#[test]
fn a_label_restores_the_build_part_of_a_tag() {
    let mut source = labelled(Some("1.28.3+k3s1"));
    source.names.source_tag = Some("1.28.3-k3s1".parse().unwrap());
    let derived = promote("refs/heads/main", &source);
    let names: Vec<_> = derived
        .tags
        .iter()
        .map(|planned| planned.tag.as_str())
        .collect();
    assert!(
        ["1.28.3-k3s1", "1.28", "1", "latest"]
            .iter()
            .all(|tag| names.contains(tag)),
        "{names:?}"
    );
    assert!(derived.provenance.version_contradictions.is_empty());
}
