//! Version lines and the tags that rules make immutable.

use shipmark::release::Failure;
use shipmark::tagging::CompatMode;

use super::stage::*;
use crate::support::*;

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

/// The line would pass an old version; a newer one appears before the line is written.
#[tokio::test]
async fn promise_4_what_the_second_reading_finds_is_warned_about() {
    let (registry, images) = stage(&[("1.4.0", 'b'), ("latest", 'b'), ("9.9.9", 'a')]).await;
    let (context, said) = context_with(settings());
    let gate = registry.gate();
    let rules = ["type=semver,pattern={{version}}", ""];
    let release = pushed_with(&registry, &images[2], "refs/tags/v1.5.0", rules, MODES[0]);
    let release = done(release, &context);
    let in_progress = dated(&registry, 7, NEW);
    let disturb = async {
        let mut lists = 0;
        loop {
            for request in gate.held() {
                lists += u32::from(request.contains("/tags/list"));
                if lists == 2 {
                    let mut tags = registry.tags("web");
                    tags.insert("1.6.0".to_owned(), in_progress.clone());
                    registry.set_tags("web", tags);
                }
                gate.release(&request, None);
            }
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        _ = release => {}
        () = disturb => {}
    }
    assert_eq!(registry.tags("web")["latest"], images[1]);
    let warnings = said.warnings();
    for version in ["9.9.9", "1.6.0"] {
        assert!(warnings.contains(version), "{version}: {warnings}");
    }
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
async fn promise_4_a_line_does_not_go_back_from_an_unusual_build() {
    for (version, tag, git_tag, ours) in [
        ("1.4", "1.4.1-gabc1234", "v1.4.0+g2b2e927", "1.4.0-g2b2e927"),
        ("1.28", "1.28.3-k3s1", "v1.28.2", "1.28.2"),
        ("1.4", "1.4.1-7", "v1.4.0", "1.4.0"),
    ] {
        let before = [(tag, 'a'), (version, 'a'), ("1", 'a'), ("latest", 'a')];
        let (tags, warnings) = released(&before, git_tag, "").await;
        let expected = format!("1=a {version}=a {ours}=c {tag}=a latest=a");
        assert_eq!(tags, expected, "{git_tag}");
        let is_build = tag.contains("-g");
        assert_eq!(warnings.contains("names"), !is_build, "{warnings}");
    }
}

#[tokio::test]
async fn promise_4_raw_values_are_compared_with_the_series_of_their_tag() {
    for rules in [
        "type=raw,value=1.4.1-alpine\ntype=raw,value=1-alpine",
        "type=raw,value=1-alpine\ntype=raw,value=1.4-alpine",
        "type=semver,pattern={{version}}\ntype=raw,value=1-alpine",
        "type=semver,pattern={{version}},suffix=-alpine\ntype=raw,value=1-alpine",
    ] {
        let before = [("1.5.0-alpine", 'a'), ("1-alpine", 'a')];
        let (tags, _) = released(&before, "v1.4.1", rules).await;
        assert!(tags.contains("1-alpine=a"), "{rules}: {tags}");
        let before = [("1.4.0-alpine", 'a'), ("1-alpine", 'a')];
        let (tags, _) = released(&before, "v1.4.1", rules).await;
        assert!(tags.contains("1-alpine=c"), "{rules}: {tags}");
    }
}
