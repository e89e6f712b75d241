//! Ten thousand damaged inputs: archives, layouts, manifests, answers of token servers. Whatever they
//! are, nothing panics, nothing is written outside of the folders that are to be written to, and the
//! process stays small.
//!
//! The work is done by a process of its own, whose memory can be told. The seeds are fixed;
//! `SHIPMARK_MUTANTS` gives another number of mutants.

mod records;
mod reports;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use fastrand::Rng;
use serde_json::{Value, json};
use shipmark::archive::{ImageArchive, Unpacking};
use shipmark::image::{ImageSelector, Manifest, Repository, TagOrDigest};
use shipmark::layout::LayoutDirectory;
use shipmark::notices::Notices;
use shipmark::registry::{RegistryClient, RepositoryAccess};

use crate::client::as_robot;
use crate::registry::{Auth, Effect, Fault, Profile, Registry, TokenRules};
use crate::support::*;

/// How many there are of all kinds together, and how many of each kind of the five.
const MUTANTS: u64 = 10_000;
/// Says that this is the process for the work.
const WORKER: &str = "SHIPMARK_MUTANTS_WORKER";
/// The most memory that the process may ever have had, in KiB, without the pages of the test binary itself, which grow
/// with the number of tests.
const MEMORY: u64 = 48 << 10;

#[test]
fn ten_thousand_mutants_do_no_harm() {
    let binary = std::env::current_exe().unwrap();
    let output = Command::new(binary)
        .args(["mutants::the_work", "--exact", "--nocapture"])
        .env(WORKER, "yes")
        .output()
        .unwrap();
    let [said, log] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{said}\n{log}");
    assert!(said.contains("mutants taken"), "{said}");
}

/// What [`ten_thousand_mutants_do_no_harm`] runs in a process of its own; in any other it is done there.
#[test]
fn the_work() {
    if std::env::var_os(WORKER).is_none() {
        return;
    }
    let count = std::env::var("SHIPMARK_MUTANTS").map_or(MUTANTS, |count| count.parse().unwrap());
    let each = count / 5;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let place = tempfile::tempdir().unwrap();
    let taken = runtime.block_on(async {
        [
            archives(each, place.path()).await,
            layouts(each, place.path()).await,
            manifests(each),
            token_answers(each).await,
            records::records(each).await,
        ]
    });
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().collect();
    assert_eq!(left.len(), 3, "nothing else was written: {left:?}");
    // Some are taken, since the damage is where nobody looks; most are not.
    assert!(
        taken.iter().all(|taken| *taken < each * 9 / 10),
        "{taken:?} of {each}"
    );
    let peak = memory_of("VmHWM:") - memory_of("RssFile:");
    println!("mutants taken: {taken:?} of {each} each; {peak} KiB at most");
    assert!(peak < MEMORY, "{peak} KiB");
}

/// A line of the memory that this process has or has had, in KiB (proc_pid_status(5)).
fn memory_of(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Changes some of the bytes: here and there, a stretch, or the length.
fn spoil(bytes: &mut Vec<u8>, random: &mut Rng) {
    for _ in 0..random.u8(1..5) {
        if bytes.is_empty() {
            return;
        }
        let at = random.usize(..bytes.len());
        let len = random.usize(..600).min(bytes.len() - at);
        match random.u8(..7) {
            0 => bytes[at] = random.u8(..),
            1 => bytes[at] ^= 1 << random.u8(..8),
            2 => bytes[at..at + len].fill(0),
            3 => bytes.truncate(at),
            4 => {
                let stretch = bytes[at..at + len].to_vec();
                bytes.splice(at..at, stretch);
            }
            5 => drop(bytes.drain(at..at + len)),
            _ => {
                let from = random.usize(..=bytes.len() - len);
                bytes.copy_within(at..at + len, from);
            }
        }
    }
}

/// Changes fields of the headers of a tar, and makes their checksums right again.
fn spoil_headers(tar: &mut [u8], random: &mut Rng) {
    /// Where a field is in a header (POSIX pax, "ustar Interchange Format"), and what may stand there.
    const FIELDS: [(usize, &[&[u8]]); 4] = [
        (
            0,
            &[
                b"../../escape\0",
                b"/escape\0",
                b"index.json\0",
                b"manifest.json\0",
                b"blobs/sha256/x\0",
            ],
        ),
        (
            124,
            &[
                b"77777777777\0",
                b"00000000000\0",
                b"00000001000\0",
                b"\x80\0\0\0\0\0\0\x7f\xff\xff\xff\xff",
                b"-1\0",
            ],
        ),
        (
            156,
            &[b"0", b"1", b"2", b"5", b"L", b"K", b"x", b"g", b"S", b"Q"],
        ),
        (
            157,
            &[b"../../escape\0", b"/etc/passwd\0", b"index.json\0", b"\0"],
        ),
    ];
    for _ in 0..random.u8(1..4) {
        let blocks = tar.len() / 512;
        let header = &mut tar[random.usize(..blocks.max(1)) * 512..][..512];
        let (at, values) = FIELDS[random.usize(..FIELDS.len())];
        let value = values[random.usize(..values.len())];
        header[at..at + value.len()].copy_from_slice(value);
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

/// Values that programs trip over.
fn odd(random: &mut Rng) -> Value {
    let deep = |depth: usize| (0..depth).fold(json!([]), |inner, _| json!([inner]));
    match random.u8(..14) {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1e300),
        4 => json!(""),
        5 => json!("../../escape"),
        6 => json!("sha256:"),
        7 => json!(format!("sha256:{}", "0".repeat(64))),
        8 => json!("sha512:00"),
        9 => json!("\u{202e}\u{0}\n::add-mask::x"),
        10 => json!([]),
        11 => json!({}),
        12 => deep(random.usize(..100)),
        _ => json!("x".repeat(random.usize(..5000))),
    }
}

/// Puts something odd in the place of one value, or takes it away.
fn spoil_json(value: &mut Value, random: &mut Rng) {
    let inner: Vec<&mut Value> = match value {
        Value::Array(values) if !values.is_empty() && random.bool() => values.iter_mut().collect(),
        Value::Object(members) if !members.is_empty() => {
            if random.u8(..8) == 0 {
                let key = members.keys().nth(random.usize(..members.len())).cloned();
                members.remove(&key.unwrap());
                return;
            }
            members.values_mut().collect()
        }
        _ => {
            *value = odd(random);
            return;
        }
    };
    let at = random.usize(..inner.len());
    if let Some(value) = inner.into_iter().nth(at) {
        spoil_json(value, random);
    }
}

/// A JSON document, spoilt as a document or as bytes.
fn spoilt_json(document: &[u8], random: &mut Rng) -> Vec<u8> {
    if random.bool() {
        let mut value = serde_json::from_slice(document).unwrap();
        (0..random.u8(1..4)).for_each(|_| spoil_json(&mut value, random));
        return value.to_string().into_bytes();
    }
    let mut bytes = document.to_vec();
    spoil(&mut bytes, random);
    bytes
}

async fn archives(count: u64, place: &Path) -> u64 {
    let names = [
        "buildkit-multi.tar",
        "buildkit-multi.tar.gz",
        "docker20-save-two-tags.tar",
        "skopeo-docker-archive.tar",
        "crane-pull-tarball.tar",
        "docker29-graphdriver-save-two-tags.tar",
        "docker29-containerd-save-multi.tar",
    ];
    let mut originals: Vec<_> = names.map(|name| std::fs::read(image(name)).unwrap()).into();
    originals.push(zstd(&originals[0]));
    originals.push(with_layers_of_zstd(&originals[4]));
    let scratch = place.join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    let path = place.join("mutant.tar");
    let mut taken = 0;
    for seed in 0..count {
        let mut random = Rng::with_seed(seed);
        let mut bytes = originals[random.usize(..originals.len())].clone();
        match random.u8(..3) {
            0 => spoil(&mut bytes, &mut random),
            1 => spoil_headers(&mut bytes, &mut random),
            _ => {
                spoil_headers(&mut bytes, &mut random);
                spoil(&mut bytes, &mut random);
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        taken += u64::from(open(&path, &scratch).await);
    }
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    taken
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A docker-archive whose layers are of gzip, with layers of zstd.
fn with_layers_of_zstd(archive: &[u8]) -> Vec<u8> {
    let mut with = tar::Builder::new(Vec::new());
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut tar = Vec::new();
            let mut gzip = flate2::read::GzDecoder::new(&bytes[..]);
            gzip.read_to_end(&mut tar).unwrap();
            bytes = zstd(&tar);
        }
        let mut header = entry.header().clone();
        header.set_size(bytes.len() as u64);
        with.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    with.into_inner().unwrap()
}

/// Whether either way of reading it finds a whole image.
async fn open(path: &Path, scratch: &Path) -> bool {
    let quiet = Notices::new(|_| {});
    let mut whole = false;
    let unpacking = Unpacking {
        directory: Some(scratch.to_owned()),
        limit: None,
    };
    if let Ok(archive) = ImageArchive::open(path, &unpacking).await
        && let Ok(root) = archive.select_image(&ImageSelector::Only).await
    {
        whole |= archive.check(root).await.is_ok();
    }
    let docker = ImageArchive::open_docker(path, &ImageSelector::Only, &unpacking, &quiet).await;
    if let Ok((archive, root)) = docker {
        whole |= archive.check(root).await.is_ok();
    }
    whole
}

async fn layouts(count: u64, place: &Path) -> u64 {
    let original = image("regctl-layout-signed");
    let layout = place.join("layout");
    copy(&original, &layout);
    let documents: Vec<PathBuf> = documents(&layout);
    let mut taken = 0;
    for seed in 0..count {
        let mut random = Rng::with_seed(seed);
        let path = &documents[random.usize(..documents.len())];
        let before = std::fs::read(path).unwrap();
        std::fs::write(path, spoilt_json(&before, &mut random)).unwrap();
        if let Ok(layout) = LayoutDirectory::open(&layout).await
            && let Ok(root) = layout
                .select_image(&ImageSelector::Name("1.4.2".to_owned()))
                .await
        {
            taken += u64::from(layout.check(root).await.is_ok());
            let _ = layout.tags().await;
            let _ = layout.referrers_of(root).await;
        }
        std::fs::write(path, before).unwrap();
    }
    taken
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// The documents of a layout: its index, which counts most, its marker and its manifests.
fn documents(layout: &Path) -> Vec<PathBuf> {
    let mut paths = vec![layout.join("oci-layout")];
    paths.extend(std::iter::repeat_n(layout.join("index.json"), 5));
    for entry in std::fs::read_dir(layout.join("blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let json: Result<Value, _> = serde_json::from_slice(&std::fs::read(&path).unwrap());
        paths.extend(json.is_ok_and(|json| json.is_object()).then_some(path));
    }
    paths.sort();
    paths
}

fn manifests(count: u64) -> u64 {
    let originals: Vec<_> = documents(&image("regctl-layout-signed"))
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let mut taken = 0;
    for seed in 0..count {
        let mut random = Rng::with_seed(seed);
        let original = &originals[random.usize(..originals.len())];
        let bytes = Bytes::from(spoilt_json(original, &mut random));
        if let Ok(manifest) = Manifest::parse(bytes.clone(), None) {
            taken += 1;
            assert_eq!(manifest.bytes, bytes);
            manifest.children().for_each(drop);
            manifest.blobs().for_each(drop);
        }
    }
    taken
}

async fn token_answers(count: u64) -> u64 {
    let rules = TokenRules::new("registry.test").user("robot", crate::client::HUNTER2);
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
    let repository: Repository = format!("{}/team/web", registry.host()).parse().unwrap();
    let challenge = format!(
        r#"Bearer realm="{}",service="registry.test",scope="repository:team/web:pull""#,
        registry.token_server().realm()
    );
    let answer = json!({"token": "x", "access_token": "x", "expires_in": 300, "issued_at": "2026-11-20T00:00:00Z"});
    let answer = answer.to_string().into_bytes();
    let mut taken = 0;
    for seed in 0..count {
        let mut random = Rng::with_seed(seed);
        if random.u8(..4) == 0 {
            let mut challenge = challenge.clone().into_bytes();
            spoil(&mut challenge, &mut random);
            // What the test's own server can send.
            challenge.retain(|byte| (b' '..=b'~').contains(byte));
            let challenge = String::from_utf8(challenge).unwrap();
            let effect = Effect::status_with(401, &[("www-authenticate", &challenge)], "");
            registry.fault(Fault::on("*", "", effect));
        } else {
            let body = spoilt_json(&answer, &mut random);
            let body = String::from_utf8_lossy(&body);
            let effect = Effect::status_with(200, &[], &body);
            registry.token_server().fault(Fault::on("*", "", effect));
        }
        let client = RegistryClient::new(as_robot(&[&registry]), Notices::new(|_| {})).unwrap();
        let remote = client.open_repository(&repository, RepositoryAccess::Pull, &[]);
        let head = remote
            .head_manifest(&TagOrDigest::Tag("1".parse().unwrap()))
            .await;
        taken += u64::from(head.is_ok());
        registry.clear_faults();
        registry.clear_log();
    }
    taken
}
