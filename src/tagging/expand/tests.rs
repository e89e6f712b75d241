use proptest::prelude::*;

use super::*;
use crate::event::{EventFacts, EventInputs, WorkflowEvent};
use crate::image::Tag;
use crate::tagging::{
    CompatMode, ImmutableTagSource, LineTag, MovingTagSource, ReleaseSeries, ReleaseVersion,
    TagKind, TagRuleSet, VersionLine,
};

const SHA: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";

fn subject(event: &str, git_ref: &str, payload: &str) -> TagContext {
    let given = EventInputs {
        name: event,
        git_ref: Some(git_ref),
        sha: Some(SHA),
        repository: Some("acme/web"),
        payload: Some(payload.as_bytes()),
    };
    TagContext {
        workflow: WorkflowEvent::parse(&given),
        default_branch: Some("main".to_owned()),
        ..TagContext::from_facts(
            EventFacts::parse(&given).ok(),
            "2026-11-20T10:00:00Z".parse().unwrap(),
        )
    }
}

fn push(git_ref: &str) -> TagContext {
    subject(
        "push",
        git_ref,
        r#"{"repository": {"default_branch": "main"}}"#,
    )
}

fn expanded(
    tags: &str,
    flavor: &str,
    mode: CompatMode,
    subject: &TagContext,
) -> Result<RuleExpansion, String> {
    let rules = TagRuleSet::parse(tags, flavor, mode).map_err(|error| error.to_string())?;
    expand_rules(&rules, subject).map_err(|error| error.to_string())
}

fn names(tags: &str, subject: &TagContext) -> Vec<String> {
    let expansion = expanded(tags, "", CompatMode::Compatible, subject).unwrap();
    expansion.names().into_iter().map(str::to_owned).collect()
}

#[test]
fn promise_4_a_channel_takes_no_tag_of_something_else() {
    let rules = "type=semver,pattern={{version}}\ntype=semver,pattern={{channel}}";
    for (word, expected) in [
        ("rc", &["1.4.0-rc.1", "rc"][..]),
        ("latest", &["1.4.0-latest.1"]),
        ("main", &["1.4.0-main.1"]),
        ("prod", &["1.4.0-prod.1"]),
    ] {
        let tagged = push(&format!("refs/tags/v1.4.0-{word}.1"));
        for mode in [CompatMode::Compatible, CompatMode::Strict] {
            let expansion = expanded(rules, "", mode, &tagged).unwrap();
            assert_eq!(expansion.names(), expected, "{mode:?} {word}");
            let mut findings = expansion.findings.iter();
            let has_finding = findings.any(|it| it.text.contains("names no channel"));
            assert_eq!(has_finding, word != "rc", "{mode:?} {word}");
        }
    }
}

/// The line of 1.4.0 of that name, of tags with `prefix` and `suffix`, for a release of the same
/// series.
fn line_of(name: &str, [prefix, suffix]: [&str; 2]) -> TagKind {
    let version = ReleaseVersion::parse("1.4.0").unwrap();
    let series = ReleaseSeries::from_affixes(prefix, suffix);
    TagKind::Moving(MovingTagSource::Line(Box::new(LineTag {
        line: VersionLine::named(name, &version).unwrap(),
        series: series.clone(),
        release_series: series,
        version,
    })))
}

#[test]
fn kinds_follow_from_rules() {
    let kind = |tags: &str, git_ref: &str| {
        let expansion =
            expanded(tags, "latest=false", CompatMode::Compatible, &push(git_ref)).unwrap();
        expansion.tags[0].kind.clone()
    };
    let v1 = "refs/tags/v1.4.0";
    let line = |name| line_of(name, ["", ""]);
    for (tags, expected) in [
        (
            "type=semver,pattern={{version}}",
            TagKind::Immutable(ImmutableTagSource::Version),
        ),
        (
            "type=semver,pattern={{raw}}",
            TagKind::Immutable(ImmutableTagSource::Version),
        ),
        (
            "type=semver,pattern={{major}}.{{minor}}.{{patch}}",
            TagKind::Immutable(ImmutableTagSource::Version),
        ),
        ("type=semver,pattern={{major}}.{{minor}}", line("1.4")),
        ("type=semver,pattern=v{{major}}", line_of("1", ["v", ""])),
        (
            "type=semver,pattern={{major}},suffix=-alpine",
            line_of("1", ["", "-alpine"]),
        ),
        ("type=pep440,pattern={{major}}", line("1")),
        (
            "type=pep440,pattern={{version}}",
            TagKind::Immutable(ImmutableTagSource::Version),
        ),
        (
            "type=semver,pattern={{major}},immutable=true",
            TagKind::Immutable(ImmutableTagSource::Other),
        ),
        (
            "type=semver,pattern={{version}},immutable=false",
            TagKind::Moving(MovingTagSource::Other),
        ),
        ("type=sha", TagKind::Immutable(ImmutableTagSource::Commit)),
        (
            "type=ref,event=tag",
            TagKind::Immutable(ImmutableTagSource::Version),
        ),
        (
            r"type=match,pattern=\d\.\d\.\d",
            TagKind::Immutable(ImmutableTagSource::Version),
        ),
        (r"type=match,pattern=\d\.\d", line("1.4")),
        ("nightly", TagKind::Moving(MovingTagSource::Other)),
        ("1.4.0", TagKind::Immutable(ImmutableTagSource::Version)),
    ] {
        assert_eq!(kind(tags, v1), expected, "{tags}");
    }
    let main = "refs/heads/main";
    assert_eq!(
        kind("type=edge", main),
        TagKind::Moving(MovingTagSource::Branch)
    );
    assert_eq!(
        kind("type=ref,event=branch", main),
        TagKind::Moving(MovingTagSource::Branch)
    );
    assert_eq!(
        kind("type=ref,event=pr", "refs/pull/7/merge"),
        TagKind::Moving(MovingTagSource::PullRequest)
    );
    assert_eq!(
        kind("type=ref,event=tag", "refs/tags/nightly"),
        TagKind::Immutable(ImmutableTagSource::Other)
    );
}

#[test]
fn latest_follows_the_releases() {
    let latest = |tags, flavor, git_ref| {
        expanded(tags, flavor, CompatMode::Compatible, &push(git_ref))
            .unwrap()
            .latest
            .unwrap()
            .kind
    };
    let line = line_of("latest", ["", ""]);
    let version = "type=semver,pattern={{version}}";
    assert_eq!(latest(version, "", "refs/tags/v1.4.0"), line);
    assert_eq!(
        latest("type=ref,event=tag", "", "refs/tags/v1.4.0"),
        line_of("latest", ["v", ""])
    );
    let suffixed = latest(version, "suffix=-a,onlatest=true", "refs/tags/v1.4.0");
    assert_eq!(suffixed, line_of("latest", ["", "-a"]));
    assert_eq!(
        latest("a", "latest=true", "refs/heads/x"),
        TagKind::Moving(MovingTagSource::Other)
    );
}

#[test]
fn a_release_names_its_version_or_itself() {
    let tags = "type=release\ntype=release,pattern={{major}}.{{minor}}";
    for (branch, expected) in [
        (
            "release/v1.2.0-sha-2b2e927",
            &["1.2.0", "1.2", "latest"][..],
        ),
        ("release/1.2.0-rc.1", &["1.2.0-rc.1"]),
        ("release/sprint-42", &["sprint-42"]),
        ("release/2025-03-10-sha-2b2e927", &["2025-03-10"]),
        ("release/sha-2b2e927", &[]),
        ("main", &[]),
    ] {
        assert_eq!(
            names(tags, &push(&format!("refs/heads/{branch}"))),
            expected,
            "{branch}"
        );
    }
    let payload = r#"{"action": "published", "release": {"tag_name": "v1.2.0"}}"#;
    let release = subject("release", "refs/tags/v1.2.0", payload);
    assert_eq!(names(tags, &release), ["1.2.0", "1.2", "latest"]);
    let wrong = expanded(
        tags,
        "",
        CompatMode::Compatible,
        &push("refs/heads/release/1.2.0-sha-main"),
    );
    assert!(wrong.unwrap_err().contains("is not a commit id"));
}

#[test]
fn an_environment_gives_its_name() {
    let mut subject = push("refs/heads/main");
    assert_eq!(names("type=env", &subject), [""; 0]);
    subject.environment = Some("prod".parse().unwrap());
    assert_eq!(names("type=env,prefix=on-", &subject), ["on-prod"]);
}

#[test]
fn a_foreign_workflow_run_names_nothing_in_strict_mode() {
    let run = |head: u8| {
        let payload = format!(
            r#"{{"repository": {{"id": 1}}, "workflow_run": {{"head_branch": "fix", "head_sha": "{SHA}",
                "head_repository": {{"id": {head}}}}}}}"#
        );
        let subject = subject("workflow_run", "refs/heads/main", &payload);
        let tags = "type=ref,event=branch\ntype=sha";
        let expansion = expanded(tags, "", CompatMode::Strict, &subject).unwrap();
        expansion
            .names()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(run(1), ["fix", "sha-860c190"]);
    assert_eq!(run(2), [""; 0]);
}

#[test]
fn a_promotions_commit_is_the_images() {
    let built = "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff".parse().unwrap();
    let main = push("refs/heads/main");
    let tags = "type=sha\ntype=raw,value=x-{{sha}}";
    assert_eq!(
        names(tags, &main.for_built_commit(Some(&built))),
        ["x-2b2e927", "sha-2b2e927"]
    );
    assert_eq!(names(tags, &main.for_built_commit(None)), ["x-"]);
}

#[test]
fn what_javascripts_templates_take_is_taken() {
    let main = push("refs/heads/a&b");
    for (template, expected) in [
        ("{{branch}}", "a-amp-b"),
        ("{{{branch}}}", "a-b"),
        ("{{&branch}}", "a-b"),
        ("{{& date 'YYYY' }}", "2026"),
        ("{{~branch~}}", "a-amp-b"),
        ("{{branch 'x'}}", "a-amp-b"),
        ("{{#branch}}yes{{/branch}}", "yes"),
        ("{{#if tag}}t{{else}}b{{/if}}", "b"),
        ("{{#unless tag}}b{{/unless}}", "b"),
        ("x{{! a comment }}y", "xy"),
        ("{{date 'YYYY\\MM'}}", "2026MM"),
        ("{{date ''}}", "2026-11-20T10-00-00Z"),
        ("{{date 'Z' tz='asia/tokyo'}}", "-09-00"),
        ("\\{{branch}}", "-branch-"),
        ("{{unknown}}x", "x"),
        ("{{eq}}x", "x"),
    ] {
        let tags = format!("type=raw,value={template}");
        assert_eq!(names(&tags, &main), [expected], "{template}");
    }
    for template in [
        "{{date}}",
        "{{date 'a' 'b'}}",
        "{{date 'a' zone='UTC'}}",
        "{{date 'a' tz=''}}",
        "{{date 5}}",
        "{{foo 'x'}}",
        "{{eq 'a' 'a'}}",
        "{{branch",
        "{{}}",
        "{{> x}}",
    ] {
        let tags = format!("type=raw,value={template}");
        assert!(
            expanded(&tags, "", CompatMode::Compatible, &main).is_err(),
            "{template}"
        );
    }
}

/// Refs as people and attackers name them.
fn any_ref() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "[-./]{0,2}v?[0-9]{1,2}(\\.[0-9]{1,2}){0,3}(-?(rc|beta|post|dev)\\.?[0-9])?(\\+[a-z0-9.]{1,5})?",
        "[a-z0-9./_+&'=<-]{1,150}",
        "\\PC{1,20}",
        "(latest|git-|pr-|release/|gh-readonly-queue/)[0-9a-f.]{0,10}",
    ];
    (prop::sample::select(vec!["heads", "tags", "pull"]), name)
        .prop_map(|(kind, name)| format!("refs/{kind}/{name}"))
}

fn any_rule() -> impl Strategy<Value = String> {
    let base = prop::sample::select(vec![
        "type=schedule",
        "type=semver,pattern={{version}}",
        "type=semver,pattern={{major}}.{{minor}}",
        "type=semver,pattern={{major}}",
        "type=semver,pattern={{raw}}-{{build}}",
        "type=semver,pattern={{version}},value={{tag}}",
        "type=semver,pattern={{version}},match=v(.*)",
        "type=pep440,pattern={{version}}",
        "type=pep440,pattern={{major}}",
        "type=match,pattern=\\d+(.\\d+)?",
        "type=match,pattern=/[a-z]/g,group=1",
        "type=edge",
        "type=ref,event=branch",
        "type=ref,event=tag",
        "type=ref,event=pr",
        "type=raw,value={{branch}}",
        "type=raw,value={{{tag}}}{{base_ref}}",
        "type=raw,value={{#if is_default_branch}}d{{/if}}x",
        "type=raw,value={{date 'YYYY-[W]WW' tz='Europe/Berlin'}}",
        "type=raw,value={{commit_date 'X'}}",
        "type=raw,value={{unknown}}-x",
        "type=raw,value=latest",
        "type=sha",
        "type=sha,format=long,prefix=",
        "type=release",
        "type=raw,value=a,value=b",
        "type=raw,value=a,odd=b",
        "type=raw,\"value=a,b\"",
    ]);
    let more = prop::sample::select(vec![
        "",
        "",
        "",
        ",priority=950",
        ",priority=odd",
        ",suffix=-{{sha}}",
        ",prefix=",
        ",prefix=-",
        ",enable={{is_default_branch}}",
        ",enable={{is_not_default_branch}}",
        ",immutable=true",
    ]);
    (base, more).prop_map(|(base, more)| format!("{base}{more}"))
}

fn any_flavor() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "",
        "latest=true",
        "latest=false",
        "prefix=p-",
        "suffix=-{{branch}},onlatest=true",
        "prefix=a=b",
        "suffix=-s",
    ])
}

fn any_subject() -> impl Strategy<Value = TagContext> {
    let events = vec![
        ("push", r#"{"repository": {"default_branch": "main"}}"#),
        ("push", r#"{"deleted": true}"#),
        ("create", r#"{"repository": {"default_branch": "x"}}"#),
        ("schedule", "{}"),
        ("merge_group", "{}"),
        (
            "pull_request",
            r#"{"number": 7, "pull_request": {"head": {"sha": "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff"}}}"#,
        ),
        (
            "release",
            r#"{"action": "published", "release": {"tag_name": "v1.4.0", "prerelease": true}}"#,
        ),
        (
            "release",
            r#"{"action": "created", "release": {"tag_name": "v1.4.0"}}"#,
        ),
        (
            "workflow_run",
            r#"{"repository": {"id": 1}, "workflow_run": {"head_branch": "fix", "head_sha": "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff", "head_repository": {"id": 1}}}"#,
        ),
    ];
    let lengths = vec![
        None,
        None,
        Some("-3".to_owned()),
        Some("12".to_owned()),
        Some("7.9".to_owned()),
    ];
    (
        prop::sample::select(events),
        any_ref(),
        prop::sample::select(lengths),
    )
        .prop_map(|((event, payload), git_ref, short_sha)| TagContext {
            short_sha,
            ..subject(event, &git_ref, payload)
        })
}

fn any_rules() -> impl Strategy<Value = String> {
    prop::collection::vec(any_rule(), 1..5).prop_map(|rules| rules.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn every_tag_of_strict_mode_is_valid(
        rules in any_rules(), flavor in any_flavor(), subject in any_subject()
    ) {
        if let Ok(expansion) = expanded(&rules, flavor, CompatMode::Strict, &subject) {
            for tag in expansion.tags.iter().chain(&expansion.latest) {
                prop_assert!(tag.text.parse::<Tag>().is_ok(), "{:?}", tag.text);
            }
            let names = expansion.names();
            let unique: std::collections::BTreeSet<_> = names.iter().collect();
            prop_assert_eq!(unique.len(), names.len());
        }
    }

    #[test]
    fn expanding_is_a_function(
        rules in any_rules(), flavor in any_flavor(), subject in any_subject()
    ) {
        for mode in [CompatMode::Compatible, CompatMode::Strict] {
            let once = expanded(&rules, flavor, mode, &subject);
            prop_assert_eq!(once, expanded(&rules, flavor, mode, &subject));
        }
    }

    #[test]
    fn where_the_modes_differ_there_is_a_warning(
        rules in any_rules(), flavor in any_flavor(), subject in any_subject()
    ) {
        let strict = expanded(&rules, flavor, CompatMode::Strict, &subject);
        if let Ok(compatible) = expanded(&rules, flavor, CompatMode::Compatible, &subject) {
            let differs = strict.as_ref().map(RuleExpansion::names) != Ok(compatible.names());
            let warned = compatible.findings.iter().any(|finding| finding.difference.is_some());
            prop_assert!(!differs || warned, "{:?} and {:?}", compatible.names(), strict);
        }
    }

    #[test]
    fn tags_come_in_the_order_of_their_rules(priorities in prop::collection::vec(0..3u8, 1..8)) {
        let rules: Vec<_> = priorities
            .iter()
            .enumerate()
            .map(|(index, priority)| format!("tag-{index},priority={priority}"))
            .collect();
        let mut expected: Vec<usize> = (0..priorities.len()).collect();
        expected.sort_by_key(|index| std::cmp::Reverse(priorities[*index]));
        let expected: Vec<_> = expected.into_iter().map(|index| format!("tag-{index}")).collect();
        prop_assert_eq!(names(&rules.join("\n"), &push("refs/heads/main")), expected);
    }

    #[test]
    fn any_template_is_expanded_or_refused(template in "(\\{\\{|\\}\\}|#if|/if|else|date|'|~|&|\\{|\\}|\\\\|branch| |[ -~]|\\PC){0,24}") {
        for mode in [CompatMode::Compatible, CompatMode::Strict] {
            let _ = expanded(&format!("type=raw,\"value={template}\""), "", mode, &push("refs/heads/main"));
        }
    }
}
