//! A plan that is applied: confirmed by a second one, and ended early at any step.

use super::evidence_cases::signed_pull_request;
use super::support::*;
use crate::retention::*;

fn plan_again(
    repository: &RepositorySnapshot,
    rules: &RetentionRules,
    earlier: &PlannedDeletions,
) -> RepositoryPlan {
    let snapshot = snapshot(repository.clone());
    let mut plan = plan_retention(&snapshot, rules, days_ago(0), Some(earlier));
    plan.repositories.remove(0)
}

#[test]
fn case_22_an_image_with_a_new_tag_stays_and_the_rest_goes() {
    let mut web = signed_pull_request();
    web.image("J", 30);
    web.tag("pr-2", "J");
    let rules = rules([tags("pr-*")]);
    let before = plan(&snapshot(web.clone()), &rules).deletions();
    web.tag("1.4.0", "J");
    let plan = plan_again(&web, &rules, &before);
    assert_eq!(plan.gone(), ["I", "S(I)", "S(a)", "a", "b", "list"]);
    // A tag that a rule describes keeps it as well, and so does one that moved.
    web.tags.remove(&tag("1.4.0"));
    web.tag("pr-3", "J");
    let plan = plan_again(&web, &rules, &before);
    assert_eq!(plan.tag_reason("pr-3"), Some(&KeepReason::NotInPlan));
    assert!(!plan.gone().contains(&"J".to_owned()));
    web.tags.remove(&tag("pr-3"));
    web.image("K", 30);
    web.tag("pr-2", "K");
    let plan = plan_again(&web, &rules, &before);
    assert!(!plan.gone().contains(&"K".to_owned()));
    // The plan had the image, and nothing names it now.
    assert!(plan.gone().contains(&"J".to_owned()));
}

#[test]
fn case_23_a_child_of_a_new_index_stays() {
    let mut web = signed_pull_request();
    let rules = rules([tags("pr-*")]);
    let before = plan(&snapshot(web.clone()), &rules).deletions();
    web.index("new", &["a"], 0);
    web.tag("2.0", "new");
    let plan = plan_again(&web, &rules, &before);
    assert_eq!(plan.gone(), ["I", "S(I)", "b", "list"]);
    assert_eq!(plan.reasons("S(a)"), [KeepReason::ReferrerOf(digest("a"))]);
}

#[test]
fn a_signature_after_the_plan_keeps_its_image() {
    let mut web = signed_pull_request();
    let rules = rules([tags("pr-*")]);
    let before = plan(&snapshot(web.clone()), &rules).deletions();
    web.referrer("late", "I", 30);
    let plan = plan_again(&web, &rules, &before);
    assert_eq!(plan.gone(), [""; 0]);
    assert!(plan.reasons("late").contains(&KeepReason::NotInPlan));
}

#[test]
fn case_24_a_run_that_ends_early_leaves_no_hole_and_is_finished_by_the_next() {
    let rules = rules([tags("pr-*")]);
    for order in [
        DeletionOrder::ReferrersFirst,
        DeletionOrder::IndexesFirst,
        DeletionOrder::RootsFirst,
    ] {
        let mut web = signed_pull_request();
        web.registry.order = order;
        web.registry.deletes_tags_with_manifest = order == DeletionOrder::RootsFirst;
        let first = plan(&snapshot(web.clone()), &rules);
        let before = first.deletions();
        let steps = first.repositories[0].steps();
        for end in 0..=steps.len() {
            let mut left = web.clone();
            steps[..end].iter().for_each(|step| left.delete(step));
            let what = format!("{order:?}, {end} steps");
            for target in left.tags.values() {
                assert!(left.manifests.contains_key(&target.digest), "{what}");
            }
            if left.tags.contains_key(&tag("pr-1")) {
                for name in ["I", "S(I)", "S(a)", "a", "b", "list"] {
                    assert!(left.manifests.contains_key(&digest(name)), "{what}: {name}");
                }
            }
            let rest = plan_again(&left, &rules, &before);
            assert_eq!(rest.stops, [], "{what}");
            rest.steps().iter().for_each(|step| left.delete(step));
            let kept = ["other".to_owned()].into();
            assert_eq!(names(&left), kept, "{what}");
            assert_eq!(left.tags.len(), 1);
        }
    }
}

#[test]
fn a_plan_without_rules_finishes_nothing() {
    let mut web = signed_pull_request();
    let first = plan(&snapshot(web.clone()), &rules([tags("pr-*")]));
    let steps = first.repositories[0].steps();
    steps[..2].iter().for_each(|step| web.delete(step));
    let plan = plan_again(&web, &rules([]), &first.deletions());
    assert_eq!(plan.gone(), [""; 0]);
}

#[test]
fn what_the_plan_had_without_a_name_is_judged_again() {
    let mut web = signed_pull_request();
    web.image("lost", 30);
    let first = plan(&snapshot(web.clone()), &rules([untagged().older("7d")]));
    assert_eq!(first.repositories[0].gone(), ["lost"]);
    let stricter = rules([untagged().older("60d")]);
    let plan = plan_again(&web, &stricter, &first.deletions());
    assert_eq!(plan.gone(), [""; 0]);
}
