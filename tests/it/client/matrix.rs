//! Each request of a copy in turn fails in each way: the copy ends right, or fails with a clear error,
//! and no tag ever names anything wrong. Then several at once, at random.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream};
use serde_json::Value;
use shipmark::referrers::ReferrerSelection;
use shipmark::release::{Failure, ReleaseOutcome, run};

use super::*;
use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::attach::{signed, signed_by_tag};

const RELEASE: &str = "refs/tags/v1.4.0";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Copies at the same time: most of them wait.
const AT_ONCE: usize = 12;

/// A copy that is going to be disturbed.
struct Scene {
    source: Arc<Registry>,
    /// None where it is the source's own registry.
    to: Option<Registry>,
    request: ReleaseRequest,
    /// The repository that is written to, what its tags name, and how many they are.
    repository: &'static str,
    root: String,
    tags: usize,
    /// What is beside the image by then.
    beside: Vec<String>,
}

/// Which of the two a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Struck {
    Source,
    Destination,
}

/// How a scene is set.
type Setting = fn() -> LocalBoxFuture<'static, Scene>;

/// All of them.
const SCENES: [(&str, Setting); 5] = [
    ("cold", || cold().boxed_local()),
    ("referrers", || referrers().boxed_local()),
    ("fallback", || fallback().boxed_local()),
    ("chunks", || chunks().boxed_local()),
    ("mount refused", || mount_refused().boxed_local()),
];

/// The example, into a new repository, with five tags.
async fn cold() -> Scene {
    let source = Arc::new(Registry::start(Profile::plain()).await);
    put_example(&source, "dev/web", "1.4.0");
    let to = Registry::start(Profile::plain()).await;
    let from = format!("{}/dev/web:1.4.0", source.host());
    let place = format!("{}/prod/web", to.host());
    Scene {
        request: promote(&from, &[&place], RELEASE),
        source,
        to: Some(to),
        repository: "prod/web",
        root: example_root().to_string(),
        tags: 5,
        beside: Vec::new(),
    }
}

/// A small image, copied into a repository that has something.
async fn small(source: Arc<Registry>, to: Option<Registry>, size: u64) -> Scene {
    let root = engine::put_image(&source, &[(size, 1)]);
    let registry = to.as_ref().unwrap_or(&source);
    registry.put_manifest("copy", "older", INDEX, r#"{"schemaVersion":2}"#);
    let from = format!("{}/big:1", source.host());
    let place = format!("{}/copy", registry.host());
    Scene {
        request: engine::promotion(&from, &place),
        source,
        to,
        repository: "copy",
        root,
        tags: 1,
        beside: Vec::new(),
    }
}

/// With a signature of each form, to and from registries that list referrers.
async fn referrers() -> Scene {
    let [source, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    let mut scene = small(Arc::new(source), Some(to), 2000).await;
    scene.attach(false);
    scene
}

/// The same where lists are kept under tags, and others' entries are in them.
async fn fallback() -> Scene {
    let [source, to] = [
        Registry::start(Profile::distribution()).await,
        Registry::start(Profile::distribution()).await,
    ];
    let mut scene = small(Arc::new(source), Some(to), 2000).await;
    scene.attach(true);
    let (others, list) = signed(scene.destination(), "copy", &scene.root, "others'");
    scene.beside.push(others);
    let tag = scene.root.replace(':', "-");
    scene.destination().put_manifest("copy", &tag, INDEX, list);
    scene
}

/// A layer in chunks.
async fn chunks() -> Scene {
    let source = Registry::start(Profile::plain()).await;
    let to = Registry::start(Profile::plain().max_body(128 << 10)).await;
    small(Arc::new(source), Some(to), 300 << 10).await
}

/// Within a registry that does not mount: what it opens instead is used.
async fn mount_refused() -> Scene {
    let registry = Registry::start(Profile::plain().mounts(false)).await;
    small(Arc::new(registry), None, 2000).await
}

impl Scene {
    fn destination(&self) -> &Registry {
        self.to.as_ref().unwrap_or(&self.source)
    }

    fn struck(&self, side: Struck) -> &Registry {
        match side {
            Struck::Source => &self.source,
            Struck::Destination => self.destination(),
        }
    }

    fn sides(&self) -> &'static [Struck] {
        match self.to {
            Some(_) => &[Struck::Source, Struck::Destination],
            None => &[Struck::Destination],
        }
    }

    /// Puts what is to travel beside the image.
    fn attach(&mut self, by_tag: bool) {
        let (bundle, list) = signed(&self.source, "big", &self.root, "ours");
        let tag = self.root.replace(':', "-");
        if by_tag {
            self.source.put_manifest("big", &tag, INDEX, list);
        }
        signed_by_tag(&self.source, "big", &self.root);
        self.beside = vec![bundle, format!("{tag}.sig")];
        self.request.referrers = ReferrerSelection::Known;
    }

    /// Copies, in a time that no fault may stretch.
    async fn copy(&self, settings: RegistrySettings) -> Result<ReleaseOutcome, (Failure, String)> {
        let (context, said) = context_with(settings);
        let running = tokio::time::timeout(Duration::from_secs(25), run(&self.request, &context));
        let outcome = running.await.expect("it ends");
        assert!(!said.text().contains('\r'));
        outcome.map_err(|failure| {
            let words = failure.diagnostic().map(ToString::to_string);
            (failure, words.unwrap_or_default())
        })
    }

    /// The tags that name images.
    fn named(&self) -> BTreeSet<(String, String)> {
        let tags = self.destination().tags(self.repository).into_iter();
        tags.filter(|(tag, _)| tag != "older" && !tag.starts_with("sha256-"))
            .collect()
    }

    /// What the destination lists beside the image.
    fn listed(&self) -> BTreeSet<String> {
        let to = self.destination();
        let text = |value: &Value| value["digest"].as_str().unwrap_or_default().to_owned();
        let own = to.referrers(self.repository, &self.root);
        let mut listed: BTreeSet<String> = BTreeSet::new();
        let list = to.manifest(self.repository, &self.root.replace(':', "-"));
        match list {
            Some((_, list)) => {
                let list: Value = serde_json::from_slice(&list).unwrap();
                listed.extend(list["manifests"].as_array().unwrap().iter().map(text));
            }
            None => listed.extend(own.iter().map(text)),
        }
        listed.extend(to.tags(self.repository).into_keys());
        listed
    }

    /// No tag names anything wrong or unfinished, or what lacks what should be beside it.
    fn assert_sound(&self, case: &str) {
        assert_eq!(
            self.destination().dangling(),
            Vec::<String>::new(),
            "{case}"
        );
        let named = self.named();
        for (tag, digest) in &named {
            assert_eq!(*digest, self.root, "{case}: {tag}");
        }
        if !named.is_empty() {
            let listed = self.listed();
            for beside in &self.beside {
                assert!(listed.contains(beside), "{case}: no {beside} in {listed:?}");
                assert!(self.destination().has_manifest(self.repository, beside));
            }
        }
    }

    fn assert_done(&self, case: &str) {
        self.assert_sound(case);
        assert_eq!(self.named().len(), self.tags, "{case}");
    }

    fn assert_clear(&self, case: &str, failure: &Failure, text: &str, struck: &Registry) {
        assert!(
            matches!(failure, Failure::Service(_)),
            "{case}: {failure:?}"
        );
        let sides = ["source ", "destination "];
        assert!(
            sides.iter().any(|side| text.starts_with(side)),
            "{case}: {text}"
        );
        assert!(text.contains(&struck.host()), "{case}: {text}");
        let method = ["GET ", "HEAD ", "POST ", "PUT ", "PATCH ", "blob "];
        assert!(method.iter().any(|m| text.contains(m)), "{case}: {text}");
        // Which side, where they are two.
        if self.to.is_some() {
            let side = match std::ptr::eq(struck, self.destination()) {
                true => "destination ",
                false => "source ",
            };
            assert!(text.starts_with(side), "{case}: {text}");
        }
    }
}

/// Strikes every request of each copy in turn; the outcomes that were errors come back.
async fn every_request(
    scenes: &[(&'static str, Setting)],
    effect: &Effect,
    settings: fn() -> RegistrySettings,
) -> Vec<String> {
    let mut cases = Vec::new();
    for (name, setting) in scenes.iter().copied() {
        let whole = setting().await;
        whole.copy(settings()).await.unwrap();
        whole.assert_done(name);
        for side in whole.sides() {
            let count = whole.struck(*side).count();
            cases.extend((1..=count).map(|n| (name, setting, *side, n)));
        }
    }
    stream::iter(cases)
        .map(|(name, setting, side, n)| async move {
            let scene = setting().await;
            strike(&scene, name, effect, side, n, settings()).await
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect()
        .await
}

async fn strike(
    scene: &Scene,
    name: &str,
    effect: &Effect,
    side: Struck,
    n: usize,
    settings: RegistrySettings,
) -> Option<String> {
    let struck = scene.struck(side);
    struck.fault(Fault::at(n, effect.clone()));
    let outcome = scene.copy(settings.clone()).await;
    let request = struck.log().get(n - 1).map(|exchange| exchange.request());
    let case = format!("{name}: {effect:?} at {side:?} {n}, {request:?}");
    match outcome {
        Ok(_) => {
            scene.assert_done(&case);
            None
        }
        Err((failure, text)) => {
            scene.assert_clear(&case, &failure, &text, struck);
            scene.assert_sound(&case);
            // Where it failed, a re-run goes on.
            scene.copy(settings).await.unwrap();
            scene.assert_done(&case);
            Some(format!("{case}: {text}"))
        }
    }
}

/// What passes is waited out, at whichever request it comes.
#[tokio::test]
async fn a_busy_registry_is_asked_again_at_every_request() {
    for effect in [
        Effect::status_with(429, &[("retry-after", "0")], ""),
        Effect::status(500),
        Effect::status(503),
    ] {
        let failed = every_request(&SCENES, &effect, settings).await;
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_at_every_request() {
    for effect in [
        Effect::ResetBefore,
        Effect::ResetAfter,
        Effect::ResetInUpload(100),
        Effect::CutUpload(100),
    ] {
        let failed = every_request(&SCENES, &effect, settings).await;
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let failed = every_request(&SCENES, &Effect::ResetInBody(30), settings).await;
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Silence after a request, and in the middle of an answer.
#[tokio::test]
async fn an_answer_that_never_comes_is_asked_for_again() {
    for effect in [Effect::NeverAnswered, Effect::StallInBody(30)] {
        let failed = every_request(&SCENES, &effect, || impatient(settings())).await;
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let effect = Effect::Delay(Duration::from_millis(300));
    let failed = every_request(&SCENES[..1], &effect, settings).await;
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Damaged bytes are asked for again or refused; they never arrive.
#[tokio::test]
async fn promise_1_damaged_answers_never_arrive() {
    for effect in [
        Effect::Truncate(30),
        Effect::FlipByte(10),
        Effect::EndlessBody,
    ] {
        for failed in every_request(&SCENES, &effect, settings).await {
            let named = [
                "content is",
                "has the",
                "bytes",
                "larger than 8 MiB",
                "it is not a tag list",
                "it is not a list of referrers",
                "is not a manifest",
            ];
            assert!(named.iter().any(|part| failed.contains(part)), "{failed}");
        }
    }
}

/// How long the random mixes go on.
const MIXED: Duration = Duration::from_secs(4);
/// So many are tried however slow the machine is.
const MIXES: u64 = 150;

/// Several faults of several kinds at once, on both sides: a copy ends right or says what failed, and
/// the next one ends right.
#[tokio::test]
async fn random_mixes_of_faults_end_right_or_clearly() {
    let began = Instant::now();
    let seeds = (0..).take_while(|seed| *seed < MIXES || began.elapsed() < MIXED);
    stream::iter(seeds)
        .map(mixed)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<()>>()
        .await;
}

async fn mixed(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (name, setting) = SCENES[random.usize(..SCENES.len())];
    let scene = setting().await;
    let mut faults = Vec::new();
    for _ in 0..random.usize(1..6) {
        // A list of referrers has no digest: what is wrong in it can be right JSON.
        let reach = if scene.beside.is_empty() { 3000 } else { 12 };
        let effect = any_effect(&mut random, reach);
        let side = scene.sides()[random.usize(..scene.sides().len())];
        let n = random.usize(1..40);
        scene.struck(side).fault(Fault::at(n, effect.clone()));
        faults.push((side, n, effect));
    }
    let case = format!("seed {seed}, {name}: {faults:?}");
    match scene.copy(impatient(settings())).await {
        Ok(_) => scene.assert_done(&case),
        Err((failure, text)) => {
            assert!(
                matches!(failure, Failure::Service(_)),
                "{case}: {failure:?}"
            );
            let sides = ["source ", "destination "];
            assert!(
                sides.iter().any(|side| text.starts_with(side)),
                "{case}: {text}"
            );
            scene.assert_sound(&case);
            scene.source.clear_faults();
            scene.destination().clear_faults();
            scene.copy(settings()).await.expect(&case);
            scene.assert_done(&case);
        }
    }
}

fn any_effect(random: &mut fastrand::Rng, reach: u64) -> Effect {
    let bytes = random.u64(0..3000);
    match random.u32(0..13) {
        0 => Effect::status_with(429, &[("retry-after", "0")], ""),
        1 => Effect::status(500),
        2 => Effect::status(503),
        3 => Effect::ResetBefore,
        4 => Effect::ResetAfter,
        5 => Effect::ResetInUpload(bytes),
        6 => Effect::CutUpload(bytes),
        7 => Effect::ResetInBody(bytes),
        8 => Effect::Truncate(bytes),
        9 => Effect::FlipByte(bytes % reach),
        10 => Effect::EndlessBody,
        11 => Effect::StallInBody(bytes),
        _ => Effect::Delay(Duration::from_millis(600)),
    }
}
