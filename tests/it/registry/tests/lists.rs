//! Listing tags and referrers, page by page.

use serde_json::{Value, json};

use super::{Answer, MANIFEST, get, image, put_manifest, tagged};
use crate::registry::{Profile, Registry, TagOrder, UnknownLast};

/// The path of the next page; empty on the last one.
fn next(answer: &Answer) -> &str {
    let link = answer.header("link");
    link.trim_start_matches('<')
        .trim_end_matches(">; rel=\"next\"")
}

/// All pages, each as its list.
async fn pages(registry: &Registry, path: &str, list: &str) -> Vec<Value> {
    let mut pages = Vec::new();
    let mut path = path.to_owned();
    while !path.is_empty() {
        let answer = get(registry, &path).await;
        pages.push(answer.json()[list].clone());
        path = next(&answer).to_owned();
    }
    pages
}

async fn tags(profile: Profile, query: &str) -> Vec<Value> {
    let registry = Registry::start(profile).await;
    for tag in ["1.10", "1.2", "latest"] {
        tagged(&registry, "team/app", tag);
    }
    pages(&registry, &format!("/v2/team/app/tags/list{query}"), "tags").await
}

#[tokio::test]
async fn tags_come_in_pages() {
    let plain = Profile::plain;
    assert_eq!(tags(plain(), "").await, [json!(["1.10", "1.2", "latest"])]);
    assert_eq!(
        tags(plain(), "?n=2").await,
        [json!(["1.10", "1.2"]), json!(["latest"])]
    );
    assert_eq!(tags(plain().page_size(1), "?n=2").await.len(), 3);
    assert_eq!(tags(plain(), "?n=5&last=1.2").await, [json!(["latest"])]);
    assert_eq!(tags(plain(), "?last=1.3").await, [json!(["latest"])]);
    assert_eq!(tags(plain(), "?n=0").await, [json!([])]);
    assert_eq!(tags(plain(), "?n=x").await, [Value::Null]);
}

#[tokio::test]
async fn tags_come_unsorted() {
    let unsorted = tags(Profile::plain().unsorted_tags().page_size(2), "").await;
    assert_eq!(unsorted, [json!(["latest", "1.2"]), json!(["1.10"])]);
}

#[tokio::test]
async fn tags_come_as_they_were_pushed_or_whatever_their_case() {
    for (order, expected) in [
        (TagOrder::Sorted, ["A", "C", "b"]),
        (TagOrder::Pushed, ["b", "A", "C"]),
        (TagOrder::Folded, ["A", "b", "C"]),
    ] {
        let registry = Registry::start(Profile::plain().tag_order(order).page_size(2)).await;
        for tag in ["b", "A", "C", "b"] {
            tagged(&registry, "team/app", tag);
        }
        let listed = pages(&registry, "/v2/team/app/tags/list", "tags").await;
        assert_eq!(listed, [json!(expected[..2]), json!(expected[2..])]);
    }
}

#[tokio::test]
async fn a_tag_that_is_none_is_followed_by_what_the_registry_likes() {
    let listed = async |unknown| {
        let profile = Profile::plain().unknown_last(unknown);
        tags(profile, "?last=1.3").await
    };
    assert_eq!(listed(UnknownLast::Next).await, [json!(["latest"])]);
    assert_eq!(listed(UnknownLast::Refused).await, [Value::Null]);
    assert_eq!(listed(UnknownLast::Nothing).await, [json!([])]);
    let all = json!(["1.10", "1.2", "latest"]);
    assert_eq!(listed(UnknownLast::Everything).await, [all]);
    let unlinked = tags(Profile::plain().page_size(2).unlinked_pages(), "").await;
    assert_eq!(unlinked, [json!(["1.10", "1.2"])]);
}

#[tokio::test]
async fn tags_of_a_missing_repository_are_unknown() {
    let registry = Registry::start(Profile::plain()).await;
    super::head(&registry, "/v2/no/such/manifests/1").await;
    let unknown = get(&registry, "/v2/no/such/tags/list").await;
    assert_eq!(
        (unknown.status, unknown.code()),
        (404, "NAME_UNKNOWN".to_owned())
    );
    let registry = Registry::start(Profile::plain().repositories(["team/app"])).await;
    assert_eq!(
        get(&registry, "/v2/team/app/tags/list").await.json()["tags"],
        json!([])
    );
    assert_eq!(get(&registry, "/v2/no/such/tags/list").await.status, 404);
}

/// An image with two referrers, and the path of their list.
async fn referred(profile: Profile) -> (Registry, String, Vec<Answer>) {
    let registry = Registry::start(profile).await;
    let subject = tagged(&registry, "team/app", "1.4.0");
    let mut answers = Vec::new();
    for (kind, note) in [("application/a", "one"), ("application/b", "two")] {
        let mut referrer = image(&registry, "team/app", kind);
        referrer["subject"] = json!({"mediaType": MANIFEST, "digest": subject, "size": 1});
        referrer["artifactType"] = kind.into();
        referrer["annotations"] = json!({"note": note});
        let path = format!("/v2/team/app/manifests/{}", super::digest_of(&referrer));
        answers.push(put_manifest(&registry, &path, &referrer).await);
    }
    (
        registry,
        format!("/v2/team/app/referrers/{subject}"),
        answers,
    )
}

#[tokio::test]
async fn referrers_are_listed_and_filtered() {
    let (registry, path, pushes) = referred(Profile::plain()).await;
    assert!(
        pushes
            .iter()
            .all(|push| path.ends_with(push.header("oci-subject")))
    );
    let all = get(&registry, &path).await;
    assert_eq!(all.header("content-type"), super::INDEX);
    assert_eq!(all.json()["manifests"].as_array().map(Vec::len), Some(2));
    let filtered = get(&registry, &format!("{path}?artifactType=application/b")).await;
    assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
    let manifests = filtered.json()["manifests"].clone();
    assert_eq!(manifests.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (
            &manifests[0]["artifactType"],
            &manifests[0]["annotations"]["note"]
        ),
        (&json!("application/b"), &json!("two"))
    );
    let none = get(
        &registry,
        &format!("/v2/team/app/referrers/{}", super::NOTHING),
    )
    .await;
    assert_eq!((none.status, &none.json()["manifests"]), (200, &json!([])));
}

#[tokio::test]
async fn referrers_come_in_pages() {
    let (registry, path, _) = referred(Profile::plain().page_size(1)).await;
    assert_eq!(pages(&registry, &path, "manifests").await.len(), 2);
    let filtered = format!("{path}?artifactType=application/a");
    assert_eq!(pages(&registry, &filtered, "manifests").await.len(), 1);
}

#[tokio::test]
async fn a_registry_without_referrers_says_so() {
    let (registry, path, pushes) = referred(Profile::plain().referrers(false)).await;
    assert!(
        pushes
            .iter()
            .all(|push| push.status == 201 && push.header("oci-subject").is_empty())
    );
    let absent = get(&registry, &path).await;
    assert_eq!(
        (absent.status, absent.text()),
        (404, "404 page not found\n")
    );
    let (_, _, pushes) = referred(Profile::plain().oci_subject(false)).await;
    assert!(
        pushes
            .iter()
            .all(|push| push.header("oci-subject").is_empty())
    );
}
