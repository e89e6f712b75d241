//! Image that is recorded in dev and in stage, and about to be promoted to prod, which has a release before it.

use shipmark::release::{ReleaseRequest, SignatureFormat};
use shipmark::signing::{Predicate, PrivateKey};

use super::made_image::MadeImage;
use super::records::{location, recorded};
use super::*;
use crate::registry::{Profile, Registry};

/// A registry where 1.3.0 is in prod, and 1.4.0 in stage, to which it came from dev.
pub async fn recorded_chain(profile: Profile, key: Option<&PrivateKey>) -> Registry {
    attested_chain(profile, key, &[]).await
}

/// The image that is in stage, about to be promoted.
pub fn promoted_image() -> MadeImage {
    image_of(2, "1.4.0")
}

fn image_of(number: u32, version: &str) -> MadeImage {
    let revision = format!("{number:07x}{}", "0".repeat(33));
    let labels = [("revision", revision.as_str()), ("version", version)];
    MadeImage::new(number, &labels)
}

/// The same, with images that are attested in stage.
pub async fn attested_chain(
    profile: Profile,
    key: Option<&PrivateKey>,
    attested: &[Predicate],
) -> Registry {
    let registry = Registry::start(profile.date("unknown")).await;
    for (number, version) in [(1, "1.3.0"), (2, "1.4.0")] {
        image_of(number, version).put(&registry, "build", &[version]);
        let now = i64::from(number) * 10;
        let request = promotion(&registry, version, ["build", "dev"], None, now);
        done(request, &context()).await;
        let mut request = promotion(&registry, version, ["dev", "stage"], key, now + 1);
        if let Some(signing) = &mut request.signing {
            signing.attestations = attested.to_vec();
        }
        done(request, &context()).await;
    }
    let request = promotion(&registry, "1.3.0", ["stage", "prod"], key, 13);
    done(request, &context()).await;
    registry.clear_log();
    registry
}

fn promotion(
    registry: &Registry,
    version: &str,
    [from, to]: [&str; 2],
    key: Option<&PrivateKey>,
    now: i64,
) -> ReleaseRequest {
    let [source, place] = [from, to].map(|name| format!("{}/{name}", registry.host()));
    let request = promote(&format!("{source}:{version}"), &[&place], "refs/heads/main");
    let run = u64::try_from(now).unwrap();
    let mut request = recorded(request, to, now, run);
    request.signing = key.map(|key| {
        let mut signing = keys::signing(key);
        signing.formats = vec![SignatureFormat::Bundle];
        signing
    });
    if from != "build" {
        let options = request.record.as_mut().unwrap();
        options.source = Some(location(from, &source));
    }
    request
}

/// The promotion of 1.4.0 from stage to prod.
pub fn promotion_to_prod(registry: &Registry, key: Option<&PrivateKey>) -> ReleaseRequest {
    promotion(registry, "1.4.0", ["stage", "prod"], key, 30)
}
