//! A small repository for registries that list everything, and for those that list tags alone.

use serde_json::Value;
use shipmark::image::RegistryVendor;
use shipmark::retention::RetentionRules;

use super::vendor_server::VendorServer;
use super::vendor_stage::VendorStage;
use crate::prune::stage::{PruneStage, WEB, days_ago, rules, tagged, untagged};
use crate::registry::{Answer, Call, Effect, Fault, Profile, Registry};

/// An image that stays (`1.0.0`, an index over `a`), one of a pull request (`pr-2`), and an untagged index over `a` and
/// `b`. Configs say that all are young: only the registry's own API knows that they are not.
pub async fn small_repository() -> PruneStage {
    let mut stage = PruneStage::new(Profile::plain()).await;
    for name in ["a", "b", "old"] {
        stage.image(name, 1);
    }
    stage.index("I", &["a"]);
    stage.index("U", &["a", "b"]);
    stage.tag("1.0.0", "I");
    stage.tag("pr-2", "old");
    stage
}

pub fn cleanup() -> RetentionRules {
    rules([tagged("pr-*", Some(14)), untagged(Some(7))])
}

/// Returns the manifests of the repository with their tags.
pub fn content(registry: &Registry) -> Vec<(String, Vec<String>)> {
    content_of(registry, WEB)
}

/// Returns the manifests of a repository with their tags.
pub fn content_of(registry: &Registry, repository: &str) -> Vec<(String, Vec<String>)> {
    let tags = registry.tags(repository);
    let manifests = registry.manifests(repository).into_iter();
    let with_tags = manifests.map(|digest| {
        let own = tags.iter().filter(|(_, target)| **target == digest);
        let own = own.map(|(tag, _)| tag.clone()).collect();
        (digest, own)
    });
    with_tags.collect()
}

/// Time at which all manifests were pushed.
pub fn pushed() -> String {
    days_ago(30)
}

/// Returns a page of JSON that begins with entry `from`, and whether more follow.
pub fn page(entries: &[Value], from: usize, size: usize) -> (Vec<Value>, bool) {
    let shown = entries.iter().skip(from).take(size).cloned().collect();
    (shown, from + size < entries.len())
}

/// Returns the number that a query has.
pub fn number(call: &Call, name: &str) -> Option<usize> {
    call.query(name)?.parse().ok()
}

/// Starts a stage with an API that answers by a function of the registry.
pub async fn start<A>(vendor: RegistryVendor, login: Option<(&str, &str)>, answer: A) -> VendorStage
where
    A: Fn(&Registry, &str, &Call, &[u8]) -> Answer + Send + Sync + 'static,
{
    let stage = small_repository().await;
    let registry = stage.registry.clone();
    let server = VendorServer::start(move |url| {
        move |call: &Call, body: &[u8]| answer(&registry, &url, call, body)
    });
    VendorStage::new(stage, server.await, vendor, login)
}

/// Requires that an untagged image goes that the API alone lists, and what only it lists, after one that a rule names.
pub async fn assert_untagged_goes(vendor: &VendorStage) {
    let plan = vendor.plan(cleanup()).await.unwrap();
    let planned = &plan.groups[0].plan.repositories[0];
    let old = planned.manifests[&vendor.stage.digest_of("old")]
        .age
        .unwrap();
    assert!(old.source.to_string().contains("push"), "{old:?}");
    let file = crate::prune::stage::to_file(&plan);
    let outcome = vendor.apply(cleanup(), &file).await.unwrap();
    let applied = &outcome.repositories[0];
    assert!(applied.failure.is_none(), "{:?}", applied.failure);
    assert!(applied.refusals.is_empty() && applied.holes.is_empty());
    let there: Vec<String> = vendor.there().into_iter().collect();
    assert_eq!(there, ["I", "a"]);
}

/// Requires that each fault of a page of a list stops the plan. `part` is in the address of a page.
pub async fn assert_list_faults_stop(vendor: &VendorStage, method: &str, part: &str) {
    for effect in [
        Effect::status(500),
        Effect::status(404),
        Effect::status_with(429, &[("retry-after", "0")], ""),
        Effect::status(429),
        Effect::status_with(200, &[], "{\"manifests\": 7, \"tags\": 7, \"versions\": 7}"),
        Effect::status_with(200, &[], "<html>"),
        Effect::Truncate(7),
    ] {
        vendor
            .server
            .fault(Fault::on(method, part, effect.clone()).always());
        let plan = vendor.plan(cleanup()).await.unwrap();
        assert!(plan.is_stopped(), "{effect:?}");
        let stops = format!("{:?}", plan.groups[0].plan.repositories[0].stops);
        assert!(stops.contains("the list of manifests"), "{stops}");
        vendor.server.clear_faults();
    }
    // What passes is asked for again.
    let passing = Effect::status_with(503, &[("retry-after", "0")], "");
    vendor.server.fault(Fault::on(method, part, passing));
    assert!(!vendor.plan(cleanup()).await.unwrap().is_stopped());
}

/// Requires that a refused login is an error with what the API needs, and without the login.
pub async fn assert_refusal_is_told(vendor: &VendorStage, secret: &str, needs: &str) {
    let refused = Effect::status_with(403, &[], "{\"message\": \"denied\"}");
    vendor.server.fault(Fault::on("GET", "/", refused).always());
    let failure = format!("{:?}", vendor.plan(cleanup()).await.unwrap_err());
    for part in ["403", "127.0.0.1", needs] {
        assert!(failure.contains(part), "{failure}");
    }
    assert!(!failure.contains(secret), "{failure}");
    vendor.server.clear_faults();
}
