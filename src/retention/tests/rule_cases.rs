//! Prune rules: classes, versions, ages.

use super::support::*;
use crate::retention::*;

#[test]
fn case_12_keep_last_counts_images_and_not_their_parts() {
    let mut web = repository();
    for release in 0..12_u8 {
        let days = 100 - i64::from(release);
        let [index, a, b, signature] = ["I", "a", "b", "S"].map(|it| format!("{it}{release:02}"));
        web.image(&a, days);
        web.image(&b, days);
        web.index(&index, &[&a, &b], days);
        web.referrer(&signature, &index, days);
        web.tag(&format!("v{release}"), &index);
    }
    let plan = plan_web(&web, &rules([tags("v*").last(10)]));
    let expected = ["I00", "I01", "S00", "S01", "a00", "a01", "b00", "b01"];
    assert_eq!(plan.gone(), expected);
    assert_eq!(plan.images.condemned, 2);
    // Tags of the platforms are no releases of their own.
    for release in 0..12 {
        web.tag(&format!("v{release}-amd64"), &format!("a{release:02}"));
    }
    let plan = plan_web(&web, &rules([tags("v*").last(10)]));
    assert_eq!(plan.gone(), expected);
}

#[test]
fn case_13_versions_have_their_own_order() {
    let mut web = repository();
    for (version, days) in [("1.9.1", 10), ("1.10.0", 30), ("1.9.0", 5)] {
        web.image(version, days);
        web.tag(version, version);
    }
    let plan = plan_web(&web, &rules([versions("*").last(2)]));
    assert_eq!(plan.order(), ["1.9.0", "1.9.0"]);
    let plan = plan_web(&web, &rules([tags("*").last(2)]));
    assert_eq!(plan.gone(), ["1.10.0"]);
}

#[test]
fn prereleases_components_and_variants_take_no_place_of_releases() {
    let mut web = repository();
    for version in [
        "1.0.0",
        "1.1.0",
        "1.2.0-rc.1",
        "1.2.0-rc.2",
        "api-0.1.0",
        "api-0.2.0",
        "1.0.0-alpine",
        "1.1.0-alpine",
        "1.1",
        "latest",
    ] {
        web.image(version, 90);
        web.tag(version, version);
    }
    let plan = plan_web(&web, &rules([versions("*").last(1)]));
    let expected = ["1.0.0", "1.0.0-alpine", "1.2.0-rc.1", "api-0.1.0"];
    assert_eq!(plan.gone(), expected);
    let plan = plan_web(&web, &rules([versions("api-*").last(1)]));
    assert_eq!(plan.gone(), ["api-0.1.0"]);
}

#[test]
fn keep_last_counts_before_the_age() {
    let mut web = repository();
    for (name, days) in [("a", 1), ("b", 2), ("c", 40), ("d", 50)] {
        web.image(name, days);
        web.tag(&format!("sha-{name}"), name);
    }
    let rule = tags("sha-*").older("30d").last(3);
    assert_eq!(plan_web(&web, &rules([rule])).gone(), ["d"]);
    let rule = tags("sha-*").older("30d").last(2);
    assert_eq!(plan_web(&web, &rules([rule])).gone(), ["c", "d"]);
}

#[test]
fn keep_last_leaves_its_images_whatever_another_rule_says() {
    let mut web = repository();
    for (name, days) in [("a", 100), ("b", 200)] {
        web.image(name, days);
        web.tag(&format!("sha-{name}"), name);
    }
    for order in [[0, 1], [1, 0]] {
        let both = [tags("sha-*").last(1), tags("*").older("7d")];
        let plan = plan_web(&web, &rules(order.map(|at| both[at].clone())));
        assert_eq!(plan.gone(), ["b"]);
        assert!(matches!(
            plan.reasons("a"),
            [KeepReason::AmongNewest { keep_last: 1, .. }]
        ));
    }
}

#[test]
fn case_16_a_time_of_1970_is_no_age() {
    let mut web = repository();
    web.image("other", 90);
    web.tag("1.0", "other");
    let times = &mut web.image("a", 0).times;
    *times = ObservedTimes {
        config_created: "1970-01-01T00:00:00.000Z".parse().ok(),
        ..ObservedTimes::default()
    };
    web.tag("pr-1", "a");
    web.image("bare", 0).times = ObservedTimes::default();
    for prune in [
        vec![tags("pr-*").older("30d"), untagged().older("30d")],
        vec![tags("pr-*"), untagged()],
    ] {
        let plan = plan_web(&web, &rules(prune));
        assert_eq!(plan.gone(), [""; 0]);
        assert_eq!(plan.reasons("a"), [KeepReason::UnknownAge]);
        assert_eq!(plan.reasons("bare"), [KeepReason::UnknownAge]);
        assert_eq!(plan.reasons("a")[0].to_string(), "no source knows its age");
    }
}

#[test]
fn case_17_a_time_in_the_future_is_no_age_and_a_warning() {
    let mut web = repository();
    web.image("other", 90);
    web.tag("1.0", "other");
    web.image("a", -3);
    web.tag("pr-1", "a");
    for rule in [tags("pr-*").older("30d"), tags("pr-*")] {
        let plan = plan_web(&web, &rules([rule]));
        assert_eq!(plan.gone(), [""; 0]);
        let age = ManifestAge {
            time: days_ago(-3),
            source: AgeSource::Pushed,
        };
        assert_eq!(plan.reasons("a"), [KeepReason::FutureAge(age)]);
        let digest = digest("a");
        assert_eq!(plan.warnings, [RetentionWarning::FutureAge { digest, age }]);
    }
}

#[test]
fn an_age_is_the_latest_that_the_registry_knows_else_that_of_the_image() {
    let created = |days| ObservedTimes {
        config_created: Some(days_ago(days)),
        ..ObservedTimes::default()
    };
    let registry = ObservedTimes {
        pushed: Some(days_ago(40)),
        updated: Some(days_ago(20)),
        config_created: Some(days_ago(2)),
        ..ObservedTimes::default()
    };
    let annotated = ObservedTimes {
        annotation_created: Some(days_ago(9)),
        ..ObservedTimes::default()
    };
    let unseen = ObservedTimes {
        first_seen_untagged: Some(days_ago(5)),
        ..ObservedTimes::default()
    };
    for (times, days, source) in [
        (registry, 20, AgeSource::Updated),
        (annotated, 9, AgeSource::AnnotationCreated),
        (created(50), 50, AgeSource::ConfigCreated),
        (unseen, 5, AgeSource::FirstSeenUntagged),
        // The newest of the platforms.
        (ObservedTimes::default(), 60, AgeSource::ConfigCreated),
    ] {
        let mut web = repository();
        web.image("old", 0).times = created(70);
        web.image("new", 0).times = created(60);
        web.index("I", &["old", "new"], 0).times = times;
        web.tag("pr-1", "I");
        let plan = plan_web(&web, &rules([]));
        let age = ManifestAge {
            time: days_ago(days),
            source,
        };
        let found = plan.manifests[&digest("I")].age;
        assert_eq!(found, Some(age));
    }
    let mut web = repository();
    web.image("a", 90);
    web.tag("pr-1", "a");
    web.tags.get_mut(&tag("pr-1")).unwrap().pushed = Some(days_ago(3));
    let plan = plan_web(&web, &rules([tags("pr-*").older("7d")]));
    let source = plan.manifests[&digest("a")].age.map(|age| age.source);
    assert_eq!(source, Some(AgeSource::TagPushed));
    assert_eq!(plan.gone(), [""; 0]);
}

#[test]
fn rules_are_written_as_the_policy_writes_them() {
    for (rule, text) in [
        (tags("pr-*").older("14d"), "tags: pr-*, older-than: 14d"),
        (tags("a b").last(2), "tags: a b, keep-last: 2"),
        (versions("*").last(10), "versions: *, keep-last: 10"),
        (untagged().older("7d"), "untagged, older-than: 7d"),
        (orphans(), "untagged and orphans"),
    ] {
        assert_eq!(rule.to_string(), text);
    }
}
