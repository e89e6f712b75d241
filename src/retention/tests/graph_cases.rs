//! Indexes, children and tags: what a tag, an index or another image keeps.

use super::support::*;
use crate::retention::*;

#[test]
fn case_1_children_of_a_tagged_index_stay() {
    let mut web = repository();
    web.image("a", 90);
    web.image("b", 90);
    web.index("I", &["a", "b"], 90);
    web.tag("1.0", "I");
    let plan = plan_web(&web, &rules([untagged().older("7d")]));
    assert_eq!(plan.order(), [""; 0]);
    assert_eq!(plan.reasons("a"), [KeepReason::ChildOf(digest("I"))]);
    let unnamed = KeepReason::UnnamedTag(tag("1.0"));
    assert_eq!(plan.reasons("I"), [unnamed]);
}

#[test]
fn case_2_a_child_of_two_indexes_stays_with_one_of_them() {
    let mut web = repository();
    for child in ["a", "b", "c"] {
        web.image(child, 30);
    }
    web.index("I1", &["a", "b"], 30);
    web.index("I2", &["a", "c"], 30);
    web.tag("pr-1", "I1");
    web.tag("2.0", "I2");
    let plan = plan_web(&web, &rules([tags("pr-*").older("14d")]));
    assert_eq!(plan.order(), ["pr-1", "I1", "b"]);
    assert_eq!(plan.reasons("a"), [KeepReason::ChildOf(digest("I2"))]);
}

#[test]
fn case_3_an_old_child_of_a_new_index_stays() {
    let mut web = repository();
    web.image("a", 200);
    web.index("I", &["a"], 0);
    let plan = plan_web(&web, &rules([untagged().older("7d")]));
    assert_eq!(plan.gone(), [""; 0]);
    assert_eq!(plan.reasons("a"), [KeepReason::ChildOf(digest("I"))]);
    let without_age = plan_web(&web, &rules([untagged()]));
    assert_eq!(without_age.gone(), [""; 0]);
    assert!(matches!(
        without_age.reasons("I"),
        [KeepReason::Grace { .. }]
    ));
}

#[test]
fn case_4_a_tag_goes_alone_where_the_registry_can_do_that() {
    let mut web = repository();
    web.image("I", 30);
    web.tag("pr-1", "I");
    web.tag("1.4.0", "I");
    let rules = rules([tags("pr-*").older("14d")]);
    let alone = plan_web(&web, &rules);
    assert_eq!(alone.order(), ["pr-1"]);
    assert_eq!(alone.images.condemned, 0);
    web.registry.deletes_tags_with_manifest = true;
    let together = plan_web(&web, &rules);
    assert_eq!(together.order(), [""; 0]);
    let reason = Some(&KeepReason::TagWithManifest);
    assert_eq!(together.tag_reason("pr-1"), reason);
}

#[test]
fn case_11_indexes_in_indexes_keep_all_below() {
    let mut web = repository();
    web.image("a", 90);
    web.index("inner", &["a"], 90);
    web.index("middle", &["inner"], 90);
    web.index("outer", &["middle"], 90);
    web.tag("1.0", "outer");
    let plan = plan_web(&web, &rules([untagged(), tags("pr-*")]));
    assert_eq!(plan.gone(), [""; 0]);
    let chain = plan.explain(digest("a"));
    let chain: Vec<String> = chain.into_iter().map(|(digest, _)| name(digest)).collect();
    assert_eq!(chain, ["a", "inner", "middle", "outer"]);
    web.tags.clear();
    web.tag("pr-1", "outer");
    web.image("other", 90);
    web.tag("1.0", "other");
    let plan = plan_web(&web, &rules([untagged(), tags("pr-*")]));
    assert_eq!(plan.order(), ["pr-1", "outer", "middle", "inner", "a"]);
}

#[test]
fn a_manifest_that_is_listed_as_a_blob_stays() {
    let mut web = repository();
    web.image("chart", 90);
    let listed = ObservedBlob {
        digest: digest("chart"),
        size: 1,
    };
    let links = ManifestLinks {
        blobs: vec![listed],
        ..ManifestLinks::default()
    };
    web.manifest("bundle", ObservedContent::Read(links), 90);
    web.tag("1.0", "bundle");
    let plan = plan_web(&web, &rules([untagged()]));
    assert_eq!(plan.gone(), [""; 0]);
}

#[test]
fn tags_of_a_kept_child_go_alone() {
    let mut web = repository();
    web.image("a", 90);
    web.index("I", &["a"], 90);
    web.tag("1.0", "I");
    web.tag("1.0-amd64", "a");
    let plan = plan_web(&web, &rules([tags("*-amd64")]));
    assert_eq!(plan.order(), ["1.0-amd64"]);
}

#[test]
fn an_empty_policy_deletes_nothing() {
    let mut web = repository();
    web.image("a", 900);
    web.image("lost", 900);
    web.tag("pr-1", "a");
    web.referrer("orphan", "gone", 900);
    web.absent.insert(digest("gone"));
    web.tag("hold.x", "marker");
    let links = ManifestLinks {
        artifact_type: Some(UNHOLD_TYPE.to_owned()),
        ..ManifestLinks::default()
    };
    web.manifest("marker", ObservedContent::Read(links), 900);
    // Tags can make manifests name each other, which content cannot.
    web.index("F", &["A"], 900);
    web.image("A", 900);
    web.evidence_tag("A", "", "F");
    let plan = plan_web(&web, &rules([]));
    assert_eq!(plan.gone(), [""; 0]);
    assert_eq!(plan.gone_tags(), [""; 0]);
    // A rule about others does not delete the circle either.
    let plan = plan_web(&web, &rules([tags("other"), untagged().older("36500d")]));
    assert_eq!(plan.gone(), ["marker"]);
}

#[test]
fn shared_blobs_are_counted_once_and_only_if_nobody_keeps_them() {
    let mut web = repository();
    let blobs = |names: &[&str]| {
        let blobs = names.iter().map(|name| ObservedBlob {
            digest: digest(name),
            size: 100,
        });
        ObservedContent::Read(ManifestLinks {
            blobs: blobs.collect(),
            ..ManifestLinks::default()
        })
    };
    web.manifest("a", blobs(&["base", "x", "x", "both"]), 90);
    web.manifest("b", blobs(&["base", "both"]), 90);
    web.manifest("c", blobs(&["base"]), 90);
    web.tag("pr-1", "a");
    web.tag("pr-2", "b");
    web.tag("1.0", "c");
    let plan = plan_web(&web, &rules([tags("pr-*")]));
    let expected = FreedSpace {
        bytes: 202,
        is_upper_bound: false,
    };
    assert_eq!(plan.freed, expected);
}
