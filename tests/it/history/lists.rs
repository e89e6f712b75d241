//! How the entries of long timelines are found, on registries that list tags in their own ways.

use shipmark::record::EntryKnowledge;
use shipmark::release::{HistoryRequest, history};

use super::request_of;
use crate::registry::{Effect, Fault, Profile, Registry, TagOrder, UnknownLast};
use crate::support::process::{Place, peak};
use crate::support::timelines::{LongTimeline, root, version};
use crate::support::*;

/// Returns a registry with a timeline, and the request for its newest entries.
async fn long(profile: Profile, count: usize, step: usize) -> (Registry, HistoryRequest) {
    let registry = Registry::start(profile.date("unknown")).await;
    let mut timeline = LongTimeline::new(&registry);
    timeline.extend(&registry, count, |from_end| from_end.is_multiple_of(step));
    let mut tags = registry.tags("prod");
    // Tags before and after the entries in every order.
    for tag in [
        "1.0.0",
        "Latest",
        "latest",
        "ZETA",
        "shipmark.stage.20261120t100000000z.push.0123456789ab.0123456789ab",
        "v1",
        "zeta",
    ] {
        tags.insert(tag.to_owned(), tags.values().next().unwrap().clone());
    }
    registry.set_tags("prod", tags);
    registry.clear_log();
    let mut request = request_of(&format!("{}/prod", registry.host()));
    request.clock = timeline.newest();
    (registry, request)
}

async fn check_newest(registry: &Registry, request: &HistoryRequest, count: usize) {
    let shown = history(request, &context()).await.unwrap();
    assert_eq!(shown.lines.len(), 20);
    for (at, line) in shown.lines.iter().enumerate() {
        let entry = line.entry.as_ref().unwrap();
        assert_eq!(entry.root, root(count - 1 - at));
        assert_eq!(entry.version, Some(version(count - 1 - at)));
        assert!(line.remarks.is_empty(), "{:?}", line.remarks);
        let is_newest = at == 0;
        let is_read = line.known == EntryKnowledge::Unverified;
        assert_eq!(is_read, is_newest, "{:?}", line.known);
    }
    assert!(shown.has_more);
    let current = shown.current.unwrap();
    assert_eq!(current.root, root(count - 1), "{:?}", registry.requests());
}

#[tokio::test]
async fn the_newest_of_ten_thousand_cost_four_requests() {
    let (registry, request) = long(Profile::plain(), 10_000, 33).await;
    check_newest(&registry, &request, 10_000).await;
    assert!(registry.count() <= 4, "{:?}", registry.requests());
    registry.clear_log();
    let all = HistoryRequest {
        limit: None,
        ..request
    };
    let shown = history(&all, &context()).await.unwrap();
    assert_eq!(shown.lines.len(), 10_000);
    assert!(!shown.has_more);
    let pages = registry.count_of("GET /v2/prod/tags/");
    assert_eq!(pages, 11);
    let reads = registry.count() - pages;
    assert!(reads <= 330, "{reads}");
}

#[tokio::test]
async fn registries_that_list_otherwise_are_listed_in_full() {
    let count = 700;
    let last = "/v2/prod/tags/list?n=1000&last=shipmark.prod.2026";
    let wrong = |body: &str| Some(Fault::on("GET", last, Effect::status_with(200, &[], body)));
    let everything = r#"{"name": "prod", "tags": ["1.0.0", "latest", "shipmark.prod.20261120t100000000z.promote.0123456789ab.0123456789ab"]}"#;
    let unordered = r#"{"name": "prod", "tags": ["zeta", "shipmark.prod.20991120t100000000z.promote.0123456789ab.0123456789ab"]}"#;
    for (name, profile, fault) in [
        ("unsorted", Profile::plain().unsorted_tags(), None),
        ("fifty", Profile::plain().page_size(50), None),
        (
            "unsorted fifty",
            Profile::plain().unsorted_tags().page_size(50),
            None,
        ),
        (
            "nothing",
            Profile::plain(),
            wrong(r#"{"name": "prod", "tags": []}"#),
        ),
        (
            "null",
            Profile::plain(),
            wrong(r#"{"name": "prod", "tags": null}"#),
        ),
        ("everything", Profile::plain(), wrong(everything)),
        ("another order", Profile::plain(), wrong(unordered)),
        ("no list", Profile::plain(), wrong("[]")),
        (
            "404",
            Profile::plain(),
            Some(Fault::on("GET", last, Effect::status(404))),
        ),
        (
            "400",
            Profile::plain(),
            Some(Fault::on("GET", last, Effect::status(400))),
        ),
        (
            "500",
            Profile::plain(),
            Some(Fault::on("GET", last, Effect::status(500)).always()),
        ),
    ] {
        let (registry, request) = long(profile, count, 33).await;
        if let Some(fault) = fault {
            registry.fault(fault);
        }
        check_newest(&registry, &request, count).await;
        let is_full = registry
            .requests()
            .iter()
            .any(|line| line.contains("tags/list") && !line.contains("last=shipmark.prod.2026"));
        assert_eq!(
            is_full,
            name != "fifty",
            "{name}: {:?}",
            registry.requests()
        );
    }
}

/// Registries that list tags in their own order, and make of a name that is no tag what they like.
#[tokio::test]
async fn the_newest_entries_are_the_same_in_whatever_order_and_pages_tags_are_listed() {
    let orders = [TagOrder::Sorted, TagOrder::Pushed, TagOrder::Folded];
    for order in orders {
        for unknown in [
            UnknownLast::Refused,
            UnknownLast::Nothing,
            UnknownLast::Everything,
        ] {
            let profile = Profile::plain().tag_order(order).unknown_last(unknown);
            let fifty = profile.clone().page_size(50);
            for profile in [profile, fifty.clone(), fifty.unlinked_pages()] {
                let (registry, request) = long(profile, 400, 33).await;
                check_newest(&registry, &request, 400).await;
                let lists = registry.requests();
                let mut lists = lists.iter().filter(|line| line.contains("tags/list"));
                assert!(lists.any(|line| !line.contains("last=")), "listed in full");
            }
        }
    }
}

#[tokio::test]
async fn the_list_begins_earlier_where_entries_are_rare() {
    let (registry, request) = long(Profile::plain(), 400, 33).await;
    let later = HistoryRequest {
        clock: support_clock(&request, 20),
        ..request
    };
    check_newest(&registry, &later, 400).await;
    assert_eq!(registry.count_of("GET /v2/prod/tags/"), 2);
    assert!(registry.count() <= 4, "{:?}", registry.requests());
}

/// Returns the clock so many days after that of a request.
fn support_clock(request: &HistoryRequest, days: i64) -> shipmark::record::RecordTime {
    let now: jiff::Timestamp = request.clock.to_string().parse().unwrap();
    let later = now + jiff::SignedDuration::from_hours(24 * days);
    shipmark::record::RecordTime::from_timestamp(later).unwrap()
}

/// The whole history of a long timeline fits in a small process.
#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_entries_take_little_memory() {
    let (registry, _) = long(Profile::plain(), 10_000, 33).await;
    let newest = peak_of_history(&registry, &["--limit=20"]).await;
    let all = peak_of_history(&registry, &["--all"]).await;
    // A value of the output for each entry at the same time would be 60 MiB more.
    assert!(all < newest + (56 << 10), "{all} KiB, {newest} KiB");
}

/// Shows a history, and tells the most memory of the program, in KiB.
async fn peak_of_history(registry: &Registry, arguments: &[&str]) -> u64 {
    let place = Place::new();
    let mut command = place.command();
    command
        .arg("history")
        .arg(format!("--images={}/prod", registry.host()))
        .arg("--environment=prod")
        .args(arguments);
    let (status, peak) = tokio::task::spawn_blocking(move || peak(command))
        .await
        .unwrap();
    assert_eq!(status.code(), Some(0));
    peak
}
