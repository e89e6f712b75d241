//! Many images in one run, over real HTTP: what is asked how often, what is refused before anything is
//! written, and what a run that fails in the middle leaves.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use shipmark::image::Digest;
use shipmark::policy::Service;
use shipmark::referrers::ReferrerSelection;
use shipmark::release::{
    BatchOutcome, Failure, ReleaseBatch, ReleaseContext, ReleaseOutcome, ReleaseVerb,
    ServiceOutcome, run,
};
use shipmark::tagging::TagRules;

use crate::registry::{Auth, Effect, Fault, Merging, Profile, Registry, TokenRules};
use crate::support::*;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image of one layer that all share, one of its own and a config of its own.
fn put_image(registry: &Registry, repository: &str, tag: &str, own: &str) {
    let put = |bytes: String| {
        let size = bytes.len();
        (registry.put_blob(repository, bytes), size)
    };
    let blobs = [
        put(format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"Labels":{{"a":"{own}"}}}}}}"#
        )),
        put("shared ".repeat(1000)),
        put(format!("layer of {own}")),
    ];
    let described = blobs
        .iter()
        .zip(["config.v1+json", "layer.v1.tar", "layer.v1.tar"]);
    let described: Vec<_> = described
        .map(|((digest, size), kind)| {
            let media_type = format!("application/vnd.oci.image.{kind}");
            serde_json::json!({"mediaType": media_type, "digest": digest, "size": size})
        })
        .collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1..],
    });
    registry.put_manifest(repository, tag, MANIFEST, manifest.to_string());
}

fn shared_layer() -> String {
    Digest::from_bytes("shared ".repeat(1000).as_bytes()).to_string()
}

/// The requests about the shared layer that had an answer: how often it was read, sent and mounted.
fn moves(from: &Registry, to: &Registry) -> [usize; 3] {
    let layer = shared_layer();
    let hex = layer.trim_start_matches("sha256:");
    let count = |registry: &Registry, method: &str, status| {
        let log = registry.log();
        log.iter()
            .filter(|it| it.method == method && it.path_and_query.contains(hex))
            .filter(|it| it.status == Some(status))
            .count()
    };
    [
        count(from, "GET", 200),
        count(to, "PUT", 201),
        count(to, "POST", 201),
    ]
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|at| format!("s{at:04}")).collect()
}

/// Every service from `dev/` of one registry to `prod/` of another, tag v1.
fn fleet(from: &Registry, to: &Registry, services: &[String]) -> ReleaseBatch {
    let rules = TagRules::parse(["type=raw,value=v1"]).unwrap();
    let request = |service: &String| {
        let source = format!("{}/dev/{service}:v1", from.host());
        let place = format!("{}/prod/{service}", to.host());
        let mut request = request(ReleaseVerb::Promote, &source, &[&place], None);
        request.rules = rules.clone();
        (service.parse().unwrap(), request)
    };
    ReleaseBatch {
        verb: ReleaseVerb::Promote,
        dry_run: false,
        services: services.iter().map(request).collect(),
    }
}

fn put_sources(registry: &Registry, services: &[String]) {
    for service in services {
        put_image(registry, &format!("dev/{service}"), "v1", service);
    }
}

async fn all_done(fleet: ReleaseBatch, context: &ReleaseContext) -> BatchOutcome {
    let outcome = fleet.run(context, |_, _| {}).await;
    if let Some((service, failure)) = outcome.failures().next() {
        panic!("{service}: {failure:?}");
    }
    outcome
}

/// Nothing but reading.
fn writes(registry: &Registry) -> usize {
    let log = registry.log();
    let reads = ["GET", "HEAD"];
    log.iter()
        .filter(|exchange| !reads.contains(&exchange.method.as_str()))
        .count()
}

#[tokio::test]
async fn all_services_are_released_and_then_right() {
    let [from, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let services = names(40);
    put_sources(&from, &services);
    let outcome = all_done(fleet(&from, &to, &services), &context()).await;
    assert!(outcome.has_changes() && outcome.started);
    for service in &services {
        let digest = from.tags(&format!("dev/{service}"))["v1"].clone();
        assert_eq!(to.tags(&format!("prod/{service}"))["v1"], digest);
    }
    assert_eq!(to.dangling(), [""; 0]);
    to.clear_log();
    let again = all_done(fleet(&from, &to, &services), &context()).await;
    assert!(!again.has_changes());
    assert_eq!((writes(&to), to.count()), (0, 40));
}

/// Images that travel side by side add to one total, which only grows, and each is told when it ends.
#[tokio::test]
async fn progress_is_of_all_images_together() {
    let [from, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let services = names(20);
    put_sources(&from, &services);
    let (context, said) = context_with(settings());
    let ended = Mutex::new(Vec::new());
    let note = |service: &Service, end: &ServiceOutcome| {
        assert!(matches!(end, ServiceOutcome::Completed(_)), "{end:?}");
        ended.lock().unwrap().push(service.to_string());
    };
    fleet(&from, &to, &services).run(&context, note).await;
    let mut ended = ended.into_inner().unwrap();
    ended.sort_unstable();
    assert_eq!(ended, services);
    let progress = said.progress();
    for pair in progress.windows(2) {
        // What is spared is taken off; what was moved never is.
        assert!(pair[0].moved <= pair[1].moved, "{pair:?}");
        assert_eq!(pair[1].images.map(|images| images.of), Some(20));
    }
    let last = progress.last().unwrap();
    assert_eq!(last.moved, last.total);
    for service in &services {
        let mut own = progress.iter().filter(|it| *it.image.name == **service);
        let own = &own.next_back().unwrap().image;
        assert!(own.is_done && own.moved == own.total, "{own:?}");
    }
    // The shared layer, and each image's own layer and config.
    let one = |service: &String| "layer of ".len() + service.len();
    assert!(last.moved > services.iter().map(one).sum::<usize>() as u64);
}

/// One large image at the head of the list must not keep all but the next few from their turn.
#[tokio::test]
async fn a_service_that_takes_long_holds_up_no_other() {
    let [from, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let services = names(50);
    put_sources(&from, &services);
    let slow = Effect::Delay(Duration::from_secs(2));
    to.fault(Fault::on("PUT", "/v2/prod/s0000/manifests/", slow));
    let mut settings = settings();
    settings.http.timing.stall = Duration::from_secs(20);
    let (context, _) = context_with(settings);
    let last = Mutex::new(String::new());
    let note = |service: &Service, _: &ServiceOutcome| *last.lock().unwrap() = service.to_string();
    fleet(&from, &to, &services).run(&context, note).await;
    assert_eq!(last.into_inner().unwrap(), "s0000");
}

/// Issue 6: a layer that a hundred images share moves once a registry.
#[tokio::test]
async fn a_layer_that_a_hundred_images_share_moves_once() {
    let [from, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let services = names(100);
    put_sources(&from, &services);
    let outcome = all_done(fleet(&from, &to, &services), &context()).await;
    assert_eq!(moves(&from, &to), [1, 1, 99]);
    let shared = |outcome: &ReleaseOutcome| outcome.destinations[0].copy_stats.shared.blobs;
    let shared: u64 = outcome
        .completed()
        .map(|(_, outcome)| shared(outcome))
        .sum();
    assert_eq!(shared, 99);
}

/// The same where all of them come to it before the first has brought it.
#[tokio::test]
async fn a_layer_that_a_hundred_images_share_moves_once_at_the_same_moment() {
    let [from, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let services = names(100);
    put_sources(&from, &services);
    let layer = format!("blobs/{}", shared_layer());
    from.fault(Fault::on(
        "GET",
        &layer,
        Effect::Delay(Duration::from_secs(2)),
    ));
    let mut settings = settings();
    settings.http.timing.stall = Duration::from_secs(20);
    let (context, _) = context_with(settings);
    let fleet = fleet(&from, &to, &services);
    let all = fleet.services.iter();
    let outcomes = join_all(all.map(|(_, request)| run(request, &context))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(moves(&from, &to), [1, 1, 99]);
    assert_eq!(to.dangling(), [""; 0]);
}

/// Issue 6: at most two requests each beyond tokens.
#[tokio::test]
async fn a_thousand_images_that_are_right_take_two_requests_each() {
    let rules = TokenRules::new("test").anonymous("*", &["pull", "push"]);
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
    let services = names(1000);
    for service in &services {
        put_image(&registry, &format!("dev/{service}"), "v1", "all");
        put_image(&registry, &format!("prod/{service}"), "v1", "all");
    }
    let outcome = all_done(fleet(&registry, &registry, &services), &context()).await;
    assert_eq!(
        (outcome.completed().count(), outcome.has_changes()),
        (1000, false)
    );
    let log = registry.log();
    let answered = |method: &str, status| {
        let same = |method: &str, it: &crate::registry::Exchange| it.method == method;
        log.iter()
            .filter(|it| same(method, it) && it.status == Some(status))
            .count()
    };
    assert_eq!((answered("GET", 200), answered("HEAD", 200)), (1000, 1000));
    assert_eq!(
        log.len(),
        2000 + answered("GET", 401) + answered("HEAD", 401)
    );
}

/// With what stands beside them, as it is by default, two more: whether there is anything new can only
/// be seen in the source's list of tags and in its list of referrers.
#[tokio::test]
async fn images_that_are_right_take_four_requests_each_with_what_stands_beside_them() {
    let count = 200;
    for (profile, expected) in [
        (Profile::plain(), 4 * count),
        // Each image finds out anew that there is no list of referrers.
        (Profile::plain().referrers(false), 4 * count),
    ] {
        let registry = Registry::start(profile).await;
        let services = names(count);
        for service in &services {
            put_image(&registry, &format!("dev/{service}"), "v1", "all");
            put_image(&registry, &format!("prod/{service}"), "v1", "all");
        }
        let mut asked = fleet(&registry, &registry, &services);
        for (_, request) in &mut asked.services {
            request.referrers = ReferrerSelection::Known;
        }
        let outcome = all_done(asked, &context()).await;
        assert!(!outcome.has_changes());
        assert_eq!(registry.count(), expected);
    }
}

/// What stands against one service is found before anything of any is written, and all of it is told.
#[tokio::test]
async fn promise_3_one_refusal_holds_all_before_the_first_write() {
    let [from, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let services = names(5);
    put_sources(&from, &services);
    from.set_tags("dev/s0001", Default::default());
    put_image(&to, "prod/s0003", "1.0.0", "another");
    let mut asked = fleet(&from, &to, &services);
    for (_, request) in &mut asked.services {
        request.rules = TagRules::parse(["type=raw,value=1.0.0,immutable=true", "v1"]).unwrap();
    }
    let outcome = asked.run(&context(), |_, _| {}).await;
    assert_eq!(
        (writes(&to), outcome.started, outcome.has_changes()),
        (0, false, false)
    );
    let ends: Vec<_> = outcome
        .services
        .iter()
        .map(|(service, end)| match end {
            ServiceOutcome::Completed(_) => format!("{service} done"),
            ServiceOutcome::Failed(Failure::Input(_)) => format!("{service} input"),
            ServiceOutcome::Failed(Failure::Refused(_)) => format!("{service} refused"),
            ServiceOutcome::Failed(other) => format!("{service} {other:?}"),
            ServiceOutcome::NotStarted => format!("{service} not begun"),
        })
        .collect();
    assert_eq!(
        ends,
        [
            "s0000 not begun",
            "s0001 input",
            "s0002 not begun",
            "s0003 refused",
            "s0004 not begun"
        ]
    );
}

/// Each service is tag last for itself: one that fails half-way takes none back, and a run that is
/// repeated does the rest alone.
#[tokio::test]
async fn promise_2_a_service_that_fails_leaves_the_others_whole() {
    let [from, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let services = names(200);
    put_sources(&from, &services);
    to.fault(Fault::on("PUT", "/v2/prod/s0002/manifests/", Effect::status(403)).always());
    let outcome = fleet(&from, &to, &services)
        .run(&context(), |_, _| {})
        .await;
    let failed: Vec<_> = outcome
        .failures()
        .map(|(service, _)| service.as_str())
        .collect();
    assert_eq!((failed, outcome.started), (vec!["s0002"], true));
    let done: Vec<_> = outcome
        .completed()
        .map(|(service, _)| service.to_string())
        .collect();
    assert!(done.len() > 2 && done.len() < 199, "{}", done.len());
    for service in &services {
        let tagged = to.tags(&format!("prod/{service}")).contains_key("v1");
        assert_eq!(tagged, done.contains(service), "{service}");
    }
    assert_eq!(
        (to.dangling(), to.open_uploads()),
        (Vec::<String>::new(), 0)
    );

    to.clear_faults();
    to.clear_log();
    let outcome = all_done(fleet(&from, &to, &services), &context()).await;
    for (service, outcome) in outcome.completed() {
        assert_eq!(
            outcome.has_changes(),
            !done.contains(&service.to_string()),
            "{service}"
        );
    }
    let of_done = |it: &crate::registry::Exchange| {
        let repository = it.repository.as_deref().unwrap_or_default();
        done.iter()
            .any(|service| repository.ends_with(service.as_str()))
    };
    let of_done = to.log().into_iter().filter(of_done).count();
    assert_eq!(of_done, done.len(), "one look each");
}

/// A registry that does not answer is not asked for a thousand services.
#[tokio::test]
async fn a_registry_that_fails_ends_the_look() {
    let [from, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let services = names(500);
    put_sources(&from, &services);
    to.fault(Fault::on("*", "/v2/", Effect::status(403)).always());
    let outcome = fleet(&from, &to, &services)
        .run(&context(), |_, _| {})
        .await;
    assert!(matches!(
        outcome.failures().next(),
        Some((_, Failure::Service(_)))
    ));
    assert!(!outcome.started && to.count() < 250, "{}", to.count());
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let [from, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let services = names(3);
    put_sources(&from, &services);
    let mut asked = fleet(&from, &to, &services);
    asked.dry_run = true;
    for (_, request) in &mut asked.services {
        request.dry_run = true;
    }
    let outcome = all_done(asked, &context()).await;
    assert!(outcome.has_changes() && outcome.dry_run);
    assert_eq!(writes(&to), 0);
    let (_, first) = outcome.completed().next().unwrap();
    let root: Digest = from.tags("dev/s0000")["v1"].parse().unwrap();
    assert_eq!(first.root, root);
}

/// Logins are shared where a registry grants that. One that grants a scope at a time, or refuses the
/// question, or says 403 where it means another token, is logged in to for each repository. A mount
/// for which there is no token gives way to an upload: it ended the run.
#[tokio::test]
async fn a_registry_that_shares_no_login_gets_one_for_each_repository() {
    for merging in [Merging::All, Merging::First, Merging::Refused] {
        for forbids in [false, true] {
            let rules = TokenRules::new("test").anonymous("*", &["pull", "push"]);
            let rules = rules.merging(merging);
            let rules = if forbids { rules.forbids() } else { rules };
            let from = Registry::start(Profile::plain()).await;
            let to = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
            let services = names(5);
            put_sources(&from, &services);
            let outcome = all_done(fleet(&from, &to, &services), &context()).await;
            assert!(outcome.has_changes(), "{merging:?}");
            for service in &services {
                let digest = &from.tags(&format!("dev/{service}"))["v1"];
                assert_eq!(&to.tags(&format!("prod/{service}"))["v1"], digest);
            }
            assert_eq!((to.dangling(), to.open_uploads()), (Vec::new(), 0));
            // One for all; else at most the shared one, its own, and two for mounts that it is
            // soon left alone with.
            let tokens = to.token_server().count();
            let most = if merging == Merging::All { 1 } else { 4 * 5 };
            assert!(tokens <= most, "{merging:?}, {forbids}: {tokens} tokens");
        }
    }
}
