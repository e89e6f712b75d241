//! HTTPS: both versions of HTTP, and certificates that are refused.

use reqwest::Version;

use super::{client, tls_client};
use crate::registry::{Profile, Registry, TestCa};

#[tokio::test]
async fn a_trusted_registry_speaks_http_2() {
    let ca = TestCa::new();
    let registry = Registry::start(Profile::plain().tls(&ca)).await;
    assert!(registry.url().starts_with("https://127.0.0.1:"));
    let client = tls_client(Some(&ca));
    let answer = client
        .get(registry.url() + "/v2/")
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, Version::HTTP_2)
    );
    let head = format!(
        "{}/v2/team/app/blobs/{}",
        registry.url(),
        registry.put_blob("team/app", "content")
    );
    let answer = client.head(head).send().await.expect("an answer");
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["content-length"].as_bytes()
        ),
        (200, &b"7"[..])
    );
}

#[tokio::test]
async fn http_1_is_spoken_too() {
    let ca = TestCa::new();
    let registry = Registry::start(Profile::plain().tls(&ca)).await;
    let client = super::http_1_client(&ca);
    let answer = client
        .get(registry.url() + "/v2/")
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, Version::HTTP_11)
    );
}

#[tokio::test]
async fn a_bad_certificate_is_refused() {
    let ca = TestCa::new();
    for identity in [ca.expired(), ca.wrong_name(), TestCa::new().valid()] {
        let registry = Registry::start(Profile::plain().tls_as(identity)).await;
        let url = registry.url() + "/v2/";
        assert!(tls_client(Some(&ca)).get(url).send().await.is_err());
        assert_eq!(registry.count(), 0);
    }
    let registry = Registry::start(Profile::plain().tls(&ca)).await;
    assert!(client().get(registry.url()).send().await.is_err());
}
