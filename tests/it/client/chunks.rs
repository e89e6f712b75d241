//! Blobs that go in chunks, and uploads that go on where they broke off.

use shipmark::image::TagOrDigest;
use shipmark::registry::{RegistryClient, RepositoryAccess};
use shipmark::release::ReleaseOutcome;

use super::engine::{promotion, put_image};
use super::*;
use crate::registry::{Auth, Effect, Exchange, Fault, Profile, Registry};
use crate::support::process::{Place, peak};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Copies an image of one layer from one registry to another, in which only its config is.
async fn copied(source: &Registry, to: &Registry, size: u64) -> (ReleaseOutcome, Said) {
    copied_to(source, to, "copy", size).await
}

async fn copied_to(
    source: &Registry,
    to: &Registry,
    name: &str,
    size: u64,
) -> (ReleaseOutcome, Said) {
    let root = put_image(source, &[(size, 1)]);
    to.put_blob(name, "{}");
    // What is new is asked for in another way.
    let older = "application/vnd.oci.image.index.v1+json";
    to.put_manifest(name, "older", older, r#"{"schemaVersion":2}"#);
    let (context, said) = context_with(settings());
    let from = format!("{}/big:1", source.host());
    let outcome = done(promotion(&from, &format!("{}/{name}", to.host())), &context).await;
    assert_eq!(to.tags(name)["copied"], root);
    assert_eq!(to.dangling(), Vec::<String>::new(), "{}", said.text());
    assert_eq!(to.open_uploads(), 0, "{}", said.text());
    (outcome, said)
}

/// The requests about uploads, with the parts of the blob that they were about.
fn uploads(registry: &Registry) -> Vec<String> {
    let log = registry.log();
    let log = log
        .iter()
        .filter(|it| it.path_and_query.contains("/uploads/"));
    let lines = log.map(|it| {
        let range = it.range.as_ref().map(|range| format!("{range} "));
        let status = it
            .status
            .map_or("-".to_owned(), |status| status.to_string());
        format!("{} {}{status}", it.method, range.unwrap_or_default())
    });
    lines.collect()
}

/// Where a read of a blob begins that does not begin at its start.
fn begin(read: &Exchange) -> Option<u64> {
    let begin = read.range.as_ref()?.strip_prefix("bytes=")?;
    begin.trim_end_matches('-').parse().ok()
}

async fn pair(profile: Profile) -> (Registry, Registry) {
    (
        Registry::start(Profile::plain()).await,
        Registry::start(profile).await,
    )
}

/// What a registry says of chunks does not make a blob go in chunks.
#[tokio::test]
async fn a_blob_goes_by_one_put_where_that_is_taken() {
    for profile in [
        Profile::plain().min_chunk(MIB),
        Profile::plain().max_chunk(MIB),
    ] {
        let (source, to) = pair(profile).await;
        copied(&source, &to, 3 * MIB).await;
        assert_eq!(uploads(&to), ["POST 202", "PUT 201"]);
    }
}

/// nginx with its default of 1 MiB.
#[tokio::test]
async fn a_blob_that_is_too_much_at_once_goes_in_chunks() {
    let (source, to) = pair(Profile::plain().max_body(MIB)).await;
    let (outcome, said) = copied(&source, &to, 3 * MIB + 5).await;
    insta::assert_snapshot!(uploads(&to).join("\n"), @r"
    POST 202
    PUT 413
    GET 204
    PATCH 0-2097151 413
    GET 204
    PATCH 0-1048575 202
    PATCH 1048576-2097151 202
    PATCH 2097152-3145727 202
    PUT 3145728-3145732 201
    ");
    assert_eq!(outcome.destinations[0].copy_stats.moved.bytes, 3 * MIB + 5);
    let said_of = said.text();
    assert!(
        said_of.contains("413") && !said_of.contains("tries"),
        "{said_of}"
    );
    let last = said.progress().pop().unwrap();
    assert_eq!(last.moved, last.total);
}

#[tokio::test]
async fn what_one_blob_found_out_holds_for_the_next() {
    let (source, to) = pair(Profile::plain().max_body(MIB)).await;
    put_image(&source, &[(2 * MIB + 1, 1), (2 * MIB, 2), (MIB, 3)]);
    let client = RegistryClient::new(settings(), Said::default().notices()).unwrap();
    let [from, place] = [(&source, "big"), (&to, "copy")]
        .map(|(registry, name)| format!("{}/{name}", registry.host()).parse().unwrap());
    let (from, place) = (
        client.open_repository(&from, RepositoryAccess::Pull, &[]),
        client.open_repository(&place, RepositoryAccess::PullPush, &[]),
    );
    let manifest = from
        .get_manifest(&TagOrDigest::Tag("1".parse().unwrap()))
        .await;
    let mut sent = Vec::new();
    for layer in manifest
        .unwrap()
        .unwrap()
        .blobs()
        .filter(|blob| blob.size > 2)
    {
        let mut upload = place.start_upload(layer.size).await.unwrap();
        loop {
            let body = from
                .open_blob(layer, upload.received_bytes())
                .await
                .unwrap();
            match place
                .upload_blob(&mut upload, layer, body.into_stream())
                .await
            {
                Ok(()) => break,
                Err(error) => assert!(error.wants_smaller_chunk(), "{error}"),
            }
            upload = place.resume_upload(upload, layer).await.unwrap();
        }
        sent.push(uploads(&to).join(", "));
        to.clear_log();
    }
    insta::assert_snapshot!(sent.join("\n"), @r"
    POST 202, PUT 413, GET 204, PATCH 0-2097151 413, GET 204, PATCH 0-1048575 202, PATCH 1048576-2097151 202, PUT 2097152-2097152 201
    POST 202, PATCH 0-1048575 202, PUT 1048576-2097151 201
    POST 202, PUT 201
    ");
}

/// Chunks are as large as the registry wants them, and end where the blob does.
#[tokio::test]
async fn chunks_are_no_smaller_than_the_registry_says() {
    let (source, to) = pair(Profile::plain().max_body(700 * KIB).min_chunk(600 * KIB)).await;
    copied(&source, &to, 1500 * KIB).await;
    insta::assert_snapshot!(uploads(&to).join("\n"), @r"
    POST 202
    PUT 413
    GET 204
    PATCH 0-1048575 413
    GET 204
    PATCH 0-614399 202
    PATCH 614400-1228799 202
    PUT 1228800-1535999 201
    ");
}

/// ghcr.io behind a proxy: its own limit for chunks is smaller still.
#[tokio::test]
async fn a_chunk_that_is_too_large_is_followed_by_smaller_ones() {
    let (source, to) = pair(Profile::plain().max_body(9 * MIB).max_chunk(4 * MIB)).await;
    copied(&source, &to, 10 * MIB).await;
    insta::assert_snapshot!(uploads(&to).join("\n"), @r"
    POST 202
    PUT 413
    GET 204
    PATCH 0-8388607 416
    GET 204
    PATCH 0-4194303 202
    PATCH 4194304-8388607 202
    PUT 8388608-10485759 201
    ");
}

/// One that takes less of a chunk than it was sent says so with the next.
#[tokio::test]
async fn a_registry_that_is_elsewhere_is_gone_on_with_where_it_is() {
    let profile = Profile::plain()
        .max_body(2 * MIB)
        .takes_of_a_chunk(1500 * KIB);
    let (source, to) = pair(profile).await;
    copied(&source, &to, 5 * MIB).await;
    insta::assert_snapshot!(uploads(&to).join("\n"), @r"
    POST 202
    PUT 413
    GET 204
    PATCH 0-4194303 413
    GET 204
    PATCH 0-2097151 202
    PATCH 2097152-4194303 416
    PATCH 1536000-3633151 202
    PUT 3633152-5242879 416
    PATCH 3072000-5169151 202
    PUT 5169152-5242879 416
    PUT 4608000-5242879 201
    ");
}

/// No limit that there can be: the answer is the end of it.
#[tokio::test]
async fn a_registry_that_takes_nothing_is_given_up_and_named() {
    let (source, to) = pair(Profile::plain().max_body(1000)).await;
    put_image(&source, &[(MIB, 1)]);
    let from = format!("{}/big:1", source.host());
    let request = promotion(&from, &format!("{}/copy", to.host()));
    let (failure, text) = failed(request, &context()).await;
    assert!(matches!(failure, shipmark::release::Failure::Service(_)));
    for part in [
        "destination ",
        &to.host(),
        "blob sha256:",
        "413",
        "client_max_body_size",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(to.tags("copy").is_empty());
    assert_eq!(to.open_uploads(), 0);
}

/// What the registry has is neither sent nor read again.
#[tokio::test]
async fn an_upload_that_breaks_off_goes_on_where_the_registry_is() {
    let (source, to) = pair(Profile::plain()).await;
    to.fault(Fault::on("PUT", "/uploads/", Effect::CutUpload(9 * MIB)).times(1));
    to.fault(Fault::on("PUT", "/uploads/", Effect::CutUpload(2 * MIB)).times(1));
    let (outcome, said) = copied(&source, &to, 12 * MIB).await;
    insta::assert_snapshot!(uploads(&to).join("\n"), @r"
    POST 202
    PUT -
    GET 204
    PUT 9437184-12582911 -
    GET 204
    PUT 11534336-12582911 201
    ");
    // The hash is kept every few MiB, and the source read from there.
    let read: Vec<u64> = source.log().iter().filter_map(begin).collect();
    let near = |begin: &u64| (8 * MIB..=9 * MIB).contains(begin);
    assert!(read.len() == 2 && read.iter().all(near), "{read:?}");
    let content = outcome.destinations[0].copy_stats;
    assert_eq!(content.moved.bytes, 12 * MIB);
    assert_eq!(
        (content.resumed.blobs, content.resumed.bytes),
        (2, 20 * MIB)
    );
    let last = said.progress().pop().unwrap();
    assert_eq!(last.moved, last.total);
}

/// As long as it gets on it may break as often as it likes.
#[tokio::test]
async fn an_upload_that_gets_on_is_not_given_up() {
    let (source, to) = pair(Profile::plain()).await;
    let cut = Effect::CutUpload(1200 * KIB);
    to.fault(Fault::on("PUT", "/uploads/", cut).times(7));
    copied(&source, &to, 9 * MIB).await;
    assert!(timing().attempts < 7);
    assert_eq!(to.count_of("POST "), 1);
    assert_eq!(uploads(&to).len(), 1 + 8 + 7);
}

/// Little is sent again rather than asked for.
#[tokio::test]
async fn a_small_upload_that_breaks_off_begins_anew() {
    let (source, to) = pair(Profile::plain()).await;
    to.fault(Fault::on("PUT", "/uploads/", Effect::CutUpload(500 * KIB)));
    copied(&source, &to, 900 * KIB).await;
    assert_eq!(
        uploads(&to),
        ["POST 202", "PUT -", "DELETE 204", "POST 202", "PUT 201"]
    );
}

/// Registries that do not know how far a session is, have lost it, or say something untrue.
#[tokio::test]
async fn a_session_that_does_not_go_on_gives_way_to_another() {
    let range = |range: &str| Effect::status_with(204, &[("range", range)], "");
    let mut seen = Vec::new();
    for (what, status, put) in [
        ("says nothing", Effect::status(204), None),
        ("has lost it", Effect::status(404), None),
        ("knows no question", Effect::status(405), None),
        ("says more than there is", range("0-99999999999"), None),
        ("says nonsense", range("5-nine"), None),
        ("says less", range("0-1048575"), None),
        ("says another place", range("0-2097151"), None),
        (
            "keeps what it does not have",
            range("0-4194303"),
            Some(Effect::status(400)),
        ),
    ] {
        let (source, to) = pair(Profile::plain()).await;
        to.fault(Fault::on("PUT", "/uploads/", Effect::CutUpload(3 * MIB)));
        to.fault(Fault::on("GET", "/uploads/", status).always());
        if let Some(effect) = put {
            to.fault(Fault::on("PUT", "/uploads/", effect));
        }
        copied(&source, &to, 5 * MIB).await;
        seen.push(format!("{what}: {}", uploads(&to).join(", ")));
    }
    insta::assert_snapshot!(seen.join("\n"), @r"
    says nothing: POST 202, PUT -, GET 204, DELETE 204, POST 202, PUT 201
    has lost it: POST 202, PUT -, GET 404, DELETE 204, POST 202, PUT 201
    knows no question: POST 202, PUT -, GET 405, DELETE 204, POST 202, PUT 201
    says more than there is: POST 202, PUT -, GET 204, DELETE 204, POST 202, PUT 201
    says nonsense: POST 202, PUT -, GET 204, DELETE 204, POST 202, PUT 201
    says less: POST 202, PUT -, GET 204, PUT 1048576-5242879 404, DELETE 204, POST 202, PUT 201
    says another place: POST 202, PUT -, GET 204, PUT 2097152-5242879 404, DELETE 204, POST 202, PUT 201
    keeps what it does not have: POST 202, PUT -, GET 204, PUT 4194304-5242879 400, DELETE 204, POST 202, PUT 201
    ");
}

/// What came wrong from the source is in the session as well.
#[tokio::test]
async fn promise_1_a_session_with_wrong_bytes_is_not_gone_on_with() {
    let (source, to) = pair(Profile::plain().max_body(MIB)).await;
    // The first two show how large a chunk may be.
    let at_once = Effect::Delay(Duration::ZERO);
    source.fault(Fault::on("GET", "/blobs/", at_once).times(2));
    source.fault(Fault::on("GET", "/blobs/", Effect::FlipByte(9)));
    copied(&source, &to, 3 * MIB).await;
    assert!(
        uploads(&to).contains(&"DELETE 204".to_owned()),
        "{:#?}",
        uploads(&to)
    );
}

/// Two that broke off at different places: both begin anew, and get the blob from one read.
#[tokio::test]
async fn two_uploads_that_break_off_begin_anew_together() {
    let source = Registry::start(Profile::plain()).await;
    let both = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::plain()).await,
    ];
    put_image(&source, &[(9 * MIB, 1)]);
    for (registry, mib) in both.iter().zip([3, 5]) {
        registry.fault(Fault::on("PUT", "/uploads/", Effect::CutUpload(mib * MIB)));
    }
    let from = format!("{}/big:1", source.host());
    let mut request = promotion(&from, &format!("{}/copy", both[0].host()));
    let second = format!("{}/copy", both[1].host());
    request.destinations.push(second.parse().unwrap());
    done(request, &context()).await;
    for registry in &both {
        assert_eq!(registry.dangling(), Vec::<String>::new());
        assert_eq!(registry.open_uploads(), 0);
    }
}

/// Each chunk shows the token that is good by then.
#[tokio::test]
async fn a_token_that_dies_between_two_chunks_is_replaced() {
    let rules = || rules().anonymous("*", &["pull", "push"]);
    let source = Registry::start(Profile::plain()).await;
    let to = Registry::start(
        Profile::plain()
            .max_body(MIB)
            .auth(Auth::TokenHost(rules())),
    )
    .await;
    let challenge = format!(
        "Bearer realm=\"{}\",service=\"registry.test\"",
        to.token_server().realm()
    );
    let died = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
    to.fault(Fault::on("PATCH", "/uploads/", died.clone()));
    to.fault(Fault::on("PUT", "/uploads/", died).times(2));
    copied(&source, &to, 4 * MIB).await;
    assert_eq!(to.count_of("POST "), 1, "{:#?}", uploads(&to));
}

/// However large a chunk is, and however many go at once: they go straight from where they are read.
/// The same copy without chunks has the same memory; what chunks under way hold is 128 MiB.
#[tokio::test(flavor = "multi_thread")]
async fn chunks_take_no_memory() {
    let whole = peak_of_copy(Profile::plain(), 0).await;
    let chunked = peak_of_copy(Profile::plain().max_body(20 * MIB), 16).await;
    assert!(chunked < whole + (16 << 10), "{chunked} KiB, {whole} KiB");
}

/// Copies eight layers of 33 MiB in as many chunks as expected, and tells the most memory, in KiB.
async fn peak_of_copy(profile: Profile, chunks: usize) -> u64 {
    let (source, to) = pair(profile.discard_blob_bodies()).await;
    let layers: Vec<(u64, u64)> = (0..8).map(|seed| (33 * MIB, seed)).collect();
    put_image(&source, &layers);
    let place = Place::new();
    let mut command = place.command();
    command
        .arg("promote")
        .arg(format!("--source={}/big:1", source.host()))
        .arg(format!("--images={}/copy", to.host()))
        .args(["--tags=copied", "--ref=refs/heads/main"]);
    let (status, peak) = tokio::task::spawn_blocking(move || peak(command))
        .await
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(to.count_of("PATCH /v2/copy/blobs/uploads/"), chunks);
    peak
}
