//! Random packages: images with referrers and tags, as pushes leave them, and now and then something odd.

use fastrand::Rng;

use crate::retention::tests::support::*;
use crate::retention::*;

const TAGS: [&str; 12] = [
    "pr-1", "pr-2", "pr-3", "sha-a", "sha-b", "sha-c", "1.0.0", "1.1.0", "1.2.0", "lts-1",
    "latest", "main",
];
/// One of so many packages has each kind of oddity.
const ODD: u8 = 9;

fn once_in(random: &mut Rng, times: u8) -> bool {
    random.u8(..times) == 0
}

/// Returns a repository, and what keeps digests in it.
pub fn random_package(random: &mut Rng) -> RetentionSnapshot {
    let mut web = repository();
    let mut roots = Vec::new();
    for number in 0..random.usize(2..7) {
        roots.push(add_image(&mut web, number, random));
    }
    for text in TAGS {
        if random.bool() {
            web.tag(text, &roots[random.usize(..roots.len())]);
        }
    }
    for root in &roots {
        add_evidence(&mut web, root, random);
    }
    add_oddities(&mut web, &roots, random);
    web.absent.insert(digest("gone"));
    for manifest in web.manifests.values_mut() {
        manifest.times.pushed = Some(days_ago(random.i64(1..90)));
    }
    let mut snapshot = snapshot(web);
    if once_in(random, ODD) {
        let target = &roots[random.usize(..roots.len())];
        snapshot.holds.push(RecordedHold {
            name: "x".to_owned(),
            digest: digest(target),
        });
    }
    snapshot
}

/// Adds an image of one or two platforms, which may share a platform with the one before.
fn add_image(web: &mut RepositorySnapshot, number: usize, random: &mut Rng) -> String {
    let root = format!("I{number}");
    let platforms = random.usize(..3);
    let names: Vec<String> = (0..platforms)
        .map(|at| {
            format!(
                "{}{}",
                ["a", "b"][at],
                number - usize::from(number > 0 && once_in(random, 4))
            )
        })
        .collect();
    for name in &names {
        web.image(name, 0);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    web.index(&root, &names, 0);
    root
}

/// Adds a signature by subject, a list of it under a tag, a signature under a tag, or nothing.
fn add_evidence(web: &mut RepositorySnapshot, root: &str, random: &mut Rng) {
    let (bundle, list, signature) = (format!("S{root}"), format!("L{root}"), format!("T{root}"));
    if random.bool() {
        web.referrer(&bundle, root, 0);
        if random.bool() {
            web.index(&list, &[&bundle], 0);
            web.evidence_tag(root, "", &list);
        }
        if once_in(random, 4) {
            web.referrer(&format!("R{root}"), &bundle, 0);
        }
    }
    if once_in(random, 3) {
        web.image(&signature, 0);
        web.evidence_tag(root, ".sig", &signature);
    }
}

fn add_oddities(web: &mut RepositorySnapshot, roots: &[String], random: &mut Rng) {
    let (first, last) = (&roots[0], &roots[roots.len() - 1]);
    let is_child = web.manifests.contains_key(&digest("a0"));
    if once_in(random, 4) {
        web.index("outer", &[first], 0);
        web.tag("pr-outer", "outer");
    }
    if is_child && once_in(random, ODD) {
        web.tag("1.0.0-amd64", "a0");
    }
    if is_child && once_in(random, ODD) {
        web.referrer("of a child", "a0", 0);
    }
    if once_in(random, ODD) {
        web.referrer("of two", first, 0);
        web.evidence_tag(last, ".att", "of two");
    }
    if once_in(random, ODD) {
        web.tag("hold.x", first);
    }
    if once_in(random, ODD) {
        web.image("of nothing", 0);
        web.evidence_tag("gone", ".sig", "of nothing");
    }
}
