//! Version lines and the tags that rules make immutable.

use jiff::Timestamp;
use serde_json::json;
use shipmark::release::{Failure, ReleaseRequest, ReleaseVerb};
use shipmark::tagging::{CompatMode, ExcludedVersions, TagContext, TagRuleSet, TagRules};

use crate::registry::{Profile, Registry};
use crate::support::*;

const OLD: &str = "2024-11-20T00:00:00Z";
const NEWER: &str = "2026-06-01T00:00:00Z";
const NEW: &str = "2026-11-20T00:00:00Z";

/// An image of its own that was created then, in place by its digest.
fn dated(registry: &Registry, number: u32, created: &str) -> String {
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "number": number,
        "created": created,
    })
    .to_string();
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let size = config.len();
    let config = registry.put_blob("web", config);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config,
            "size": size,
        },
        "layers": [],
    })
    .to_string();
    let digest = crate::registry::digest(manifest.as_bytes());
    registry.put_manifest("web", &digest, kind, manifest)
}

/// A push of a git tag or a branch with these rules; none are the default table.
fn pushed_with(
    registry: &Registry,
    digest: &str,
    git_ref: &str,
    [tags, flavor]: [&str; 2],
    mode: CompatMode,
) -> ReleaseRequest {
    let place = format!("{}/web", registry.host());
    let source = format!("{place}@{digest}");
    let mut request = request(ReleaseVerb::Push, &source, &[&place], pushed(git_ref));
    // Each push is of a commit of its own.
    let commit = digest.trim_start_matches("sha256:")[..40].to_owned();
    request.facts.as_mut().unwrap().commit = Some(commit.parse().unwrap());
    let rules = TagRuleSet::parse(tags, flavor, mode).unwrap();
    let subject = TagContext::from_facts(request.facts.clone(), Timestamp::UNIX_EPOCH);
    request.rules = TagRules::new(rules, subject);
    request
}

const MODES: [CompatMode; 2] = [CompatMode::Compatible, CompatMode::Strict];
const SEMVER: &str = "type=semver,pattern=v{{version}}\ntype=semver,pattern=v{{major}}.{{minor}}";

/// Images by letter: `a` of two years ago, `b` of half a year ago, `c` of now.
async fn stage(tags: &[(&str, char)]) -> (Registry, [String; 3]) {
    let registry = Registry::start(Profile::plain()).await;
    let images = [OLD, NEWER, NEW].map(|created| dated(&registry, 0, created));
    let of = |letter: char| images[letter as usize - 'a' as usize].clone();
    let tags = tags
        .iter()
        .map(|(tag, letter)| ((*tag).to_owned(), of(*letter)));
    registry.set_tags("web", tags.collect());
    (registry, images)
}

/// The tags after a release of image `c`, with the letters of their images, and the warnings.
async fn released(before: &[(&str, char)], git_tag: &str, rules: &str) -> (String, String) {
    let (registry, images) = stage(before).await;
    let (context, said) = context_with(settings());
    let git_ref = format!("refs/tags/{git_tag}");
    let request = pushed_with(&registry, &images[2], &git_ref, [rules, ""], MODES[0]);
    done(request, &context).await;
    let letter = |digest: &String| {
        let at = images.iter().position(|image| image == digest).unwrap();
        char::from(b'a' + u8::try_from(at).unwrap())
    };
    let tags = registry.tags("web");
    let tags = tags.iter().filter(|(tag, _)| !tag.starts_with("git-"));
    let tags: Vec<_> = tags
        .map(|(tag, digest)| format!("{tag}={}", letter(digest)))
        .collect();
    (tags.join(" "), said.warnings())
}

#[tokio::test]
async fn promise_4_line_put_right() {
    for (before, git_tag, rules, after, odd) in [
        (
            &[
                ("v1.10.6", 'a'),
                ("v1.10", 'a'),
                ("v1.5.2", 'b'),
                ("v1.5", 'b'),
                ("latest", 'b'),
            ][..],
            "v1.5.3",
            SEMVER,
            "latest=c v1.10=a v1.10.6=a v1.5=c v1.5.2=b v1.5.3=c",
            Some("1.10.6"),
        ),
        (
            &[("1.51.0", 'a'), ("0.51.0", 'b'), ("latest", 'b')],
            "v0.52.0",
            "",
            "0.51.0=b 0.52=c 0.52.0=c 1.51.0=a latest=c",
            Some("1.51.0"),
        ),
        (
            &[("v1.30.1", 'a'), ("v1.32.1", 'b'), ("latest", 'a')],
            "v1.30.2",
            "type=ref,event=tag",
            "latest=c v1.30.1=a v1.30.2=c v1.32.1=b",
            Some("1.32.1"),
        ),
        (
            &[("0.22.3", 'a'), ("0.23.0", 'b')],
            "v0.22.4",
            "",
            "0.22=c 0.22.3=a 0.22.4=c 0.23.0=b",
            None,
        ),
        (
            &[
                ("2024.05.01", 'a'),
                ("1.4.0", 'b'),
                ("latest", 'b'),
                ("1", 'b'),
            ],
            "v1.5.0",
            "",
            "1=c 1.4.0=b 1.5=c 1.5.0=c 2024.05.01=a latest=c",
            Some("2024.05.01"),
        ),
    ] {
        let (tags, warnings) = released(before, git_tag, rules).await;
        assert_eq!(tags, after, "{git_tag}");
        match odd {
            Some(odd) => {
                let exclude = format!("exclude-versions: {odd}");
                assert!(warnings.contains(&exclude), "{git_tag}: {warnings}");
            }
            None => assert_eq!(warnings, "", "{git_tag}"),
        }
    }
}

/// Whether a second push of another image leaves the tag where the first put it.
async fn keeps(tag: &str, pushes: [&str; 2], rules: [&str; 2], mode: CompatMode) -> bool {
    let (registry, images) = stage(&[]).await;
    for (git_tag, image) in pushes.iter().zip(&images) {
        let git_ref = format!("refs/tags/{git_tag}");
        done(
            pushed_with(&registry, image, &git_ref, rules, mode),
            &context(),
        )
        .await;
    }
    registry.tags("web")[tag] == images[0]
}

#[tokio::test]
async fn promise_4_latest_backwards() {
    let raw = "type=semver,pattern={{version}}\ntype=raw,value=latest";
    for mode in MODES {
        for (rules, flavor, pushes) in [
            (raw, "", ["v2.0.0", "v1.4.9"]),
            (raw, "latest=false", ["v2.0.0", "v1.4.9"]),
            (
                "type=raw,value=latest\ntype=semver,pattern={{version}}",
                "",
                ["v2.0.0", "v1.4.9"],
            ),
            (
                "type=match,pattern=api/v(.*),group=1",
                "",
                ["api/v2.0.0", "api/v1.4.9"],
            ),
            ("type=ref,event=tag", "", ["api/v2.0.0", "api/v1.4.9"]),
            (
                "type=ref,event=tag",
                "",
                ["@acme/web@2.0.0", "@acme/web@1.4.9"],
            ),
            (
                "type=semver,pattern={{raw}}",
                "",
                ["v1.28.3+k3s1", "v1.27.8+k3s1"],
            ),
            (
                "type=semver,pattern={{raw}}",
                "",
                ["v1.28.3+k3s2", "v1.28.3+k3s1"],
            ),
            ("type=ref,event=tag", "", ["v1.19", "v1.18"]),
            ("type=pep440,pattern={{version}}", "", ["2025.3", "2025.2"]),
            (
                "type=match,pattern=v(.*),group=1",
                "",
                ["v0.9.2.5", "v0.9.1.9"],
            ),
            ("", "", ["v0.9.2.5", "v0.9.1.9"]),
            ("", "", ["v2026.10.0", "v2026.02.0"]),
            ("", "", ["v1.4.0+build.7", "v1.4.0+build.6"]),
        ] {
            assert!(
                keeps("latest", pushes, [rules, flavor], mode).await,
                "{rules} {pushes:?}"
            );
        }
        let plain = "1.4.9\nlatest";
        assert!(
            keeps("latest", ["v2.0.0", "v1.4.9"], [raw, ""], mode).await,
            "{plain}"
        );
    }
}

#[tokio::test]
async fn promise_4_variant_takes_latest() {
    for mode in MODES {
        let (registry, images) = stage(&[]).await;
        for (image, suffix) in [(&images[0], ""), (&images[1], ",suffix=-alpine")] {
            let rules = format!("type=semver,pattern=v{{{{version}}}}{suffix}");
            let request = pushed_with(&registry, image, "refs/tags/v10.7.0", [&rules, ""], mode);
            done(request, &context()).await;
        }
        let tags = registry.tags("web");
        assert_eq!(
            (&tags["latest"], &tags["v10.7.0-alpine"]),
            (&images[0], &images[1])
        );
        // By the flavor of the default table too.
        let table = ["", "suffix=-slim"];
        let request = pushed_with(&registry, &images[2], "refs/tags/v10.7.0", table, mode);
        done(request, &context()).await;
        let tags = registry.tags("web");
        assert_eq!(
            (&tags["latest"], &tags["10.7-slim"]),
            (&images[0], &images[2])
        );
    }
}

#[tokio::test]
async fn promise_4_components_do_not_move_the_bare_lines() {
    let (registry, images) = stage(&[]).await;
    for (git_tag, image) in ["v2.0.0", "web-v3.0.0", "api/v1.0.0"]
        .into_iter()
        .zip(&images)
    {
        let git_ref = format!("refs/tags/{git_tag}");
        let request = pushed_with(&registry, image, &git_ref, ["", ""], MODES[0]);
        done(request, &context()).await;
    }
    let tags = registry.tags("web");
    let names = [
        "latest",
        "2",
        "web-latest",
        "web-3",
        "api-latest",
        "api-1.0.0",
    ];
    let of = [0, 0, 1, 1, 2, 2].map(|image| &images[image]);
    assert_eq!(names.map(|name| &tags[name]), of);
}

#[tokio::test]
async fn promise_3_version_that_may_be_moved() {
    for (rules, git_tag) in [
        ("type=match,pattern=v(.*),group=1", "v0.9.2.5"),
        ("type=ref,event=tag", "v0.9.2.5"),
        ("type=raw,value=0.9.2.5", "v0.9.2.5"),
        ("type=raw,value=2026.02", "v2026.02"),
        ("1.19", "v1.19"),
        ("web-1.4.0", "x"),
    ] {
        let (registry, images) = stage(&[]).await;
        let git_ref = format!("refs/tags/{git_tag}");
        let push = |image| {
            pushed_with(
                &registry,
                image,
                &git_ref,
                [rules, ""],
                CompatMode::Compatible,
            )
        };
        done(push(&images[0]), &context()).await;
        let (failure, text) = failed(push(&images[1]), &context()).await;
        assert!(matches!(failure, Failure::Refused(_)), "{rules}: {text}");
        assert!(text.contains("is an immutable tag"), "{rules}: {text}");
    }
}

#[tokio::test]
async fn promise_4_git_tag_dropped() {
    for (git_tag, expected) in [
        ("2026.02.0", "2026 2026.02 2026.02.0 latest"),
        ("v2026.02.0", "2026 2026.02 2026.02.0 latest"),
        ("v2025.11.1", "2025 2025.11 2025.11.1 latest"),
        ("0.29", "0.29 latest"),
        ("1.2.3.4", "1 1.2 1.2.3.4 latest"),
        ("20261120", "20261120"),
        ("nightly-x", "nightly-x"),
        (
            "@acme/web@1.2.3",
            "acme-web-1 acme-web-1.2 acme-web-1.2.3 acme-web-latest",
        ),
    ] {
        let (tags, _) = released(&[], git_tag, "").await;
        let names: Vec<&str> = tags
            .split(' ')
            .map(|tag| tag.trim_end_matches("=c"))
            .collect();
        assert_eq!(names.join(" "), expected, "{git_tag}");
    }
}

#[tokio::test]
async fn promise_3_branch_takes_version_tag() {
    let rules = "type=ref,event=branch\ntype=semver,pattern=web-{{version}}\ntype=semver,pattern=web-{{major}}.{{minor}}";
    for (mode, branch) in MODES
        .into_iter()
        .flat_map(|mode| ["web-1.4", "web-1.4.0", "web-latest"].map(|branch| (mode, branch)))
    {
        let before = [
            ("web-1.4.0", 'a'),
            ("web-1.3.0", 'a'),
            ("web-1.4", 'a'),
            ("web-latest", 'a'),
        ];
        let (registry, images) = stage(&before).await;
        let (context, said) = context_with(settings());
        let git_ref = format!("refs/heads/{branch}");
        let request = pushed_with(&registry, &images[2], &git_ref, [rules, ""], mode);
        let outcome = shipmark::release::run(&request, &context).await;
        assert_eq!(registry.tags("web")[branch], images[0], "{mode:?} {branch}");
        match outcome {
            Err(Failure::Refused(_)) => {}
            Ok(_) => {
                assert_eq!(mode, CompatMode::Compatible, "{branch}");
                assert!(said.warnings().contains("no branch moves"), "{branch}");
            }
            other => panic!("{mode:?} {branch}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn promise_4_latest_of_a_branch_follows_it_and_warns_where_there_are_releases() {
    for (mode, follows) in MODES.into_iter().zip([true, false]) {
        let (registry, images) = stage(&[("1.4.0", 'a'), ("latest", 'a')]).await;
        let (context, said) = context_with(settings());
        let rules = ["type=raw,value=latest\nmain", ""];
        let request = pushed_with(&registry, &images[2], "refs/heads/main", rules, mode);
        done(request, &context).await;
        assert_eq!(registry.tags("web")["latest"] == images[2], follows);
        assert_eq!(
            said.warnings().contains("latest is the version line"),
            follows
        );
    }
}

#[tokio::test]
async fn promise_4_excluded_versions() {
    let (registry, images) = stage(&[("2024.5.1", 'a'), ("1.4.0", 'b'), ("latest", 'a')]).await;
    let release = |patterns: &[&str]| {
        let mut request = pushed_with(
            &registry,
            &images[2],
            "refs/tags/v1.5.0",
            ["", ""],
            MODES[0],
        );
        request.excluded_versions = ExcludedVersions::parse(patterns.iter().copied()).unwrap();
        request
    };
    let (failure, text) = failed(release(&["1.5.*"]), &context()).await;
    assert!(matches!(failure, Failure::Input(_)), "{text}");
    assert_eq!(registry.tags("web").len(), 3);
    let (context, said) = context_with(settings());
    done(release(&["2024.*"]), &context).await;
    assert_eq!(registry.tags("web")["latest"], images[2]);
    assert_eq!(said.warnings(), "");
}

#[tokio::test]
async fn promise_4_flavor_and_lines_off_with_the_default_table() {
    for (flavor, off, expected) in [
        ("latest=false", false, "1 1.4 1.4.0"),
        ("prefix=v", false, "latest v1 v1.4 v1.4.0"),
        (
            "suffix=-alpine,onlatest=true",
            false,
            "1-alpine 1.4-alpine 1.4.0-alpine latest-alpine",
        ),
        ("", true, "1.4.0"),
    ] {
        let (registry, images) = stage(&[]).await;
        let mut request = pushed_with(
            &registry,
            &images[2],
            "refs/tags/v1.4.0",
            ["", flavor],
            MODES[0],
        );
        if off {
            let rules = TagRuleSet::parse("", flavor, MODES[0])
                .unwrap()
                .without_lines();
            let subject = TagContext::from_facts(request.facts.clone(), Timestamp::UNIX_EPOCH);
            request.rules = TagRules::new(rules, subject);
        }
        done(request, &context()).await;
        let tags = registry.tags("web").into_keys();
        let names: Vec<String> = tags.filter(|tag| !tag.contains("git-")).collect();
        assert_eq!(names.join(" "), expected, "{flavor}");
    }
}

#[tokio::test]
async fn promise_4_a_channel_goes_forward_and_stays_when_the_release_comes() {
    let rules = [
        "type=semver,pattern={{version}}\ntype=semver,pattern={{channel}}",
        "",
    ];
    let (registry, images) = stage(&[]).await;
    for (git_tag, image, at) in [
        ("v1.4.0-rc.1", 0, 0),
        ("v1.4.0-rc.2", 1, 1),
        ("v1.3.0-rc.9", 2, 1),
        ("v1.4.0", 2, 1),
    ] {
        let git_ref = format!("refs/tags/{git_tag}");
        let request = pushed_with(&registry, &images[image], &git_ref, rules, MODES[1]);
        done(request, &context()).await;
        assert_eq!(registry.tags("web")["rc"], images[at], "{git_tag}");
    }
}
