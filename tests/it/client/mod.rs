//! The distribution client and the copy engine over real HTTP: logging in, TLS, what registries do
//! otherwise, and what goes wrong.

mod addresses;
mod auth;
mod cancel;
mod chunks;
mod engine;
mod faults;
mod field;
mod field_tls;
mod helpers;
mod liars;
mod made;
mod matrix;
mod pace;
mod quirks;
mod requests;
mod several;
mod tls;
mod trickle;
mod wire;

use std::time::Duration;

pub use engine::put_image;
pub use wire::Wire;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use shipmark::credentials::{CredentialStore as Credentials, ExplicitCredential};
use shipmark::http::{HttpSettings, RetryTiming};
use shipmark::registry::RegistrySettings;
use shipmark::release::{Failure, ReleaseRequest};

use crate::registry::{Profile, Registry, TokenRules};
use crate::support::*;

/// A password that no message holds by chance.
pub const HUNTER2: &str = "hunter2-and-more";

/// Rules that know [`USER`](crate::registry::USER) by [`HUNTER2`].
fn rules() -> TokenRules {
    TokenRules::new("registry.test").user("robot", HUNTER2)
}

/// Settings with this login for each of the registries.
fn login(hosts: &[&str], user: &str, password: &str) -> RegistrySettings {
    let explicit = hosts.iter().map(|host| ExplicitCredential {
        scope: host.parse().unwrap(),
        user: user.to_owned(),
        password: password.into(),
    });
    RegistrySettings {
        credentials: Credentials::load(None, explicit.collect()).unwrap(),
        ..settings()
    }
}

/// Settings with the login that [`rules`] know.
pub fn as_robot(registries: &[&Registry]) -> RegistrySettings {
    let hosts: Vec<String> = registries.iter().map(|registry| registry.host()).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    login(&hosts, "robot", HUNTER2)
}

/// Settings with a `config.json` of this content, whose path comes along.
fn with_config(json: &serde_json::Value) -> (RegistrySettings, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, json.to_string()).unwrap();
    let settings = RegistrySettings {
        credentials: Credentials::load(Some(&path), Vec::new()).unwrap(),
        ..settings()
    };
    (settings, folder)
}

/// Patience for tests in which somebody stays silent.
fn impatient(settings: RegistrySettings) -> RegistrySettings {
    let timing = RetryTiming {
        stall: Duration::from_millis(250),
        ..timing()
    };
    RegistrySettings {
        http: HttpSettings {
            timing,
            ..settings.http
        },
        ..settings
    }
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// Runs a request that must fail. All that it said, before and in failing, is searched for the
/// password.
async fn refused(request: ReleaseRequest, settings: RegistrySettings) -> (Failure, String) {
    let (context, said) = context_with(settings);
    let (failure, text) = failed(request, &context).await;
    let all = format!("{}\n{text}\n{failure:?}", said.text());
    let shown = base64(&format!("robot:{HUNTER2}"));
    for secret in [HUNTER2, &shown, "Bearer ", "token-"] {
        assert!(!all.contains(secret), "{secret} is in: {all}");
    }
    (failure, text)
}

/// Requests that were answered with this status.
fn answered(registry: &Registry, status: u16) -> usize {
    let log = registry.log();
    log.iter()
        .filter(|exchange| exchange.status == Some(status))
        .count()
}

/// A registry that holds the example image as `dev/web:1.4.0`, its log empty.
async fn holding(profile: Profile) -> Registry {
    holding_at(profile, as_robot).await
}

async fn holding_at(profile: Profile, settings: fn(&[&Registry]) -> RegistrySettings) -> Registry {
    let registry = Registry::start(profile).await;
    let place = format!("{}/dev/web", registry.host());
    let context = context_with(settings(&[&registry])).0;
    done(push(&example(), &[&place], "refs/tags/v1.4.0"), &context).await;
    registry.clear_log();
    registry
}
