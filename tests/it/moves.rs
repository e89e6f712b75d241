//! What becomes of tags that are there already.

use std::path::Path;

use serde_json::json;
use shipmark::image::CommitId;
use shipmark::release::{Failure, ReleaseOutcome, ReleaseRequest, ReleaseVerb, TagChange};

use crate::registry::{Auth, Effect, Fault, Profile, Registry, fixture};
use crate::support::*;

/// An image whose label names a commit, in place by its digest; `number` tells it from others.
pub fn labelled(
    registry: &Registry,
    repository: &str,
    revision: Option<&str>,
    number: u32,
) -> String {
    let labels = revision.map(|revision| json!({"org.opencontainers.image.revision": revision}));
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "number": number,
        "config": {"Labels": labels},
    })
    .to_string();
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": crate::registry::digest(config.as_bytes()),
            "size": config.len(),
        },
        "layers": [],
    })
    .to_string();
    registry.put_blob(repository, config);
    let digest = crate::registry::digest(manifest.as_bytes());
    registry.put_manifest(repository, &digest, kind, manifest)
}

pub fn tag(registry: &Registry, tag: &str, digest: &str) {
    let (kind, bytes) = registry.manifest("web", digest).unwrap();
    registry.put_manifest("web", tag, &kind, bytes);
}

pub fn release(
    registry: &Registry,
    verb: ReleaseVerb,
    digest: &str,
    git_ref: &str,
) -> ReleaseRequest {
    let place = format!("{}/web", registry.host());
    request(
        verb,
        &format!("{place}@{digest}"),
        &[&place],
        pushed(git_ref),
    )
}

fn change<'a>(outcome: &'a ReleaseOutcome, tag: &str) -> &'a TagChange {
    let mut tags = outcome.destinations[0].tags.iter();
    &tags.find(|it| it.tag.as_str() == tag).unwrap().change
}

/// The registries with a rule of their own, and how they say so.
fn keepers() -> [(Profile, &'static str); 6] {
    let open = |profile: Profile| profile.auth(Auth::None);
    [
        (open(Profile::ecr()), "ecr/400_immutable_tag"),
        (open(Profile::harbor()), "harbor/412_immutable_tag"),
        (open(Profile::docker_hub()), "dockerhub/403_immutable_tag"),
        (open(Profile::artifactory()), "artifactory/403_overwrite"),
        (Profile::plain(), "gar/400_immutable_tag"),
        (Profile::plain(), "acr/405_locked"),
    ]
}

async fn keeper((profile, answer): (Profile, &str), tag: &str) -> Registry {
    let registry = Registry::start(profile).await;
    let effect = Effect::Answer(fixture(answer));
    registry.fault(Fault::on("PUT", &format!("/manifests/{tag}"), effect).always());
    registry
}

/// A run that lost a race to another, on a registry that keeps what came first.
#[tokio::test]
async fn promise_3_a_registrys_own_refusal_reads_as_ours() {
    for case in keepers() {
        let name = case.1;
        let registry = keeper(case, "1.4.0").await;
        let [there, ours] = [1, 2].map(|number| labelled(&registry, "web", None, number));
        tag(&registry, "1.4.0", &there);
        // It is there only once it is written.
        let absent = Effect::status(404);
        registry.fault(Fault::on("HEAD", "/manifests/1.4.0", absent).times(2));
        let request = release(&registry, ReleaseVerb::Promote, &ours, "refs/tags/v1.4.0");
        let (failure, text) = failed(request, &context()).await;
        assert!(matches!(failure, Failure::Refused(_)), "{name}: {text}");
        let lines: Vec<&str> = text.lines().collect();
        let place = format!("{}/web", registry.host());
        assert_eq!(
            lines,
            [
                format!("tag 1.4.0 of {place} points to {there}, expected {ours}"),
                " why:  a rule of the registry makes 1.4.0 immutable".to_owned(),
                format!(
                    " hint: release under a new version, or release the existing image, with source {place}:1.4.0"
                ),
            ],
            "{name}"
        );
        assert_eq!(registry.tags("web").len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_registry_that_refuses_the_same_digest_once_more_has_done_it() {
    for case in keepers() {
        let name = case.1;
        let registry = keeper(case, "1.4.0").await;
        let ours = labelled(&registry, "web", None, 1);
        tag(&registry, "1.4.0", &ours);
        let absent = Effect::status(404);
        registry.fault(Fault::on("HEAD", "/manifests/1.4.0", absent).times(2));
        let request = release(&registry, ReleaseVerb::Promote, &ours, "refs/tags/v1.4.0");
        done(request, &context()).await;
        assert_eq!(registry.tags("web")["latest"], ours, "{name}");
    }
}

#[tokio::test]
async fn a_moving_tag_that_the_registry_keeps_is_named_with_the_rule_to_change() {
    for case in keepers() {
        let name = case.1;
        let registry = keeper(case, "latest").await;
        let [there, ours] = [1, 2].map(|number| labelled(&registry, "web", None, number));
        tag(&registry, "1.3.0", &there);
        tag(&registry, "latest", &there);
        let request = release(&registry, ReleaseVerb::Promote, &ours, "refs/tags/v1.4.0");
        let (failure, text) = failed(request, &context()).await;
        assert!(matches!(failure, Failure::Refused(_)), "{name}: {text}");
        assert!(
            text.contains("a rule of the registry makes latest immutable"),
            "{name}: {text}"
        );
        assert!(
            text.contains("exclude it from the registry's rule"),
            "{name}: {text}"
        );
    }
}

/// The same answers where no tag is in the way are what they are.
#[tokio::test]
async fn a_refusal_of_a_tag_that_is_not_there_is_the_registrys_failure() {
    for case in keepers() {
        let name = case.1;
        let registry = keeper(case, "1.4.0").await;
        let ours = labelled(&registry, "web", None, 1);
        let request = release(&registry, ReleaseVerb::Promote, &ours, "refs/tags/v1.4.0");
        let (failure, text) = failed(request, &context()).await;
        assert!(matches!(failure, Failure::Service(_)), "{name}: {text}");
    }
}

/// A run died after it had written its version: the next one, of another version, leaves the line to
/// the dead run's repetition, and says so.
#[tokio::test]
async fn promise_4_a_line_left_behind_is_moved_by_its_own_run() {
    let registry = Registry::start(Profile::plain()).await;
    let [old, newer, ours] = [1, 2, 3].map(|number| labelled(&registry, "web", None, number));
    for (name, digest) in [("1.3.0", &old), ("latest", &old), ("2.1.0", &newer)] {
        tag(&registry, name, digest);
    }
    let (context, said) = context_with(settings());
    let request = release(&registry, ReleaseVerb::Promote, &ours, "refs/tags/v1.4.3");
    let outcome = done(request, &context).await;
    let expected = TagChange::Stays {
        at: Some(old.parse().unwrap()),
        why: "latest stays: the higher release 2.1.0 is in progress".to_owned(),
    };
    assert_eq!(*change(&outcome, "latest"), expected);
    let text = said.text();
    assert!(text.contains("exclude-versions: 2.1.0"), "{text}");
    assert_eq!(registry.tags("web")["latest"], old);
    let again = release(&registry, ReleaseVerb::Promote, &newer, "refs/tags/v2.1.0");
    done(again, &context).await;
    let tags = registry.tags("web");
    assert_eq!((&tags["latest"], &tags["1.4"]), (&newer, &ours));
}

/// The line names what a release overwrote before it died, while a higher one is complete.
#[tokio::test]
async fn promise_4_a_repeated_run_undoes_its_own_write() {
    let registry = Registry::start(Profile::plain()).await;
    let [newer, ours] = [1, 2].map(|number| labelled(&registry, "web", None, number));
    for (name, digest) in [("1.4.3", &ours), ("latest", &ours), ("2.1.0", &newer)] {
        tag(&registry, name, digest);
    }
    let request = || release(&registry, ReleaseVerb::Promote, &ours, "refs/tags/v1.4.3");
    let mut dry = request();
    dry.dry_run = true;
    let planned = done(dry, &context()).await;
    let outcome = done(request(), &context()).await;
    let expected = TagChange::Corrected {
        from: Some(ours.parse().unwrap()),
        to: newer.parse().unwrap(),
        why: "2.1.0 is a higher release".to_owned(),
    };
    assert_eq!(*change(&planned, "latest"), expected);
    assert!(matches!(
        change(&outcome, "latest"),
        TagChange::Corrected { .. }
    ));
    assert_eq!(registry.tags("web")["latest"], newer);
    registry.clear_log();
    done(request(), &context()).await;
    assert_eq!(registry.count_of("PUT "), 0);
}

#[tokio::test]
async fn promise_4_on_disk_a_line_is_moved_by_its_own_run() {
    let disk = tempfile::tempdir().unwrap();
    let place = format!("oci:{}", disk.path().join("prod").display());
    let other = format!("oci-archive:{}", image("buildkit-multi.tar").display());
    let mut newer = push(&other, &[&place], "refs/tags/v2.0.0");
    newer.facts.as_mut().unwrap().commit = Some("1".repeat(40).parse().unwrap());
    let newest = done(newer.clone(), &context()).await.root;
    let release = promote(&example(), &[&place], "refs/tags/v1.4.0");
    let outcome = done(release, &context()).await;
    let latest = change(&outcome, "latest");
    assert!(
        matches!(latest, TagChange::Stays { at: Some(at), .. } if *at == newest),
        "{outcome:?}"
    );
    let again = done(newer, &context()).await;
    assert_eq!(*change(&again, "latest"), TagChange::Unchanged);
}

#[tokio::test]
async fn a_list_that_stays_behind_is_said() {
    let registry = Registry::start(Profile::plain()).await;
    let ours = labelled(&registry, "web", None, 1);
    let body = r#"{"name":"web","tags":[]}"#;
    let behind = Effect::status_with(200, &[("content-type", "application/json")], body);
    registry.fault(Fault::on("GET", "/tags/list", behind).always());
    let (context, said) = context_with(settings());
    let request = release(&registry, ReleaseVerb::Promote, &ours, "refs/tags/v1.4.0");
    done(request, &context).await;
    let text = said.text();
    assert!(text.contains("does not contain 1.4.0 yet"), "{text}");
    assert_eq!(text.matches("does not contain").count(), 1, "{text}");
}

/// A clone with two commits on a branch, the older first.
fn clone(folder: &Path) -> [CommitId; 2] {
    let repository = git2::Repository::init(folder).unwrap();
    let someone = git2::Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    let tree = repository.treebuilder(None).unwrap().write().unwrap();
    let tree = repository.find_tree(tree).unwrap();
    let mut parent: Option<git2::Commit> = None;
    [0, 1].map(|_| {
        let parents: Vec<_> = parent.iter().collect();
        let id = repository
            .commit(Some("HEAD"), &someone, &someone, "x", &tree, &parents)
            .unwrap();
        parent = Some(repository.find_commit(id).unwrap());
        id.to_string().parse().unwrap()
    })
}

#[tokio::test]
async fn an_older_run_leaves_a_branchs_tag_where_git_can_tell() {
    let folder = tempfile::tempdir().unwrap();
    let [older, newer] = clone(folder.path());
    let registry = Registry::start(Profile::plain()).await;
    let unknown = "1".repeat(40);
    let [of_older, of_newer, of_unknown] = [older.as_str(), newer.as_str(), &unknown]
        .map(|revision| labelled(&registry, "web", Some(revision), 0));
    let (mut context, said) = context_with(settings());
    context.ancestry = Some(shipmark::git::checkout(folder.path()).unwrap().ancestry());
    let run = async |digest: &str, commit: &CommitId| {
        let mut request = release(&registry, ReleaseVerb::Push, digest, "refs/heads/main");
        request.facts.as_mut().unwrap().commit = Some(commit.clone());
        done(request, &context).await
    };

    run(&of_older, &older).await;
    run(&of_newer, &newer).await;
    assert_eq!(
        registry.tags("web")["main"],
        of_newer,
        "a newer one goes ahead"
    );
    let outcome = run(&of_older, &older).await;
    let why = format!(
        "main stays at the image of commit {}, which comes after {}",
        newer.short(),
        older.short()
    );
    let at = Some(of_newer.parse().unwrap());
    assert_eq!(*change(&outcome, "main"), TagChange::Stays { at, why });
    assert_eq!(registry.tags("web")["main"], of_newer);
    assert!(!said.text().contains("cannot order"), "{}", said.text());

    tag(&registry, "main", &of_unknown);
    run(&of_older, &older).await;
    assert_eq!(
        registry.tags("web")["main"],
        of_older,
        "what git does not know moves"
    );
    assert!(said.text().contains("cannot order"), "{}", said.text());
}

/// The newer run ends while the older one, which looked before, still writes its other tags.
#[tokio::test]
async fn an_older_run_looks_again_before_it_moves_a_branch() {
    let folder = tempfile::tempdir().unwrap();
    let [older, newer] = clone(folder.path());
    let registry = Registry::start(Profile::plain()).await;
    let [old, of_older, of_newer] = [None, Some(older.as_str()), Some(newer.as_str())]
        .map(|revision| labelled(&registry, "web", revision, 0));
    tag(&registry, "main", &of_newer);
    let (kind, bytes) = registry.manifest("web", &old).unwrap();
    let before = [
        ("content-type", kind.as_str()),
        ("docker-content-digest", &old),
    ];
    let before = Effect::status_with(200, &before, std::str::from_utf8(&bytes).unwrap());
    registry.fault(Fault::on("HEAD", "/manifests/main", before));
    let (mut context, _) = context_with(settings());
    context.ancestry = Some(shipmark::git::checkout(folder.path()).unwrap().ancestry());
    let mut request = release(&registry, ReleaseVerb::Push, &of_older, "refs/heads/main");
    request.facts.as_mut().unwrap().commit = Some(older);
    let outcome = done(request, &context).await;
    let main = change(&outcome, "main");
    assert!(matches!(main, TagChange::Stays { .. }), "{main:?}");
    assert_eq!(registry.tags("web")["main"], of_newer);
}
