//! What environments, files and holds keep.

use super::support::*;
use crate::retention::*;

#[test]
fn case_14_what_an_environment_is_on_stays() {
    let mut web = repository();
    web.image("old", 400);
    web.tag("git-9f3c2a1", "old");
    web.image("other", 400);
    web.tag("git-0000000", "other");
    let mut snapshot = snapshot(web);
    snapshot.environments = vec![releases(&[
        ("push", "other", None, 200),
        ("promote", "old", None, 3),
    ])];
    let rules = rules([tags("git-*").older("30d")]);
    let plan = plan(&snapshot, &rules);
    let web = &plan.repositories[0];
    assert_eq!(web.gone(), ["other"]);
    let current = KeepReason::Current("prod".parse().unwrap());
    assert!(web.reasons("old").contains(&current));
    // Its tag stays too, though a rule describes it.
    assert_eq!(web.gone_tags(), ["git-0000000"]);
}

#[test]
fn a_recent_record_makes_an_old_image_young() {
    let mut web = repository();
    web.image("old", 400);
    web.tag("git-1", "old");
    web.image("new", 1);
    web.tag("1.0", "new");
    let mut snapshot = snapshot(web);
    snapshot.environments = vec![releases(&[
        ("promote", "old", None, 3),
        ("promote", "new", None, 2),
    ])];
    let plan = plan(&snapshot, &rules([tags("git-*").older("30d")]));
    let web = &plan.repositories[0];
    let age = web.manifests[&digest("old")].age.unwrap();
    assert_eq!(age.source, AgeSource::Recorded);
    assert_eq!(age.time, days_ago(3));
    assert_eq!(web.gone(), [""; 0]);
}

#[test]
fn case_15_a_digest_that_a_file_names_stays() {
    let mut web = repository();
    web.image("pinned", 90);
    web.image("lost", 90);
    web.image("other", 90);
    web.tag("1.0", "other");
    let pin = |name: &str| PinnedDigest {
        pattern: "deploy/**".to_owned(),
        file: "deploy/prod.yaml".to_owned(),
        repository: "web".to_owned(),
        digest: digest(name),
    };
    let mut snapshot = snapshot(web);
    snapshot.pins = vec![pin("pinned"), pin("gone")];
    let mut rules = rules([untagged().older("7d")]);
    rules.keep.pinned = vec!["deploy/**".to_owned()];
    let plan = plan(&snapshot, &rules);
    let web = &plan.repositories[0];
    assert_eq!(web.order(), ["lost"]);
    let file = "deploy/prod.yaml".to_owned();
    assert_eq!(web.reasons("pinned")[0], KeepReason::Pinned(file.clone()));
    let missing = RetentionWarning::PinnedDigestMissing {
        file,
        repository: "web".to_owned(),
        digest: digest("gone"),
    };
    assert_eq!(plan.warnings, [missing]);
}

#[test]
fn case_18_a_hold_beats_every_rule() {
    let mut web = repository();
    web.image("a", 90);
    web.index("I", &["a"], 90);
    web.referrer("S", "I", 90);
    web.tag("pr-1", "I");
    web.image("other", 30);
    web.tag("1.0", "other");
    let rules = rules([tags("pr-*"), tags("*").older("60d"), untagged()]);
    let free = snapshot(web.clone());
    let before = plan(&free, &rules);
    let gone = ["I", "S", "a"];
    assert_eq!(before.repositories[0].gone(), gone);
    web.tag("hold.case-7", "I");
    let by_tag = snapshot(web.clone());
    let mut by_record = free.clone();
    by_record.holds = vec![RecordedHold {
        name: "case-7".to_owned(),
        digest: digest("I"),
    }];
    for snapshot in [by_tag, by_record] {
        let earlier = before.deletions();
        for earlier in [None, Some(&earlier)] {
            let plan = plan_retention(&snapshot, &rules, days_ago(0), earlier);
            let web = &plan.repositories[0];
            assert_eq!(web.gone(), [""; 0]);
            let hold = KeepReason::Hold("case-7".to_owned());
            assert!(web.reasons("I").contains(&hold));
            assert_eq!(web.tag_reason("pr-1"), Some(&KeepReason::ManifestStays));
        }
    }
}

#[test]
fn the_marker_of_a_lifted_hold_goes() {
    let mut web = repository();
    web.image("I", 90);
    web.tag("1.0", "I");
    let links = ManifestLinks {
        artifact_type: Some(UNHOLD_TYPE.to_owned()),
        ..ManifestLinks::default()
    };
    let marker = web.manifest("marker", ObservedContent::Read(links), 0);
    marker.times = ObservedTimes::default();
    web.tag("hold.case-7", "marker");
    web.tag("hold.case-8", "marker");
    let prune = rules([tags("pr-*")]);
    let plan = plan_web(&web, &prune);
    assert_eq!(plan.order(), ["hold.case-7", "hold.case-8", "marker"]);
    assert_eq!(plan.images.total, 1);
    // One that cannot be read holds.
    let unread = ObservedContent::UnknownType("x".to_owned());
    web.manifest("marker", unread, 0);
    assert_eq!(plan_web(&web, &prune).gone(), [""; 0]);
}

#[test]
fn case_19_what_a_rollback_may_need_stays() {
    let mut web = repository();
    for name in ["r1", "r2", "r3", "r4", "r5"] {
        web.image(name, 400);
        web.tag(&format!("git-{name}"), name);
    }
    let mut snapshot = snapshot(web);
    let mut prod = releases(&[
        ("push", "r1", None, 205),
        ("push", "r2", None, 204),
        ("push", "r3", None, 203),
        ("push", "r4", None, 202),
        ("push", "r5", None, 201),
    ]);
    snapshot.environments = vec![prod.clone()];
    let mut rules = rules([tags("git-*")]);
    rules.keep.rollback = Some(3);
    let plan_prod = plan(&snapshot, &rules);
    assert_eq!(plan_prod.repositories[0].gone(), ["r1", "r2"]);
    // A withdrawn release is none to go back to, and takes no place.
    prod = releases(&[
        ("push", "r1", None, 205),
        ("push", "r2", None, 204),
        ("push", "r3", None, 203),
        ("push", "r4", None, 202),
        ("push", "r5", None, 201),
        ("rollback", "r5", Some("r4"), 200),
    ]);
    snapshot.environments = vec![prod];
    let plan_prod = plan(&snapshot, &rules);
    assert_eq!(plan_prod.repositories[0].gone(), ["r1"]);
    // The same images in another repository.
    let mut dev = snapshot.repositories[0].clone();
    dev.name = "dev".to_owned();
    snapshot.repositories.push(dev);
    let plan_prod = plan(&snapshot, &rules);
    assert_eq!(plan_prod.repositories[1].gone(), ["r1"]);
}

#[test]
fn the_default_target_of_a_rollback_stays_beyond_the_newest() {
    let mut web = repository();
    for name in ["r1", "r2", "r3"] {
        web.image(name, 400);
        web.tag(&format!("git-{name}"), name);
    }
    let mut snapshot = snapshot(web);
    snapshot.environments = vec![releases(&[
        ("push", "r1", None, 205),
        ("push", "r2", None, 204),
        ("failed", "r2", None, 203),
        ("push", "r3", None, 202),
    ])];
    let mut rules = rules([tags("git-*")]);
    rules.keep.rollback = Some(1);
    let plan = plan(&snapshot, &rules);
    assert_eq!(plan.repositories[0].gone(), ["r2"]);
}

#[test]
fn a_released_image_stays_for_a_time_after_its_last_use() {
    let mut web = repository();
    for name in ["r1", "r2", "r3", "never"] {
        web.image(name, 4_000);
        web.tag(&format!("git-{name}"), name);
    }
    let mut snapshot = snapshot(web);
    // r1 ran for 900 days until r2 came 2100 days ago, r2 until r3 came 1000 days ago.
    snapshot.environments = vec![releases(&[
        ("push", "r1", None, 3_000),
        ("push", "r2", None, 2_100),
        ("push", "r3", None, 1_000),
    ])];
    for (floor, gone) in [
        ("1y", &["never", "r1", "r2"][..]),
        ("1001d", &["never", "r1"]),
        ("7y", &["never"]),
    ] {
        let mut rules = rules([tags("git-*")]);
        let floor = crate::rule_duration::RuleDuration::parse_with_years(floor);
        rules.keep.released = floor.ok();
        let plan = plan(&snapshot, &rules);
        assert_eq!(plan.stops, []);
        assert_eq!(plan.repositories[0].gone(), gone);
    }
}

#[test]
fn keep_beats_prune() {
    let mut web = repository();
    web.image("a", 90);
    web.tag("lts-1", "a");
    web.tag("pr-1", "a");
    let mut rules = rules([tags("*"), tags("lts-*")]);
    rules.keep.tags = patterns("lts-*");
    let plan = plan_web(&web, &rules);
    assert_eq!(plan.gone(), [""; 0]);
    assert_eq!(plan.gone_tags(), ["pr-1"]);
}
