use super::*;
use crate::gate::GateState::{Failed, Passed, Unknown};

const NOW: &str = "2026-11-20T12:00:00Z";

fn rule(change: impl FnOnce(&mut ImageRule)) -> ImageRule {
    let mut rule = ImageRule::default();
    change(&mut rule);
    rule
}

#[track_caller]
fn judge(rule: &ImageRule, image: &JudgedImage) -> GateVerdict {
    judge_image(rule, image, time(NOW))
}

/// Returns the index with a change to its second image.
fn index_with(change: impl FnOnce(&mut JudgedPlatform)) -> JudgedImage {
    let mut image = index();
    change(&mut image.platforms[1]);
    image
}

fn content(platform: &mut JudgedPlatform) -> &mut JudgedConfig {
    platform.content.as_mut().unwrap()
}

#[test]
fn an_image_has_all_platforms_that_the_rule_names() {
    let names = |names: &[&str]| {
        rule(|rule| rule.platforms = names.iter().map(|name| name.parse().unwrap()).collect())
    };
    let verdict = judge(&names(&["linux/amd64", "linux/aarch64"]), &index());
    assert_verdict(&verdict, Passed, &[]);
    assert_eq!(verdict.facts(), ["platforms: linux/amd64, linux/arm64"]);
    let verdict = judge(
        &names(&["linux/amd64", "linux/arm/v7", "linux/s390x"]),
        &index(),
    );
    let missing = ["no image for linux/arm/v7", "no image for linux/s390x"];
    assert_verdict(&verdict, Failed, &missing);
    // A platform that is not released is not there.
    let partial = index_with(|arm| arm.is_released = false);
    assert_verdict(&judge(&names(&["linux/amd64"]), &partial), Passed, &[]);
    let verdict = judge(&names(&["linux/arm64"]), &partial);
    assert_verdict(&verdict, Failed, &["no image for linux/arm64"]);
    let unnamed = index_with(|arm| arm.platform = None);
    let verdict = judge(&names(&["linux/arm64"]), &unnamed);
    assert_verdict(&verdict, Failed, &["no image for linux/arm64"]);
    let mut nothing = index();
    nothing.platforms.clear();
    let verdict = judge(&ImageRule::default(), &nothing);
    assert_verdict(&verdict, Unknown, &["no image of any platform"]);
}

#[test]
fn every_platform_has_the_user_that_the_rule_names() {
    for (wanted, user, is_accepted) in [
        ("non-root", "app", true),
        ("non-root", "65532:65532", true),
        ("non-root", "", false),
        ("non-root", "0", false),
        ("non-root", "root", false),
        ("non-root", "root:root", false),
        ("non-root", "0:1000", false),
        ("non-root", ":1000", false),
        ("non-root", "000", false),
        ("non-root", "+0", false),
        ("non-root", "4294967296", false),
        ("non-root", "-1", false),
        ("non-root", "2147483647", true),
        ("non-root", " ", false),
        ("non-root", "ContainerAdministrator", false),
        ("non-root", "host\\administrator", false),
        ("non-root", "ContainerUser", true),
        ("app", "app", true),
        ("app", "app:staff", true),
        ("app", "apple", false),
        ("app", "", false),
        ("1000", "01000", true),
        ("1000", "app", false),
        ("app:staff", "app:staff", true),
        ("app:staff", "app", false),
        ("app:staff", "app:wheel", false),
    ] {
        let image = index_with(|arm| content(arm).user = user.to_owned());
        let other = index_with(|arm| {
            content(arm).user = user.to_owned();
            arm.is_released = false;
        });
        let rule = rule(|rule| rule.user = Some(wanted.parse().unwrap()));
        let verdict = judge(&rule, &image);
        let refusals = verdict.reasons().iter();
        let about_arm = refusals.filter(|reason| reason.starts_with("linux/arm64 has"));
        assert_eq!(about_arm.count() == 0, is_accepted, "{wanted}: {user:?}");
        let verdict = judge(&rule, &other);
        let mut refusals = verdict.reasons().iter();
        assert!(refusals.all(|reason| !reason.contains("arm64")));
    }
    let rooted = index_with(|arm| content(arm).user.clear());
    let verdict = judge(&rule(|rule| rule.user = Some(UserRule::NonRoot)), &rooted);
    let reason = "linux/arm64 has no user, which is root, expected non-root";
    assert_verdict(&verdict, Failed, &[reason]);
}

#[test]
fn the_largest_platform_decides_on_the_size() {
    let limit = |text: &str| rule(|rule| rule.max_size = Some(text.parse().unwrap()));
    let image = index_with(|arm| arm.layers_size = 500 << 20);
    let verdict = judge(&limit("500MiB"), &image);
    assert_verdict(&verdict, Passed, &[]);
    let fact = "compressed layers of linux/arm64: 500.0 MiB, at most 500MiB";
    assert_eq!(verdict.facts()[1], fact);
    let image = index_with(|arm| arm.layers_size = (500 << 20) + 1);
    let reason = "the compressed layers of linux/arm64 have 500.0 MiB (524288001 bytes), expected at most 500MiB";
    assert_verdict(&judge(&limit("500MiB"), &image), Failed, &[reason]);
    let image = index_with(|arm| {
        arm.layers_size = u64::MAX;
        arm.is_released = false;
    });
    assert_verdict(&judge(&limit("10MiB"), &image), Passed, &[]);
}

#[test]
fn every_platform_is_young_enough() {
    let rule = rule(|rule| rule.max_age = Some("90d".parse().unwrap()));
    for (created, state, reason) in [
        (Some("2026-08-22T12:00:00Z"), Passed, None),
        (Some("2026-11-20T12:00:00Z"), Passed, None),
        (
            Some("2026-08-22T11:59:59Z"),
            Failed,
            Some("linux/arm64 was made at 2026-08-22T11:59:59Z, 90 d ago, expected at most 90d"),
        ),
        (
            Some("2026-11-20T12:00:01Z"),
            Failed,
            Some("which is after the time of this run, 2026-11-20T12:00:00Z"),
        ),
        (None, Unknown, Some("does not say when the image was made")),
    ] {
        let image = index_with(|arm| content(arm).created = created.map(time));
        let reasons: Vec<&str> = reason.into_iter().collect();
        assert_verdict(&judge(&rule, &image), state, &reasons);
    }
}

#[test]
fn every_platform_has_the_labels_that_the_rule_names() {
    for (wanted, value, reason) in [
        ("a", Some("b"), None),
        (
            "a",
            Some(""),
            Some("label a of linux/arm64 is empty, expected a value"),
        ),
        (
            "a",
            None,
            Some("label a of linux/arm64 is missing, expected a value"),
        ),
        ("a=b*", Some("bc"), None),
        (
            "a=b*",
            Some("cb"),
            Some("label a of linux/arm64 is cb, expected b*"),
        ),
        ("a=*", Some(""), None),
        ("a=*", None, Some("is missing, expected *")),
        ("a=x=y", Some("x=y"), None),
        (
            "a=x",
            Some("\u{1b}[31m"),
            Some("is \u{fffd}[31m, expected x"),
        ),
    ] {
        let rule = rule(|rule| rule.labels = vec![wanted.parse().unwrap()]);
        let mut image = index_with(|arm| {
            content(arm).labels = labels(
                &value
                    .map(|value| ("a", value))
                    .into_iter()
                    .collect::<Vec<_>>(),
            );
        });
        image.platforms.remove(0);
        let reasons: Vec<&str> = reason.into_iter().collect();
        let state = if reason.is_some() { Failed } else { Passed };
        assert_verdict(&judge(&rule, &image), state, &reasons);
    }
}

#[test]
fn a_config_that_is_needed_and_was_not_read_leaves_the_verdict_unknown() {
    let image = index_with(|arm| arm.content = None);
    let only_platforms = rule(|rule| rule.platforms = vec!["linux/arm64".parse().unwrap()]);
    assert_verdict(&judge(&only_platforms, &image), Passed, &[]);
    for rule in [
        rule(|rule| rule.user = Some(UserRule::NonRoot)),
        rule(|rule| rule.max_age = Some("90d".parse().unwrap())),
        rule(|rule| rule.labels = vec!["org.opencontainers.image.revision".parse().unwrap()]),
    ] {
        let reason = "the config of linux/arm64 could not be read";
        assert_verdict(&judge(&rule, &image), Unknown, &[reason]);
    }
}

#[test]
fn an_override_may_only_tighten_the_image_rule() {
    let base = ImageRule {
        platforms: vec!["linux/amd64".parse().unwrap()],
        user: Some(UserRule::NonRoot),
        max_size: Some("500MiB".parse().unwrap()),
        max_age: Some("90d".parse().unwrap()),
        labels: vec!["a".parse().unwrap(), "b=c*".parse().unwrap()],
    };
    let strict = ImageRule {
        platforms: vec![
            "linux/arm64".parse().unwrap(),
            "linux/amd64".parse().unwrap(),
        ],
        user: Some("app".parse().unwrap()),
        max_size: Some("524288000B".parse().unwrap()),
        max_age: Some("24h".parse().unwrap()),
        labels: vec!["b=c*".parse().unwrap(), "a=b".parse().unwrap()],
    };
    assert!(strict.keys_weaker_than(&base).is_empty());
    assert!(base.keys_weaker_than(&ImageRule::default()).is_empty());
    let all = ["platforms", "user", "max-size", "max-age", "labels"];
    assert_eq!(ImageRule::default().keys_weaker_than(&base), all);
    let weaker = ImageRule {
        user: Some("0".parse().unwrap()),
        max_size: Some("501MiB".parse().unwrap()),
        labels: vec!["a=*".parse().unwrap(), "b=*".parse().unwrap()],
        ..strict
    };
    assert_eq!(
        weaker.keys_weaker_than(&base),
        ["user", "max-size", "labels"]
    );
}

#[test]
fn promise_6_a_platform_on_which_index_and_config_differ_is_unknown() {
    let mut image = index();
    image.platforms[1].platform = None;
    image.platforms[1].platform_conflict =
        Some("linux/arm64 by the index and linux/amd64 by its config".to_owned());
    let rule = ImageRule {
        platforms: vec!["linux/amd64".parse().unwrap()],
        ..ImageRule::default()
    };
    let verdict = judge_image(&rule, &image, time("2026-11-20T12:00:00Z"));
    let reason = "is linux/arm64 by the index and linux/amd64 by its config";
    assert_verdict(&verdict, GateState::Unknown, &[reason]);
}
