//! Inputs that change version lines.

use jiff::Timestamp;
use shipmark::release::Failure;
use shipmark::tagging::{ExcludedVersions, TagContext, TagRuleSet, TagRules};

use super::stage::*;
use crate::support::*;

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
