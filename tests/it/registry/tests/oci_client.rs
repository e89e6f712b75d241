//! A client that others wrote understands this registry.

use std::collections::BTreeMap;

use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use rustls::crypto::aws_lc_rs::default_provider;

use crate::registry::{PASSWORD, Profile, Registry, USER};

fn client() -> Client {
    // An error says that another test was first.
    let _ = default_provider().install_default();
    Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    })
}

async fn push_and_pull(profile: Profile, user: &str) -> Registry {
    let registry = Registry::start(profile).await;
    let image: Reference = format!("{}/team/app:1.4.0", registry.host())
        .parse()
        .expect("a reference");
    let auth = RegistryAuth::Basic(user.to_owned(), PASSWORD.to_owned());
    let layer = ImageLayer::oci_v1(b"layer".to_vec(), None);
    let config = Config::oci_v1(b"{}".to_vec(), None::<BTreeMap<String, String>>);
    let pushed = client()
        .push(&image, std::slice::from_ref(&layer), config, &auth, None)
        .await;
    pushed.expect("pushed");
    let pulled = client()
        .pull(&image, &auth, vec![layer.media_type.as_str()])
        .await
        .expect("pulled");
    assert_eq!(pulled.layers[0].data.as_ref(), b"layer");
    assert_eq!(
        pulled.digest.as_ref(),
        registry.tags("team/app").get("1.4.0")
    );
    assert!(registry.dangling().is_empty());
    registry
}

#[tokio::test]
async fn it_pushes_and_pulls() {
    for profile in [
        Profile::plain(),
        Profile::distribution(),
        Profile::harbor(),
        Profile::artifactory(),
    ] {
        push_and_pull(profile, USER).await;
    }
}

#[tokio::test]
async fn it_gets_tokens_from_another_host() {
    let registry = push_and_pull(Profile::docker_hub(), USER).await;
    assert!(registry.token_server().count() > 0);
}
