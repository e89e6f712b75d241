//! Signatures, attestations and other referrers, and the tags that are made of digests.

use super::support::*;
use crate::retention::*;

/// Returns case 7: `pr-1` on an index with two platforms, a signature of each level, and an index of referrers.
pub fn signed_pull_request() -> RepositorySnapshot {
    let mut web = repository();
    web.image("a", 30);
    web.image("b", 30);
    web.index("I", &["a", "b"], 30);
    web.referrer("S(I)", "I", 30);
    web.referrer("S(a)", "a", 30);
    web.index("list", &["S(I)"], 30);
    web.tag("pr-1", "I");
    web.evidence_tag("I", "", "list");
    web.image("other", 30);
    web.tag("1.0", "other");
    web
}

#[test]
fn case_5_signatures_of_a_tagged_index_and_its_children_stay() {
    let mut web = repository();
    web.image("a", 90);
    web.index("I", &["a"], 90);
    web.tag("1.0", "I");
    web.referrer("S", "I", 90);
    // The list of the API is enough, whatever the manifest says.
    web.image("bundle", 90);
    web.referrers.insert(digest("a"), [digest("bundle")].into());
    let plan = plan_web(&web, &rules([untagged().older("1d")]));
    assert_eq!(plan.gone(), [""; 0]);
    assert_eq!(plan.reasons("S"), [KeepReason::ReferrerOf(digest("I"))]);
    let of_child = KeepReason::ReferrerOf(digest("a"));
    assert_eq!(plan.reasons("bundle"), [of_child]);
}

#[test]
fn case_6_referrers_of_referrers_stay() {
    let mut web = repository();
    web.image("I", 90);
    web.tag("1.0", "I");
    web.referrer("S1", "I", 90);
    web.referrer("S2", "S1", 90);
    let plan = plan_web(&web, &rules([untagged(), orphans()]));
    assert_eq!(plan.gone(), [""; 0]);
}

#[test]
fn case_7_evidence_goes_before_its_image_and_indexes_before_children() {
    let web = signed_pull_request();
    let list_tag = evidence_tag("I", "");
    let plan = plan_web(&web, &rules([tags("pr-*")]));
    let expected = ["pr-1", "S(a)", "S(I)", &list_tag, "list", "I", "a", "b"];
    assert_eq!(plan.order(), expected);
}

#[test]
fn the_order_of_deletions_is_that_of_the_registry() {
    let mut web = signed_pull_request();
    let list_tag = evidence_tag("I", "");
    web.registry.order = DeletionOrder::IndexesFirst;
    let plan = plan_web(&web, &rules([tags("pr-*")]));
    let expected = ["pr-1", "S(a)", &list_tag, "list", "S(I)", "I", "a", "b"];
    assert_eq!(plan.order(), expected);
    web.registry.order = DeletionOrder::RootsFirst;
    web.registry.deletes_tags_with_manifest = true;
    let plan = plan_web(&web, &rules([tags("pr-*")]));
    assert_eq!(plan.order(), ["I", "S(a)", "list", "S(I)", "a", "b"]);
    let DeletionStep::Manifest { tags, .. } = &plan.steps()[0] else {
        panic!("{:?}", plan.steps());
    };
    assert_eq!(*tags, [tag("pr-1")]);
}

#[test]
fn case_8_no_rule_matches_tags_of_evidence_records_and_holds() {
    let mut web = repository();
    web.image("x", 90);
    web.tag("1.0", "x");
    for (at, text) in [
        evidence_tag("x", ".sig"),
        evidence_tag("x", ".att"),
        evidence_tag("x", ".sbom"),
        evidence_tag("x", ""),
        "sha256-0123456789ab".to_owned(),
        "shipmark.prod.20261120t214808123z.promote.0123456789ab.cdef01234567".to_owned(),
        "hold.case-7".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let name = format!("n{at}");
        web.image(&name, 90);
        web.tag(text, &name);
    }
    for pattern in ["sha256-*", "shipmark.*", "hold.*", "*"] {
        let keep_x = patterns("1.0");
        let mut rules = rules([tags(pattern).older("30d"), untagged(), orphans()]);
        rules.keep.tags = keep_x;
        let plan = plan(&snapshot(web.clone()), &rules);
        assert_eq!(plan.repositories[0].gone_tags(), [""; 0], "{pattern}");
        assert_eq!(plan.repositories[0].gone(), [""; 0], "{pattern}");
        let expected = match pattern {
            "*" => vec![],
            other => vec![RetentionWarning::ReservedPattern(other.to_owned())],
        };
        assert_eq!(plan.warnings, expected);
    }
}

#[test]
fn case_9_evidence_about_nothing_goes_only_where_a_rule_is_about_orphans() {
    let mut web = repository();
    web.image("att", 90);
    web.image("other", 90);
    web.tag("1.0", "other");
    web.evidence_tag("gone", ".att", "att");
    let rules = rules([orphans().older("7d")]);
    let stays = [KeepReason::EvidenceOf(digest("gone"))];
    // Nobody knows whether the subject is there: plain registries list no manifests without tags.
    assert_eq!(plan_web(&web, &rules).reasons("att"), stays);
    web.absent.insert(digest("gone"));
    let plan = plan_web(&web, &rules);
    assert_eq!(plan.order(), [&*evidence_tag("gone", ".att"), "att"]);
    let mut without = rules.clone();
    without.prune = vec![untagged().older("7d")];
    assert_eq!(plan_web(&web, &without).reasons("att"), stays);
    // Another repository has the image.
    let mut images = repository();
    images.name = "images".to_owned();
    images.image("gone", 90);
    images.tag("1.0", "gone");
    let mut both = snapshot(web.clone());
    both.repositories.push(images);
    let plan = super::support::plan(&both, &rules);
    assert_eq!(plan.repositories[0].reasons("att"), stays);
    // A timeline has it, wherever it is.
    let mut released = snapshot(web);
    let mut prod = releases(&[("promote", "gone", None, 3)]);
    prod.repository = "elsewhere".to_owned();
    released.environments.push(prod);
    let plan = super::support::plan(&released, &rules);
    assert_eq!(plan.repositories[0].reasons("att"), stays);
}

#[test]
fn case_10_an_attestation_stays_by_index_and_by_subject() {
    let mut web = repository();
    web.image("a", 90);
    web.referrer("att", "a", 90);
    web.index("I", &["a", "att"], 90);
    web.tag("1.0", "I");
    let rules = rules([untagged(), tags("pr-*")]);
    assert_eq!(plan_web(&web, &rules).gone(), [""; 0]);
    // The index goes and another lists the platform alone.
    web.index("I2", &["a"], 90);
    web.tags.clear();
    web.tag("pr-1", "I");
    web.tag("1.0", "I2");
    let plan = plan_web(&web, &rules);
    assert_eq!(plan.gone(), ["I"]);
    assert_eq!(plan.reasons("att"), [KeepReason::ReferrerOf(digest("a"))]);
    web.tags.clear();
    web.tag("pr-1", "I");
    web.tag("pr-2", "I2");
    web.image("other", 90);
    web.tag("1.0", "other");
    let plan = plan_web(&web, &rules);
    assert_eq!(plan.order(), ["pr-1", "I", "pr-2", "I2", "att", "a"]);
}

#[test]
fn evidence_that_stays_for_itself_keeps_its_subject() {
    let mut web = repository();
    web.image("I", 90);
    web.tag("pr-1", "I");
    web.referrer("sbom", "I", 90);
    web.tag("sbom-1", "sbom");
    web.referrer("S", "I", 90);
    let plan = plan_web(&web, &rules([tags("pr-*")]));
    assert_eq!(plan.gone(), [""; 0]);
    assert_eq!(plan.gone_tags(), [""; 0]);
    let by_sbom = KeepReason::SubjectOf(digest("sbom"));
    assert!(plan.reasons("I").contains(&by_sbom));
}

#[test]
fn new_evidence_keeps_an_old_image() {
    let mut web = repository();
    web.image("I", 90);
    web.tag("pr-1", "I");
    web.referrer("S", "I", 0);
    let plan = plan_web(&web, &rules([tags("pr-*").older("14d")]));
    assert_eq!(plan.gone(), [""; 0]);
    assert!(matches!(plan.reasons("S"), [KeepReason::Grace { .. }, ..]));
}
