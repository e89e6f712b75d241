//! Plans that are refused, with their numbers, and what cannot be read or deleted.

use super::support::*;
use crate::retention::*;

fn stops_of(repository: RepositorySnapshot, rules: &RetentionRules) -> Vec<String> {
    let plan = plan(&snapshot(repository), rules);
    let web = &plan.repositories[0];
    assert_eq!(web.stops.is_empty(), !web.steps().is_empty());
    web.stops.iter().map(ToString::to_string).collect()
}

/// Returns images with the tag `pr-<n>`, and others with `1.<n>`.
fn images(condemned: usize, others: usize) -> RepositorySnapshot {
    let mut web = repository();
    for at in 0..condemned + others {
        let name = format!("i{at}");
        web.image(&name, 90);
        let tag = match at < condemned {
            true => format!("pr-{at}"),
            false => format!("1.{at}"),
        };
        web.tag(&tag, &name);
    }
    web
}

#[test]
fn case_20_a_kept_index_that_cannot_be_read_stops_the_repository() {
    let mut web = images(1, 3);
    let unreadable = ObservedContent::Unreadable("HTTP 500".to_owned());
    web.manifest("I", unreadable.clone(), 90);
    web.tag("2.0", "I");
    let rules = rules([tags("pr-*")]);
    let message = format!(
        "could not read 1 of the manifests that stay, such as {}: HTTP 500",
        digest("I")
    );
    assert_eq!(stops_of(web, &rules), [message]);
    // An index below a kept one counts too.
    let mut web = images(1, 3);
    web.manifest("inner", unreadable, 90);
    web.index("I", &["inner"], 90);
    web.tag("2.0", "I");
    assert_eq!(stops_of(web, &rules).len(), 1);
    // So does one that was not read.
    let mut web = images(1, 3);
    web.index("I", &["inner"], 90);
    web.tag("2.0", "I");
    assert_eq!(stops_of(web.clone(), &rules).len(), 1);
    web.absent.insert(digest("inner"));
    assert_eq!(stops_of(web, &rules), [""; 0]);
}

#[test]
fn case_20_a_list_that_ended_early_stops_the_repository() {
    let mut web = images(1, 3);
    let list = "the list of tags ended after page 2: HTTP 429";
    web.incomplete_lists.push(list.to_owned());
    let message = format!("the content of the repository is not known in full: {list}");
    assert_eq!(stops_of(web, &rules([tags("pr-*")])), [message]);
}

#[test]
fn case_21_limits_stop_a_repository_with_the_number() {
    let mut rules = rules([tags("pr-*")]);
    rules.limits = DeletionLimits::default();
    let share = "40 of 100 images would go, expected at most 30 %";
    assert_eq!(stops_of(images(40, 60), &rules), [share]);
    rules.limits.share = 50;
    assert_eq!(stops_of(images(40, 60), &rules), [""; 0]);
    rules.limits.share = 40;
    assert_eq!(stops_of(images(40, 60), &rules), [""; 0]);
    rules.limits.images = 39;
    let count = "40 images would go, expected at most 39";
    assert_eq!(stops_of(images(40, 60), &rules), [count]);
    rules.limits.images = 100;
    rules.limits.share = 100;
    assert_eq!(stops_of(images(4, 0), &rules), ["all 4 images would go"]);
}

#[test]
fn a_keep_rule_that_matches_nothing_stops_all_repositories() {
    let mut snapshot = snapshot(images(1, 3));
    let mut other = images(1, 3);
    other.name = "other".to_owned();
    snapshot.repositories.push(other);
    let mut rules = rules([tags("pr-*")]);
    rules.keep = KeepRules {
        released: "90d".parse().ok(),
        rollback: Some(5),
        tags: patterns("lts-* 1.*"),
        pinned: vec!["deploy/*".to_owned()],
    };
    let stopped = plan(&snapshot, &rules);
    let texts: Vec<String> = stopped.stops.iter().map(ToString::to_string).collect();
    let expected = [
        "released: 90d",
        "rollback: 5",
        "tags: lts-*",
        "pinned: deploy/*",
    ];
    let expected = expected.map(|rule| format!("the keep rule {rule} matches nothing"));
    assert_eq!(texts, expected);
    assert!(stopped.is_stopped());
    assert!(stopped.repositories.iter().all(|it| it.steps().is_empty()));
    assert_eq!(stopped.deletions().0["web"], RepositoryDeletions::default());
    snapshot.environments = vec![releases(&[("push", "i2", None, 3)])];
    snapshot.pins = vec![PinnedDigest {
        pattern: "deploy/*".to_owned(),
        file: "deploy/x".to_owned(),
        repository: "elsewhere".to_owned(),
        digest: digest("i3"),
    }];
    rules.keep.tags = patterns("1.*");
    let plan = plan(&snapshot, &rules);
    assert_eq!(plan.stops, []);
    assert_eq!(plan.repositories[1].gone(), ["i0"]);
}

#[test]
fn an_environment_on_an_unknown_image_stops_its_repository() {
    let mut snapshot = snapshot(images(1, 3));
    let mut other = images(1, 3);
    other.name = "other".to_owned();
    snapshot.repositories.push(other);
    snapshot.environments = vec![releases(&[("push", "gone", None, 3)])];
    let plan = plan(&snapshot, &rules([tags("pr-*")]));
    let stop = plan.repositories[0].stops[0].to_string();
    let expected = format!(
        "prod is on {}, which is not among the 4 manifests found",
        digest("gone")
    );
    assert_eq!(stop, expected);
    assert_eq!(plan.repositories[1].order(), ["pr-0", "i0"]);
}

#[test]
fn what_an_uncounted_record_names_stops_a_repository_within_the_floor() {
    let mut snapshot = snapshot(images(2, 3));
    let mut prod = releases(&[("push", "i4", None, 3)]);
    let entry = |action: &str, days| {
        crate::record::EntryName::new(
            "prod".parse().unwrap(),
            days_ago(days),
            action.parse().unwrap(),
            digest("i1"),
            crate::record::RecordId::from_blob(b"uncounted"),
        )
    };
    let mut rules = rules([tags("pr-*")]);
    rules.keep.released = "90d".parse().ok();
    for (entry, is_stopped) in [
        (entry("promote", 60), true),
        (entry("promote", 91), false),
        (entry("deployed", 60), false),
    ] {
        prod.uncounted = vec![entry];
        snapshot.environments = vec![prod.clone()];
        let plan = plan(&snapshot, &rules);
        let texts = plan.repositories[0].stops.iter().map(ToString::to_string);
        let texts: Vec<String> = texts.collect();
        let message = format!(
            "uncounted records of the last 90d name 1 of the manifests that would go, such as {}",
            digest("i1")
        );
        assert_eq!(texts, [message][..usize::from(is_stopped)]);
    }
}

#[test]
fn an_unreadable_candidate_stays_and_so_does_what_it_may_list() {
    let mut web = images(1, 4);
    let unreadable = ObservedContent::Unreadable("HTTP 500".to_owned());
    web.manifest("I", unreadable, 90);
    web.tag("pr-9", "I");
    web.image("a", 90);
    web.index("J", &["a"], 90);
    web.referrer("S(J)", "J", 90);
    web.tag("pr-8", "J");
    web.image("lost", 90);
    let plan = plan_web(&web, &rules([tags("pr-*"), untagged()]));
    assert_eq!(plan.gone(), ["J", "S(J)", "i0"]);
    let reason = KeepReason::Unreadable("HTTP 500".to_owned());
    assert_eq!(plan.reasons("I"), [reason]);
    let listed = [KeepReason::MayBeListed(digest("I"))];
    assert_eq!(plan.reasons("a"), listed);
    assert_eq!(plan.reasons("lost"), listed);
    assert_eq!(plan.tag_reason("pr-9"), Some(&KeepReason::ManifestStays));
    assert!(plan.freed.is_upper_bound);
}

#[test]
fn a_manifest_of_unknown_type_stays_and_stops_nothing() {
    let mut web = images(1, 4);
    let unknown = ObservedContent::UnknownType("application/x".to_owned());
    web.manifest("x", unknown, 90);
    for (text, is_named) in [("2.0", false), ("pr-9", true)] {
        web.tags.retain(|_, target| target.digest != digest("x"));
        web.tag(text, "x");
        let plan = plan_web(&web, &rules([tags("pr-*"), untagged()]));
        assert_eq!(plan.gone(), ["i0"]);
        let reason = KeepReason::UnknownType("application/x".to_owned());
        assert!(plan.reasons("x").contains(&reason));
        assert_eq!(plan.reasons("x").len() == 1, is_named);
    }
}

#[test]
fn case_25_what_the_registry_refuses_stays_and_is_named() {
    let mut web = images(3, 0);
    web.registry = RegistryDeletion {
        deletes_tags_with_manifest: true,
        refuses_last_tagged: true,
        deletes_children_with_index: false,
        order: DeletionOrder::RootsFirst,
    };
    let refusal = "it has more than 5000 downloads".to_owned();
    web.image("i0", 91).refusal = Some(refusal.clone());
    let rules = rules([tags("pr-*")]);
    let plan = plan_web(&web, &rules);
    assert_eq!(plan.gone(), ["i1", "i2"]);
    assert_eq!(plan.reasons("i0"), [KeepReason::RegistryRefuses(refusal)]);
    web.image("i0", 91);
    web.image("i1", 5);
    let plan = plan_web(&web, &rules);
    assert_eq!(plan.gone(), ["i0", "i2"]);
    let last = "it is the last one that has a tag".to_owned();
    assert_eq!(plan.reasons("i1"), [KeepReason::RegistryRefuses(last)]);
}

#[test]
fn an_index_stays_whose_deletion_takes_a_pinned_child_along() {
    let mut web = images(1, 4);
    for child in ["a", "b", "c"] {
        web.image(child, 90);
    }
    web.index("old", &["a", "b"], 90);
    web.index("older", &["c"], 90);
    web.tag("pr-1", "old");
    web.tag("pr-2", "older");
    let mut snapshot = snapshot(web);
    snapshot.pins = vec![PinnedDigest {
        pattern: "*.yaml".to_owned(),
        file: "web.yaml".to_owned(),
        repository: "web".to_owned(),
        digest: digest("a"),
    }];
    let rules = rules([tags("pr-*")]);
    let gone = |snapshot: &RetentionSnapshot| plan(snapshot, &rules).repositories.remove(0).gone();
    assert_eq!(gone(&snapshot), ["b", "c", "i0", "old", "older"]);
    snapshot.repositories[0]
        .registry
        .deletes_children_with_index = true;
    assert_eq!(gone(&snapshot), ["c", "i0", "older"]);
    let fate = plan(&snapshot, &rules).repositories.remove(0);
    let reasons = format!("{:?}", fate.reasons("old"));
    assert!(reasons.contains("it deletes"), "{reasons}");
    // A child with a tag does not go with its index.
    snapshot.repositories[0].tag("1.0", "a");
    assert_eq!(gone(&snapshot), ["b", "c", "i0", "old", "older"]);
}
