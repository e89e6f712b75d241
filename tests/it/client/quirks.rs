//! What the known registries do otherwise than the specification, and odd answers of any.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use shipmark::image::{Repository, Tag};
use shipmark::registry::{RegistryClient, RegistrySettings, RepositoryAccess};
use shipmark::release::Failure;

use super::wire::Wire;
use super::*;
use crate::registry::{Effect, Fault, PASSWORD, Profile, Registry, USER};

const MAIN: &str = "refs/heads/main";
const RELEASE: &str = "refs/tags/v1.4.0";

/// The profiles of known registries, and who their user is.
fn known() -> Vec<(&'static str, Profile, &'static str)> {
    vec![
        ("distribution", Profile::distribution(), USER),
        ("ECR", Profile::ecr(), "AWS"),
        ("GHCR", Profile::ghcr(), USER),
        ("Docker Hub", Profile::docker_hub(), USER),
        ("Harbor", Profile::harbor(), USER),
        ("GitLab", Profile::gitlab(), USER),
        ("Artifactory", Profile::artifactory(), USER),
    ]
}

fn settings_of(registry: &Registry, user: &str) -> RegistrySettings {
    login(&[&registry.host()], user, PASSWORD)
}

fn wrote(registry: &Registry) -> Vec<String> {
    let mut requests = registry.requests();
    requests.retain(|line| !line.starts_with("HEAD ") && !line.starts_with("GET "));
    requests
}

#[tokio::test]
async fn every_known_registry_takes_a_push_a_promotion_and_a_rerun() {
    for (name, profile, user) in known() {
        let profile = profile.page_size(2).unsorted_tags();
        let registry = Registry::start(profile).await;
        let [dev, prod] =
            ["team/dev/web", "team/prod/web"].map(|path| format!("{}/{path}", registry.host()));
        let context = || context_with(settings_of(&registry, user)).0;
        done(push(&example(), &[&dev], MAIN), &context()).await;
        let release = promote(&format!("{dev}:git-9f3c2a1"), &[&prod], RELEASE);
        let outcome = done(release.clone(), &context()).await;
        assert_eq!(outcome.root, example_root(), "{name}");
        let tags: Vec<String> = registry.tags("team/prod/web").into_keys().collect();
        assert_eq!(
            tags,
            ["1", "1.4", "1.4.0", "git-9f3c2a1", "latest"],
            "{name}"
        );
        assert_eq!(registry.dangling(), Vec::<String>::new(), "{name}");
        assert_eq!(registry.open_uploads(), 0, "{name}");
        registry.clear_log();
        assert!(
            !done(push(&example(), &[&dev], MAIN), &context())
                .await
                .has_changes()
        );
        assert!(!done(release, &context()).await.has_changes(), "{name}");
        assert_eq!(wrote(&registry), Vec::<String>::new(), "{name}");
    }
}

#[tokio::test]
async fn promise_3_a_registry_with_immutable_tags_takes_a_rerun() {
    for (name, profile, user) in known() {
        let registry = Registry::start(profile.immutable_tags("*")).await;
        let place = format!("{}/team/web", registry.host());
        let context = || context_with(settings_of(&registry, user)).0;
        done(push(&example(), &[&place], RELEASE), &context()).await;
        let outcome = done(push(&example(), &[&place], RELEASE), &context()).await;
        assert!(!outcome.has_changes(), "{name}");
    }
}

/// The answer to a PUT is lost; the same PUT again is refused, though the tag names just this.
#[tokio::test]
async fn an_immutable_tag_whose_answer_was_lost_is_ours() {
    for (name, profile, user) in known() {
        let registry = Registry::start(profile.immutable_tags("*")).await;
        let place = format!("{}/team/web", registry.host());
        registry.fault(Fault::on("PUT", "/manifests/1.4.0", Effect::ResetAfter));
        let context = context_with(settings_of(&registry, user)).0;
        done(push(&example(), &[&place], RELEASE), &context).await;
        assert_eq!(registry.tags("team/web").len(), 5, "{name}");
    }
}

/// Another run takes the tag between our look and our write.
#[tokio::test]
async fn promise_3_a_race_that_the_registry_decides_is_a_refusal_like_ours() {
    for (name, profile, user) in [
        ("ECR", Profile::ecr(), "AWS"),
        ("Docker Hub", Profile::docker_hub(), USER),
        ("Harbor", Profile::harbor(), USER),
        ("Artifactory", Profile::artifactory(), USER),
    ] {
        let registry = Registry::start(profile.immutable_tags("*")).await;
        let place = format!("{}/team/web", registry.host());
        let index = "application/vnd.oci.image.index.v1+json";
        let other = r#"{"schemaVersion":2,"manifests":[]}"#;
        registry.put_manifest("team/web", "1.4.0", index, other);
        let unseen = Effect::status(404);
        registry.fault(Fault::on("HEAD", "/manifests/1.4.0", unseen).times(2));
        let (failure, text) = refused(
            push(&example(), &[&place], RELEASE),
            settings_of(&registry, user),
        )
        .await;
        assert!(
            matches!(failure, Failure::Refused(_)),
            "{name}: {failure:?}"
        );
        assert!(text.starts_with("tag 1.4.0 of "), "{name}: {text}");
        let why = "a rule of the registry makes 1.4.0 immutable";
        assert!(text.contains(why), "{name}: {text}");
        let there = crate::registry::digest(other.as_bytes());
        assert_eq!(registry.tags("team/web")["1.4.0"], there, "{name}");
        assert!(!registry.tags("team/web").contains_key("latest"), "{name}");
    }
}

#[tokio::test]
async fn a_repository_that_a_push_does_not_create_is_named() {
    for (name, profile, user) in [
        ("ECR", Profile::ecr(), "AWS"),
        ("Harbor", Profile::harbor(), USER),
    ] {
        let registry = Registry::start(profile.repositories([])).await;
        let place = format!("{}/team/web", registry.host());
        let (failure, text) = refused(
            push(&example(), &[&place], MAIN),
            settings_of(&registry, user),
        )
        .await;
        assert!(
            matches!(failure, Failure::Service(_)),
            "{name}: {failure:?}"
        );
        assert!(
            text.contains("team/web") && text.contains("404"),
            "{name}: {text}"
        );
        assert_eq!(wrote(&registry).len(), registry.count_of("POST "), "{name}");
    }
}

/// Artifactory's 403 to a HEAD is resolved by a GET; one that is really forbidden stays unknown.
#[tokio::test]
async fn promise_3_a_403_to_a_head_is_absent_only_where_a_get_says_so() {
    let registry = Registry::start(Profile::plain()).await;
    registry.fault(Fault::on("HEAD", "/manifests/", Effect::status(403)).always());
    let place = format!("{}/team/web", registry.host());
    done(push(&example(), &[&place], MAIN), &context()).await;
    assert!(
        !done(push(&example(), &[&place], MAIN), &context())
            .await
            .has_changes()
    );
    registry.fault(Fault::on("GET", "/manifests/", Effect::status(403)).always());
    let (failure, text) = refused(push(&example(), &[&place], MAIN), settings()).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.contains("403"), "{text}");
}

/// A registry whose HEAD says no digest is asked for the bytes.
#[tokio::test]
async fn a_head_without_a_digest_is_followed_by_a_get() {
    let registry = holding_at(Profile::plain(), |_| settings()).await;
    let effect = Effect::status_with(200, &[], "");
    registry.fault(Fault::on("HEAD", "/manifests/1.4.0", effect));
    let place = format!("{}/dev/web", registry.host());
    let outcome = done(push(&example(), &[&place], RELEASE), &context()).await;
    assert!(!outcome.has_changes());
    assert_eq!(registry.count_of("GET /v2/dev/web/manifests/1.4.0"), 1);
}

#[tokio::test]
async fn all_tags_are_listed_whatever_the_pages() {
    let registry = Registry::start(Profile::plain()).await;
    let tags: BTreeSet<Tag> = (0..25).map(|n| format!("v{n}").parse().unwrap()).collect();
    for (page_size, unsorted) in [(1, false), (2, true), (7, true), (25, false), (1000, true)] {
        let profile = Profile::plain().page_size(page_size);
        let profile = if unsorted {
            profile.unsorted_tags()
        } else {
            profile
        };
        let registry = Registry::start(profile).await;
        for tag in &tags {
            registry.put_manifest("web", tag.as_str(), "application/json", "{}");
        }
        assert_eq!(listed(&registry.host()).await.unwrap(), tags, "{page_size}");
    }
    assert_eq!(listed(&registry.host()).await.unwrap(), BTreeSet::new());
}

async fn listed(host: &str) -> Result<BTreeSet<Tag>, shipmark::registry::RegistryError> {
    let repository: Repository = format!("{host}/web").parse().unwrap();
    let client = RegistryClient::new(settings(), Said::default().notices()).unwrap();
    client
        .open_repository(&repository, RepositoryAccess::Pull, &[])
        .tags()
        .await
}

/// Pages that name ever another next one and bring nothing new.
#[tokio::test]
async fn a_tag_list_without_end_is_given_up() {
    let page = |n: usize| {
        let body = r#"{"name":"web","tags":["a"]}"#;
        let next = format!("</v2/web/tags/list?last={n}>; rel=\"next\"");
        let text = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\nlink: {next}\r\n\r\n{body}",
            body.len()
        );
        (text, true)
    };
    let host = Wire::answering(page).await;
    let listing = tokio::time::timeout(Duration::from_secs(10), listed(&host.host));
    let error = listing.await.expect("it ends").unwrap_err();
    assert!(error.to_string().contains("the list never ends"), "{error}");
}

/// A list of links, of which the next page is not the first or not the last.
#[tokio::test]
async fn the_next_page_is_found_among_other_links() {
    let (first, next) = (
        "</v2/web/tags/list>; rel=\"first\"",
        "</v2/web/tags/list?last=a>; rel=\"next\"",
    );
    for link in [
        format!("link: {first}, {next}\r\n"),
        format!("link: {next}, {first}\r\n"),
        format!("link: {first}\r\nlink: {next}\r\n"),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let page = move |_| {
            let (tag, link) = match asked.fetch_add(1, Ordering::Relaxed) {
                0 => ("a", link.as_str()),
                _ => ("b", ""),
            };
            let body = format!(r#"{{"name":"web","tags":["{tag}"]}}"#);
            let text = format!(
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n{link}\r\n{body}",
                body.len()
            );
            (text, true)
        };
        let host = Wire::answering(page).await;
        assert_eq!(listed(&host.host).await.unwrap().len(), 2);
    }
}

/// A source that falls silent in the middle of a blob: it is to blame, not the registry that waits.
#[tokio::test]
async fn a_source_that_stalls_in_a_blob_is_the_one_that_is_named() {
    for sent in ["", "some"] {
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: 5308\r\n\r\n{sent}");
        let storage = Wire::answering(move |_| (text.clone(), false)).await;
        let source = holding_at(Profile::plain(), |_| settings()).await;
        let to = Registry::start(Profile::plain()).await;
        let largest = "182b7d4691cd313812dfcb091f6bb04143f21a53b43859b8715d1c9ae3bf34f1";
        let at = format!("http://{}/", storage.host);
        let elsewhere = Effect::status_with(307, &[("location", &at)], "");
        source.fault(Fault::on("GET", largest, elsewhere).always());
        let from = format!("{}/dev/web:1.4.0", source.host());
        let place = format!("{}/web", to.host());
        let (failure, text) = refused(promote(&from, &[&place], MAIN), impatient(settings())).await;
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(text.starts_with("source "), "{sent}: {text}");
        assert!(text.contains("no data received for"), "{text}");
        assert_eq!(to.open_uploads(), 0);
    }
}

/// oci-client, which others wrote, reads what was pushed.
#[tokio::test]
async fn an_independent_client_pulls_what_was_pushed() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for (name, profile, user) in known() {
        let registry = Registry::start(profile).await;
        let place = format!("{}/team/web", registry.host());
        let context = context_with(settings_of(&registry, user)).0;
        done(push(&example(), &[&place], RELEASE), &context).await;
        let image: oci_client::Reference = format!("{place}:1.4.0").parse().unwrap();
        let auth = RegistryAuth::Basic(user.to_owned(), PASSWORD.to_owned());
        let client = oci_client::Client::new(ClientConfig {
            protocol: ClientProtocol::Http,
            platform_resolver: Some(Box::new(|entries| {
                entries.first().map(|entry| entry.digest.clone())
            })),
            ..ClientConfig::default()
        });
        let digest = client.fetch_manifest_digest(&image, &auth).await.unwrap();
        assert_eq!(digest, example_root().to_string(), "{name}");
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let pulled = client.pull(&image, &auth, vec![layer]).await.unwrap();
        let manifest = pulled.manifest.unwrap();
        assert_eq!(pulled.layers.len(), manifest.layers.len(), "{name}");
        for (layer, descriptor) in pulled.layers.iter().zip(&manifest.layers) {
            assert_eq!(
                crate::registry::digest(&layer.data),
                descriptor.digest,
                "{name}"
            );
        }
    }
}
