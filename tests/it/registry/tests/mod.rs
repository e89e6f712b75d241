//! The registry's own tests: each feature, each fault, each profile at least once.

mod auth;
mod blobs;
mod faults;
mod lists;
mod log;
mod manifests;
mod oci_client;
mod profiles;
mod tls;
mod tokens;
mod uploads;

use std::sync::Arc;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, redirect};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};

use super::{Registry, TestCa, digest};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// A digest that nothing has.
const NOTHING: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// An answer, read to its end.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The code of the first error.
    fn code(&self) -> String {
        self.json()["errors"][0]["code"]
            .as_str()
            .expect("a code")
            .to_owned()
    }
}

/// A client that follows no redirect and needs no TLS.
fn client() -> Client {
    tls_client(None)
}

fn tls_client(ca: Option<&TestCa>) -> Client {
    client_with(ca, &[b"h2", b"http/1.1"])
}

fn http_1_client(ca: &TestCa) -> Client {
    client_with(Some(ca), &[b"http/1.1"])
}

fn client_with(ca: Option<&TestCa>, protocols: &[&[u8]]) -> Client {
    let mut roots = RootCertStore::empty();
    if let Some(ca) = ca {
        let certificate = CertificateDer::from_pem_slice(ca.pem().as_bytes());
        roots
            .add(certificate.expect("a certificate"))
            .expect("a root");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy();
    builder
        .tls_backend_preconfigured(config)
        .build()
        .expect("a client")
}

/// A request in the making.
struct Ask(reqwest::RequestBuilder);

fn ask(registry: &Registry, method: &str, path: &str) -> Ask {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let url = if path.starts_with("http") {
        path.to_owned()
    } else {
        registry.url() + path
    };
    Ask(client().request(method, url))
}

impl Ask {
    fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    fn body(self, body: impl Into<reqwest::Body>) -> Self {
        Self(self.0.body(body))
    }

    async fn get(self) -> Answer {
        self.attempt().await.expect("an answer")
    }

    async fn attempt(self) -> reqwest::Result<Answer> {
        let response = self.0.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

async fn get(registry: &Registry, path: &str) -> Answer {
    ask(registry, "GET", path).get().await
}

async fn head(registry: &Registry, path: &str) -> Answer {
    ask(registry, "HEAD", path).get().await
}

async fn delete(registry: &Registry, path: &str) -> Answer {
    ask(registry, "DELETE", path).get().await
}

async fn post(registry: &Registry, path: &str) -> Answer {
    ask(registry, "POST", path).get().await
}

async fn put_manifest(registry: &Registry, path: &str, manifest: &Value) -> Answer {
    let media_type = manifest["mediaType"].as_str().expect("a media type");
    ask(registry, "PUT", path)
        .header("content-type", media_type)
        .body(manifest.to_string())
        .get()
        .await
}

/// An image whose config and one layer are in the repository.
fn image(registry: &Registry, repository: &str, name: &str) -> Value {
    let config = registry.put_blob(repository, "{}");
    let layer = registry.put_blob(repository, name.to_owned());
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": name.len()}],
    })
}

/// The same, in place under a tag; its digest.
fn tagged(registry: &Registry, repository: &str, tag: &str) -> String {
    let manifest = image(registry, repository, tag);
    registry.put_manifest(repository, tag, MANIFEST, manifest.to_string())
}

fn digest_of(manifest: &Value) -> String {
    digest(manifest.to_string().as_bytes())
}
