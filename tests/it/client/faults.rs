//! What goes wrong on the way: every request of a copy in turn, and answers that make no sense.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use shipmark::release::{Failure, ReleaseOutcome, run};

use super::*;
use crate::registry::{Effect, Fault, Profile, Registry};

const RELEASE: &str = "refs/tags/v1.4.0";

/// Two registries, of which one has the example image.
struct Pair {
    source: Arc<Registry>,
    to: Registry,
}

/// Which of the two a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Struck {
    Source,
    Destination,
}

impl Pair {
    async fn start() -> Self {
        let source = holding_at(Profile::plain(), |_| settings()).await;
        Self::from(Arc::new(source)).await
    }

    async fn from(source: Arc<Registry>) -> Self {
        Self {
            source,
            to: Registry::start(Profile::plain()).await,
        }
    }

    fn struck(&self, side: Struck) -> &Registry {
        match side {
            Struck::Source => &self.source,
            Struck::Destination => &self.to,
        }
    }

    fn request(&self) -> ReleaseRequest {
        let from = format!("{}/dev/web:1.4.0", self.source.host());
        let to = format!("{}/prod/web", self.to.host());
        promote(&from, &[&to], RELEASE)
    }

    /// Copies, in a time that no fault may stretch.
    async fn copy(&self) -> Result<ReleaseOutcome, (Failure, String)> {
        self.copy_with(settings()).await
    }

    async fn copy_with(
        &self,
        settings: RegistrySettings,
    ) -> Result<ReleaseOutcome, (Failure, String)> {
        let (context, said) = context_with(settings);
        let request = self.request();
        let outcome = tokio::time::timeout(Duration::from_secs(25), run(&request, &context));
        let outcome = outcome.await.expect("it ends");
        outcome
            .map_err(|failure| {
                let words = failure.diagnostic().map(ToString::to_string);
                (failure, words.unwrap_or_default())
            })
            .inspect(|_| assert!(!said.text().contains('\r')))
    }

    /// No tag names anything wrong or unfinished.
    fn assert_sound(&self, case: &str) {
        assert_eq!(self.to.dangling(), Vec::<String>::new(), "{case}");
        for (tag, digest) in self.to.tags("prod/web") {
            assert_eq!(digest, example_root().to_string(), "{case}: {tag}");
        }
    }

    fn assert_done(&self, case: &str) {
        self.assert_sound(case);
        assert_eq!(self.to.tags("prod/web").len(), 5, "{case}");
    }
}

const BOTH: &[Struck] = &[Struck::Source, Struck::Destination];

/// Faults in large blobs, which go by connections of their own: each is got over.
#[tokio::test]
async fn each_fault_in_a_large_blob_is_got_over() {
    let effects = [
        Effect::status_with(429, &[("retry-after", "0")], ""),
        Effect::status(500),
        Effect::status(503),
        Effect::ResetBefore,
        Effect::ResetAfter,
        Effect::ResetInUpload(1_500_000),
        Effect::ResetInBody(1_500_000),
        Effect::FlipByte(1_500_000),
        Effect::EndlessBody,
    ];
    let cases = effects.iter().flat_map(|effect| {
        let requests = [
            (Struck::Source, "GET"),
            (Struck::Destination, "POST"),
            (Struck::Destination, "PUT"),
        ];
        requests.map(|(side, method)| (effect.clone(), side, method))
    });
    stream::iter(cases)
        .map(|(effect, side, method)| async move {
            let case = format!("{effect:?} at {side:?} {method}");
            let [source, to] = [
                Registry::start(Profile::plain()).await,
                Registry::start(Profile::plain()).await,
            ];
            let root = engine::put_image(&source, &[(3 << 20, 1), (2 << 20, 2)]);
            let struck = if side == Struck::Source { &source } else { &to };
            // A session whose opening was not answered is known to nobody.
            let unknown = matches!((&effect, method), (Effect::ResetAfter, "POST"));
            struck.fault(Fault::on(method, "/blobs/", effect));
            let from = format!("{}/big:1", source.host());
            let request = engine::promotion(&from, &format!("{}/copy", to.host()));
            let (context, said) = context_with(settings());
            done(request, &context).await;
            assert_eq!(
                to.tags("copy").into_values().collect::<Vec<_>>(),
                [root],
                "{case}"
            );
            assert_eq!(to.dangling(), Vec::<String>::new(), "{case}");
            let left = usize::from(unknown);
            assert_eq!(to.open_uploads(), left, "{case}: {}", said.text());
        })
        .buffer_unordered(8)
        .collect::<Vec<()>>()
        .await;
}

/// A registry that takes all bytes of a blob and then falls silent: whether it has the blob is asked
/// long before it is given up, which takes five stalls.
#[tokio::test]
async fn an_upload_whose_answer_never_comes_is_settled_by_asking() {
    let [source, to] = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    engine::put_image(&source, &[(3 << 20, 1), (1000, 2)]);
    for n in 1..=3 {
        let effect = Effect::NeverAnswered;
        to.fault(Fault::on("PUT", "/blobs/uploads/", effect));
        let from = format!("{}/big:1", source.host());
        let request = engine::promotion(&from, &format!("{}/copy-{n}", to.host()));
        let began = Instant::now();
        done(request, &context_with(settings()).0).await;
        assert!(
            began.elapsed() < timing().stall * 3,
            "{:?}",
            began.elapsed()
        );
        let repository = format!("PUT /v2/copy-{n}/blobs/");
        assert_eq!(to.count_of(&repository), 3);
    }
    assert_eq!(to.dangling(), Vec::<String>::new());
}

/// A registry that falls silent is given up after some tries; what is unfinished has no name.
#[tokio::test]
async fn a_registry_that_stops_answering_is_given_up() {
    let whole = Pair::start().await;
    whole.copy().await.unwrap();
    let cases = BOTH.iter().flat_map(|side| {
        let count = whole.struck(*side).count();
        (1..=count).step_by(4).map(|n| (*side, n))
    });
    stream::iter(cases)
        .map(|(side, n)| async move {
            let pair = Pair::start().await;
            let struck = pair.struck(side);
            struck.fault(Fault::at(n, Effect::StopForGood));
            let began = Instant::now();
            let case = format!("{side:?} {n}");
            let outcome = pair.copy_with(impatient(settings())).await;
            let (failure, text) = outcome.expect_err(&case);
            assert!(
                matches!(failure, Failure::Service(_)),
                "{case}: {failure:?}"
            );
            assert!(text.contains(&struck.host()), "{case}: {text}");
            assert!(text.contains("no data received for"), "{case}: {text}");
            assert!(began.elapsed() < Duration::from_secs(15), "{case}");
            pair.assert_sound(&case);
            struck.resume();
            pair.copy().await.unwrap();
            pair.assert_done(&case);
        })
        .buffer_unordered(12)
        .collect::<Vec<()>>()
        .await;
}

/// A fault at the first request that holds `part`, by an open registry that has the example.
async fn struck_by(method: &str, part: &str, effect: Effect) -> (Arc<Registry>, Failure, String) {
    let pair = Pair::start().await;
    pair.source.fault(Fault::on(method, part, effect).always());
    let (failure, text) = pair.copy().await.expect_err("it fails");
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.starts_with("source "), "{text}");
    assert!(text.contains(&pair.source.host()), "{text}");
    pair.assert_sound(part);
    assert!(pair.to.tags("prod/web").is_empty());
    (pair.source, failure, text)
}

#[tokio::test]
async fn what_is_refused_for_good_is_asked_once() {
    for (status, body) in [
        (400, ""),
        (403, ""),
        (
            404,
            r#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such thing"}]}"#,
        ),
        (405, ""),
        (416, ""),
    ] {
        let pair = Pair::start().await;
        let effect = Effect::status_with(status, &[], body);
        pair.to
            .fault(Fault::on("POST", "/blobs/uploads/", effect).always());
        let (failure, text) = pair.copy().await.expect_err("it fails");
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(text.contains(&status.to_string()), "{text}");
        assert!(text.contains("POST upload of prod/web"), "{text}");
        if !body.is_empty() {
            assert!(text.contains("NAME_UNKNOWN: no such thing"), "{text}");
            assert!(text.contains("create the repository first"), "{text}");
        }
        // Once for each blob with the question whether it is there, and once without: all of them
        // were under way.
        assert!(pair.to.count_of("POST ") <= 18, "{:?}", pair.to.requests());
    }
}

#[tokio::test]
async fn what_passes_is_asked_as_often_as_the_settings_say() {
    for status in [408, 429, 499, 500, 502, 503, 504, 522] {
        let (source, _, text) = struck_by("GET", "/manifests/1.4.0", Effect::status(status)).await;
        assert!(text.contains(&status.to_string()), "{text}");
        assert_eq!(source.count(), timing().attempts as usize, "{status}");
    }
}

#[tokio::test]
async fn a_retry_after_is_waited_out_and_said() {
    for (header, seconds) in [
        ("1".to_owned(), 1),
        (
            httpdate::fmt_http_date(std::time::SystemTime::now() - Duration::from_secs(60)),
            0,
        ),
    ] {
        let pair = Pair::start().await;
        let effect = Effect::status_with(429, &[("retry-after", &header)], "");
        pair.source.fault(Fault::at(1, effect));
        let began = Instant::now();
        let (context, said) = context_with(settings());
        done(pair.request(), &context).await;
        assert!(began.elapsed() >= Duration::from_secs(seconds), "{header}");
        assert_eq!(pair.source.count_of("GET /v2/dev/web/manifests/1.4.0"), 2);
        let said = said.text();
        assert!(
            said.contains("answered 429 Too Many Requests; trying again"),
            "{said}"
        );
        pair.assert_done(&header);
    }
}

/// A pause that an upload is told to make holds back the next try.
#[tokio::test]
async fn an_upload_waits_as_long_as_it_is_told_to() {
    let pair = Pair::start().await;
    let effect = Effect::status_with(429, &[("retry-after", "1")], "");
    pair.to.fault(Fault::on("PUT", "/blobs/uploads/", effect));
    let began = Instant::now();
    pair.copy().await.unwrap();
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    pair.assert_done("");
}

#[tokio::test]
async fn an_answer_that_contradicts_itself_is_refused() {
    let digest = example_root().to_string();
    let wrong = format!("sha256:{}", "0".repeat(64));
    let index = "application/vnd.oci.image.index.v1+json";
    let big = " ".repeat((8 << 20) + 1);
    let html = "<html><body>Bad Gateway</body></html>";
    for (effect, part) in [
        (
            Effect::status_with(200, &[("docker-content-digest", &wrong)], "{}"),
            wrong.as_str(),
        ),
        (
            Effect::status_with(200, &[("docker-content-digest", &digest)], "{}"),
            "the content is",
        ),
        (
            Effect::status_with(200, &[("content-type", index)], &big),
            "larger than 8 MiB",
        ),
        (
            Effect::status_with(200, &[("content-type", "text/html")], html),
            "answered with a web page",
        ),
        (Effect::status_with(200, &[], ""), "the manifest"),
        (
            Effect::status_with(502, &[("content-type", "text/html")], html),
            "answered 502 Bad Gateway",
        ),
        (
            Effect::status_with(500, &[], "out of\n::error::coffee"),
            "out of\u{fffd}::error::coffee",
        ),
        (
            Effect::status_with(307, &[("location", "/v2/dev/web/manifests/1.4.0")], ""),
            "more than 5 redirects",
        ),
        (Effect::status(307), "no Location"),
        (
            Effect::status_with(307, &[("location", "ftp://127.0.0.1/")], ""),
            "ftp",
        ),
    ] {
        let (_, _, text) = struck_by("*", "/manifests/1.4.0", effect.clone()).await;
        assert!(text.contains(part), "no {part} in: {text}");
        assert!(!text.contains("<html>"), "{text}");
    }
}

#[tokio::test]
async fn a_manifest_that_never_ends_is_cut_off() {
    let (_, _, text) = struck_by("GET", "/manifests/1.4.0", Effect::EndlessBody).await;
    assert!(text.contains("larger than 8 MiB"), "{text}");
}

#[tokio::test]
async fn a_blob_of_another_size_or_content_is_refused_after_some_tries() {
    for (effect, part) in [
        (Effect::FlipByte(7), "its bytes have the digest"),
        (Effect::EndlessBody, "it has more than"),
        (
            Effect::Truncate(9),
            "the blob has 9 bytes, its manifest says",
        ),
        (Effect::status(404), "404"),
        (Effect::status(403), "403"),
    ] {
        let (_, _, text) = struck_by("GET", "/blobs/", effect).await;
        assert!(text.contains("blob sha256:"), "{text}");
        assert!(text.contains(part), "no {part} in: {text}");
    }
}

/// Pages that are no list, lead away or never end: the destination's versions are unknown then, and
/// unknown is refused.
#[tokio::test]
async fn promise_3_a_tag_list_that_makes_no_sense_is_refused() {
    let list = r#"{"name":"prod/web","tags":["a"]}"#;
    let next = |to: &str| format!("<{to}>; rel=\"next\"");
    let own = next("/v2/prod/web/tags/list?n=1000");
    let away = next("http://127.0.0.1:1/v2/prod/web/tags/list?n=1000");
    for (effect, part) in [
        (
            Effect::status_with(200, &[], "<html>"),
            "it is not a tag list",
        ),
        (
            Effect::status_with(200, &[], r#"{"tags":"a"}"#),
            "it is not a tag list",
        ),
        (
            Effect::status_with(200, &[], r#"{"name":"prod/web"}"#),
            "it is not a tag list",
        ),
        (
            Effect::status_with(200, &[("link", &own)], list),
            "never ends",
        ),
        (
            Effect::status_with(200, &[("link", &away)], list),
            "at another host",
        ),
        (
            Effect::status_with(200, &[("link", "nonsense")], list),
            "Link header is malformed",
        ),
        (Effect::status(403), "403"),
        (Effect::status(500), "500"),
    ] {
        let pair = Pair::start().await;
        pair.to
            .fault(Fault::on("GET", "/tags/list", effect).always());
        let (failure, text) = pair.copy().await.expect_err(part);
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(
            text.starts_with("destination ") && text.contains("GET tag list"),
            "{text}"
        );
        assert!(text.contains(part), "no {part} in: {text}");
        assert!(pair.to.tags("prod/web").is_empty());
        assert_eq!(pair.to.count_of("POST "), 0);
    }
}
