//! Manifests and lists that are made to take memory: whatever stands beside an image, a run stays small,
//! and says by name what it does not take.

use std::process::Command;

use serde_json::{Value, json};

use crate::registry::{Effect, Fault, Profile, Registry, digest};
use crate::support::keys;
use crate::support::process::{Place, measured};
use crate::support::*;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The size of what is hostile: under the limit of a manifest.
const SIZE: usize = 7 << 20;
/// The size of what is taken: registries take manifests of 4 MiB.
const TAKEN: usize = 7 << 19;
/// The most memory that a run may have had, in KiB. One without anything beside it has some 20 MiB.
const MEMORY: u64 = 128 << 10;

/// A registry with the example image as `dev/web:t`, and one without anything.
struct Pair {
    from: Registry,
    to: Registry,
    place: Place,
}

/// How a run ended.
struct Ran {
    status: Option<i32>,
    peak: u64,
    log: String,
}

impl Pair {
    async fn start(profile: Profile) -> Self {
        let from = Registry::start(profile.clone()).await;
        put_example(&from, "dev/web", "t");
        from.put_blob("dev/web", "{}");
        let place = Place::new();
        let key = keys::key().public().to_pem();
        std::fs::write(place.path("key.pub"), key).unwrap();
        Self {
            from,
            to: Registry::start(profile).await,
            place,
        }
    }

    /// Puts manifests about the image in place, and has the registry list them without more.
    fn attach(&self, manifests: impl IntoIterator<Item = String>) {
        let entries = manifests.into_iter().map(|bytes| {
            let name = digest(bytes.as_bytes());
            let size = bytes.len();
            self.from.put_manifest("dev/web", &name, MANIFEST, bytes);
            json!({"mediaType": MANIFEST, "digest": name, "size": size, "artifactType": BUNDLE})
        });
        self.list(&index(&entries.collect::<Vec<_>>()));
    }

    /// Has the registry answer this where it is asked for the referrers of the image.
    fn list(&self, list: &str) {
        let asked = format!("/referrers/{}", example_root());
        let answer = Effect::status_with(200, &[("content-type", INDEX)], list);
        self.from.fault(Fault::on("GET", &asked, answer).always());
    }

    /// Puts something under the tag that is made of the image's digest.
    fn tag(&self, ending: &str, kind: &str, bytes: String) {
        let tag = format!("{}{ending}", example_root().to_string().replace(':', "-"));
        self.from.put_manifest("dev/web", &tag, kind, bytes);
    }

    async fn promote(&self) -> Ran {
        let mut command = self.place.command();
        command
            .arg("promote")
            .arg(format!("--source={}/dev/web:t", self.from.host()))
            .arg(format!("--images={}/prod/web", self.to.host()))
            .args(["--tags=released", "--ref=refs/heads/main"]);
        self.run(command).await
    }

    async fn verify(&self) -> Ran {
        let mut command = self.place.command();
        command
            .arg("verify")
            .arg(format!("--source={}/dev/web:t", self.from.host()))
            .arg("--key=key.pub");
        self.run(command).await
    }

    async fn run(&self, mut command: Command) -> Ran {
        let log = self.place.path("log");
        command
            .stdout(std::process::Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap());
        let ran = tokio::task::spawn_blocking(move || measured(command));
        let (status, peak) = ran.await.unwrap();
        let log = std::fs::read_to_string(log).unwrap();
        Ran {
            status: status.code(),
            peak,
            log,
        }
    }
}

impl Ran {
    /// That it stayed small, and ended as it should: with a reason that says `part`, or well.
    fn ends(&self, case: &str, status: i32, part: &str) {
        let Self { peak, log, .. } = self;
        println!("{case}: {peak} KiB, exit status {:?}", self.status);
        assert_eq!(self.status, Some(status), "{case}: {log}");
        assert!(log.contains(part), "{case}: {log}");
        assert!(*peak < MEMORY, "{case}: {peak} KiB; {log}");
    }
}

fn index(entries: &[Value]) -> String {
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string()
}

/// A referrer of the image: the `number`-th of those with these layers and further members.
fn referrer(number: usize, layers: &str, members: &str) -> String {
    let empty = digest(b"{}");
    let config = format!(
        r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{empty}","size":2}}"#
    );
    let subject = format!(
        r#"{{"mediaType":"{INDEX}","digest":"{}","size":1}}"#,
        example_root()
    );
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","artifactType":"{BUNDLE}","config":{config},"layers":[{layers}],"subject":{subject},"number":{number}{members}}}"#
    )
}

/// As many as have about so many bytes together, with commas between.
fn repeated(bytes: usize, one: impl Fn(usize) -> String) -> String {
    let mut all = one(0);
    let mut number = 1;
    while all.len() < bytes {
        all.push(',');
        all.push_str(&one(number));
        number += 1;
    }
    all
}

fn layer(members: &str) -> String {
    let empty = digest(b"{}");
    format!(r#"{{"mediaType":"x/y","digest":"{empty}","size":2{members}}}"#)
}

/// Ways to make a manifest of some MiB, and what becomes of them: the reason that is given, or nothing.
fn shapes() -> Vec<(&'static str, String, String, &'static str)> {
    let none = String::new;
    let annotations = |all: String| format!(r#","annotations":{{{all}}}"#);
    let many = |bytes: usize| repeated(bytes, |n| format!(r#""{n:x}":"""#));
    vec![
        ("annotations", none(), annotations(many(SIZE)), "members"),
        ("fewer annotations", none(), annotations(many(1 << 20)), ""),
        (
            "one long annotation",
            none(),
            annotations(format!(r#""a":"{}""#, "x".repeat(TAKEN))),
            "",
        ),
        (
            "layers",
            repeated(3 << 20, |_| layer("")),
            none(),
            "at most 20000",
        ),
        ("fewer layers", repeated(1 << 20, |_| layer("")), none(), ""),
        (
            "annotations of a layer",
            layer(&annotations(many(1 << 20))),
            none(),
            "",
        ),
        (
            "addresses of a layer",
            layer(&format!(
                r#","urls":[{}]"#,
                repeated(SIZE, |_| r#""""#.to_owned())
            )),
            none(),
            "more than 150000 members",
        ),
        (
            "a thousand addresses of a layer",
            layer(&format!(r#","urls":[{}]"#, vec![r#""""#; 1_000].join(","))),
            none(),
            "at most 100",
        ),
        (
            "content in a layer",
            layer(&format!(r#","data":"{}""#, "e30=".repeat(TAKEN / 4))),
            none(),
            "",
        ),
        (
            "objects that nobody knows",
            none(),
            format!(r#","x":[{}]"#, repeated(SIZE, |_| r#"{"a":1}"#.to_owned())),
            "members",
        ),
        (
            "lists that nobody knows",
            none(),
            format!(r#","x":[{}]"#, repeated(TAKEN, |_| "[]".to_owned())),
            "members",
        ),
        (
            "a long type",
            none(),
            format!(r#","y":"{}""#, "x".repeat(TAKEN)),
            "",
        ),
    ]
}

/// One referrer of each shape, and of the plainest ones ten, which are more than is kept or held of all
/// manifests.
#[tokio::test(flavor = "multi_thread")]
async fn promise_6_manifests_that_take_memory_are_refused_by_name_or_read_again() {
    for (shape, layers, members, reason) in shapes() {
        let many = match shape {
            // More than is kept of all manifests, or held.
            "annotations" | "fewer annotations" | "one long annotation" => 10,
            _ => 1,
        };
        let pair = Pair::start(Profile::plain()).await;
        pair.attach((0..many).map(|number| referrer(number, &layers, &members)));
        let case = |verb: &str| format!("{verb}, {many} with {shape}");
        let status = if reason.is_empty() { 0 } else { 3 };
        let promoted = pair.promote().await;
        promoted.ends(&case("promote"), status, reason);
        if status == 0 {
            let there = pair.to.manifests("prod/web").len();
            let image = pair.from.manifests("dev/web").len() - many;
            assert_eq!(there, image + many, "{shape}");
        } else {
            assert!(pair.to.tags("prod/web").is_empty(), "{shape}");
            assert!(
                promoted.log.contains("manifest sha256:"),
                "{}",
                promoted.log
            );
        }
        let status = if reason.is_empty() { 1 } else { 3 };
        pair.verify().await.ends(&case("verify"), status, reason);
    }
}

/// As many as travel by default, more than is kept: what is not kept is read again when it is written.
#[tokio::test(flavor = "multi_thread")]
async fn promise_9_a_thousand_referrers_of_64_kib_travel_in_little_memory() {
    let pair = Pair::start(Profile::plain()).await;
    let long = format!(r#","y":"{}""#, "x".repeat(64 << 10));
    pair.attach((0..1_000).map(|number| referrer(number, "", &long)));
    pair.promote()
        .await
        .ends("promote, 1000", 0, "created tag released");
    let image = pair.from.manifests("dev/web").len() - 1_000;
    assert_eq!(pair.to.manifests("prod/web").len(), image + 1_000);
    pair.verify().await.ends("verify, 1000", 1, "");
}

/// Lists: of the referrers API, under a tag, of signatures, and of tags.
#[tokio::test(flavor = "multi_thread")]
async fn promise_6_lists_that_take_memory_are_refused_by_name() {
    let root = example_root().to_string();
    let entry = |members: &str| {
        format!(r#"{{"mediaType":"{MANIFEST}","digest":"{root}","size":1{members}}}"#)
    };
    let objects = format!(r#","x":[{}]"#, repeated(SIZE, |_| r#"{"a":1}"#.to_owned()));
    let elements = repeated(SIZE, |_| "[0]".to_owned());
    let annotations = repeated(SIZE, |n| format!(r#""{n:x}":"""#));
    let annotations = format!(r#","annotations":{{{annotations}}}"#);
    let list = |kind: &str, member: &str, all: &str| {
        format!(r#"{{"schemaVersion":2,"mediaType":"{kind}",{member}:[{all}]}}"#)
    };
    let lists = [
        entry(&objects),
        entry(&annotations),
        repeated(SIZE, |_| entry("")),
        repeated(SIZE, |_| "{}".to_owned()),
        entry(&format!(r#","x":[{elements}]"#)),
        entry(&format!(
            r#","artifactType":"x/y","annotations":{{"dev.sigstore.bundle.predicateType":[{elements}]}}"#
        )),
    ];
    for (at, entries) in lists.iter().enumerate() {
        let pair = Pair::start(Profile::plain()).await;
        let text = list(INDEX, r#""manifests""#, entries);
        pair.list(&text);
        let case = |verb: &str| format!("{verb}, list {at}");
        for (verb, ran) in [
            ("promote", pair.promote().await),
            ("verify", pair.verify().await),
        ] {
            println!("{}: {} KiB, {:?}", case(verb), ran.peak, ran.status);
            assert!(ran.peak < MEMORY, "{verb}, list {at}: {} KiB", ran.peak);
        }
        let pair = Pair::start(Profile::plain().referrers(false)).await;
        pair.tag("", INDEX, text);
        pair.promote().await.ends(&case("promote, by tag"), 3, "");
        pair.verify().await.ends(&case("verify, by tag"), 3, "");
    }
    let empty = digest(b"{}");
    for ending in [".sig", ".att"] {
        let pair = Pair::start(Profile::plain()).await;
        let layers = repeated(SIZE, |n| {
            format!(
                r#"{{"mediaType":"x/y","digest":"{empty}","size":2,"annotations":{{"{n}":""}}}}"#
            )
        });
        let config = format!(r#"{{"mediaType":"x/y","digest":"{empty}","size":2}}"#);
        let image = list(MANIFEST, &format!(r#""config":{config},"layers""#), &layers);
        pair.tag(ending, MANIFEST, image);
        let case = format!("promote, {ending}");
        pair.promote().await.ends(&case, 3, "manifest sha256-");
    }
}

/// Pages of tags: large ones, and many with long addresses.
#[tokio::test(flavor = "multi_thread")]
async fn promise_3_a_tag_list_that_takes_memory_is_bounded() {
    let pair = Pair::start(Profile::plain()).await;
    let names = repeated(14 << 20, |n| format!(r#""{n:x}""#));
    let page = format!(r#"{{"name":"prod/web","tags":[{names}]}}"#);
    put_example(&pair.to, "prod/web", "there");
    let answer = Effect::status_with(200, &[], &page);
    pair.to
        .fault(Fault::on("GET", "/tags/list", answer).always());
    let mut command = pair.place.command();
    command
        .arg("promote")
        .arg(format!("--source={}/dev/web:t", pair.from.host()))
        .arg(format!("--images={}/prod/web", pair.to.host()))
        .args([
            "--tags=type=semver,pattern={{major}}",
            "--ref=refs/tags/v1.4.0",
        ]);
    let ran = pair.run(command).await;
    // What a list does not tell leaves its version lines unknown, and unknown is refused.
    ran.ends("tags", 3, "more tags than there is memory for");
    assert_eq!(tags(&pair.to, "prod/web").len(), 1);
}
