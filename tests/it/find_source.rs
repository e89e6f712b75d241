//! A promotion without a source finds the image that was built from the commit of the event: exactly one,
//! whose label names the commit; else it is refused, and nothing is written.

mod events;
mod images;

use serde_json::json;
use shipmark::image::NamedCommit;
use shipmark::release::{
    CommitSearch, Failure, MergedCommit, ReleaseRequest, SoughtImage, SourceOrigin, SourceSearch,
};

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::checkout::commit;
use crate::support::made_image::MadeImage;
use crate::support::process::{Place, Ran};
use crate::support::records::is_entry;
use crate::support::*;

/// Commit that shares its first seven digits with [`COMMIT`].
const TWIN: &str = "9f3c2a1111111111111111111111111111111111";
/// The merge commit of main, of which nothing was built.
const MERGE: &str = "1111111111111111111111111111111111111111";
const PROMOTE: (&str, &str) = ("command", "promote");

/// One repository, and a folder for the steps of workflows.
struct Stage {
    registry: Registry,
    place: Place,
}

impl Stage {
    async fn new() -> Self {
        Self {
            registry: Registry::start(Profile::plain()).await,
            place: Place::new(),
        }
    }

    fn repository(&self) -> String {
        format!("{}/acme/web", self.registry.host())
    }

    /// Puts an image of a commit in place. Returns its digest.
    fn put(&self, number: u32, revision: Option<&str>, tags: &[&str]) -> String {
        let labels: Vec<_> = revision.map(|sha| ("revision", sha)).into_iter().collect();
        let image = MadeImage::new(number, &labels);
        image.put(&self.registry, "acme/web", tags);
        image.digest()
    }

    /// A step of a workflow that this event of a commit started.
    fn step(&self, (event, git_ref, sha): (&str, &str, &str), inputs: &[(&str, &str)]) -> Ran {
        let mut step = self.place.step(git_ref, inputs);
        step.env("GITHUB_EVENT_NAME", event).env("GITHUB_SHA", sha);
        // Where there is a checkout, the workflow is of its commit.
        if let Ok(git) = git2::Repository::open(self.place.root()) {
            let head = git.head().unwrap().target().unwrap();
            step.env("GITHUB_WORKFLOW_SHA", head.to_string());
        }
        Ran::of(step.output().unwrap())
    }

    /// A promotion within the repository, for a push of `git_ref`.
    fn promote(&self, git_ref: &str, sha: &str) -> Ran {
        let repository = self.repository();
        self.step(("push", git_ref, sha), &[PROMOTE, ("images", &repository)])
    }

    fn tags(&self) -> String {
        let tags = self.registry.tags("acme/web").into_keys();
        let tags = tags.filter(|tag| !is_entry(tag));
        tags.collect::<Vec<_>>().join(" ")
    }

    /// What a refused promotion says, with the registry's address replaced.
    fn refused(&self, ran: &Ran) -> String {
        assert_eq!(ran.status, Some(1), "{}", ran.log);
        let (_, said) = ran.log.split_once("refused").unwrap();
        let said = said.lines().next().unwrap().replace("%0A", "\n");
        format!("refused{said}").replace(&self.registry.host(), "ghcr.io")
    }
}

/// README's commonest workflow: a push to main builds, a release tag builds nothing.
#[tokio::test(flavor = "multi_thread")]
async fn promise_1_a_release_tag_promotes_the_image_that_main_built() {
    let stage = Stage::new().await;
    let image = MadeImage::new(1, &[("revision", COMMIT), ("version", "main")]);
    image.write_archive(&stage.place.path("image.tar"));
    let repository = stage.repository();
    let push = [
        ("command", "push"),
        ("source", "oci-archive:image.tar"),
        ("images", &*repository),
    ];
    let pushed = stage.step(("push", "refs/heads/main", COMMIT), &push);
    assert_eq!(pushed.status, Some(0), "{}", pushed.log);
    assert_eq!(stage.tags(), "git-9f3c2a1 main");

    let ran = stage.promote("refs/tags/v1.4.0", COMMIT);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(stage.tags(), "1 1.4 1.4.0 git-9f3c2a1 latest main");
    let tags = stage.registry.tags("acme/web");
    assert!(tags.values().all(|digest| *digest == image.digest()));
    let found = format!("found by commit {COMMIT}, which the tag v1.4.0 names, as tag git-9f3c2a1");
    assert!(ran.log.contains(&found), "{}", ran.log);
    let report = format!("  source   found by commit {COMMIT} as tag git-9f3c2a1");
    assert!(ran.log.contains(&report), "{}", ran.log);
    let summary = stage.place.read("summary");
    assert!(
        summary.contains(&format!("by commit {COMMIT} as tag git")),
        "{summary}"
    );
    let json: serde_json::Value = serde_json::from_str(&stage.place.output("json")).unwrap();
    assert_eq!(json["sourceFromCommit"], COMMIT);
    assert_eq!(json["source"], format!("{repository}:git-9f3c2a1"));
    assert_eq!(json["version"], "1.4.0");

    let again = stage.promote("refs/tags/v1.4.0", COMMIT);
    assert_eq!(again.status, Some(0), "{}", again.log);
    assert_eq!(stage.place.output("outcome"), "unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_not_built_is_refused() {
    let stage = Stage::new().await;
    let missing = stage.promote("refs/tags/v1.4.0", MERGE);
    insta::assert_snapshot!(stage.refused(&missing), @r"
    refused: commit 1111111111111111111111111111111111111111 is not built: there is no ghcr.io/acme/web, or it has no tags
     why:  promote builds nothing: without source it releases the image that was built from the commit which the tag v1.4.0 names
     hint: wait until the workflow that builds the commit has finished, or run it; release a commit that is built, such as one of the default branch; or give source
    ");
    stage.put(1, Some(COMMIT), &["git-9f3c2a1", "main"]);
    let unbuilt = stage.promote("refs/tags/v1.4.0", MERGE);
    insta::assert_snapshot!(stage.refused(&unbuilt), @r"
    refused: commit 1111111111111111111111111111111111111111 is not built: ghcr.io/acme/web has no tag git-1111111 or sha-1111111, and none with the whole commit
     why:  promote builds nothing: without source it releases the image that was built from the commit which the tag v1.4.0 names
     hint: wait until the workflow that builds the commit has finished, or run it; release a commit that is built, such as one of the default branch; or give source
    ");
    stage.put(2, Some(MERGE), &["build-1111111"]);
    let spelled = stage.promote("refs/tags/v1.4.0", MERGE);
    insta::assert_snapshot!(stage.refused(&spelled), @r"
    refused: commit 1111111111111111111111111111111111111111 is not built: ghcr.io/acme/web has no tag git-1111111 or sha-1111111, and none with the whole commit
     why:  promote builds nothing: without source it releases the image that was built from the commit which the tag v1.4.0 names
     hint: give source, if one of these is its image: ghcr.io/acme/web:build-1111111
    ");
    assert_eq!(stage.tags(), "build-1111111 git-9f3c2a1 main");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_images_of_one_commit_are_refused_with_their_tags() {
    let stage = Stage::new().await;
    let whole = format!("sha-{COMMIT}");
    stage.put(1, Some(COMMIT), &["git-9f3c2a1", &whole]);
    stage.put(2, Some(COMMIT), &["sha-9f3c2a1"]);
    let before = stage.tags();
    let ran = stage.promote("refs/tags/v1.4.0", COMMIT);
    insta::assert_snapshot!(stage.refused(&ran), @r"
    refused: commit 9f3c2a1ca84d1343b96baa8137c943ed1860e522 has 2 images in ghcr.io/acme/web: sha256:2705561c1957c0f46221f06db09b1f667974c9e0f8f59522a1caa6cc85651d01 (git-9f3c2a1, sha-9f3c2a1ca84d1343b96baa8137c943ed1860e522), sha256:fc7e12528a9d2f2597dfec4e3f1655da5521a62dbe6ee2683b672a6bbda19b3b (sha-9f3c2a1)
     why:  a promotion without source releases the one image that was built from the commit which the tag v1.4.0 names
     hint: give the right one as source, such as ghcr.io/acme/web@sha256:2705561c1957c0f46221f06db09b1f667974c9e0f8f59522a1caa6cc85651d01
    ");
    assert_eq!(stage.tags(), before);
}

/// One image under several spellings is one image.
#[tokio::test(flavor = "multi_thread")]
async fn each_usual_spelling_finds_the_image() {
    let whole = [
        COMMIT.to_owned(),
        format!("sha-{COMMIT}"),
        format!("git-{COMMIT}"),
    ];
    for tags in [
        &["sha-9f3c2a1"][..],
        &[&whole[0]],
        &[&whole[1]],
        &[&whole[2], "git-9f3c2a1"],
    ] {
        let stage = Stage::new().await;
        stage.put(1, Some(COMMIT), tags);
        let ran = stage.promote("refs/tags/v1.4.0", COMMIT);
        assert_eq!(ran.status, Some(0), "{tags:?} {}", ran.log);
        assert!(stage.tags().contains("1.4.0"), "{tags:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_does_not_name_the_commit_is_refused() {
    for (label, word) in [
        (Some(TWIN), format!("but its label names the commit {TWIN}")),
        (
            Some("9f3c2a1"),
            "but its label says \"9f3c2a1\", which is no full commit".to_owned(),
        ),
        (None, "but no label of it names a commit".to_owned()),
    ] {
        let stage = Stage::new().await;
        stage.put(1, label, &["git-9f3c2a1"]);
        let said = stage.refused(&stage.promote("refs/tags/v1.4.0", COMMIT));
        assert!(said.contains(&word), "{said}");
        for word in [
            "org.opencontainers.image.revision",
            "command: tags",
            "docker/metadata-action",
            "give source: ghcr.io/acme/web:git-9f3c2a1",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert_eq!(stage.tags(), "git-9f3c2a1");
        // The hint holds: with the source given nothing is looked up.
        let repository = stage.repository();
        let source = format!("{repository}:git-9f3c2a1");
        let inputs = [PROMOTE, ("images", &*repository), ("source", &*source)];
        let ran = stage.step(("push", "refs/tags/v1.4.0", COMMIT), &inputs);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }
}

/// Rules that need no commit are no reason to release an image unseen.
#[tokio::test(flavor = "multi_thread")]
async fn the_label_is_looked_at_where_rules_give_the_tags() {
    let stage = Stage::new().await;
    stage.put(1, Some(TWIN), &["git-9f3c2a1"]);
    let repository = stage.repository();
    let inputs = [PROMOTE, ("images", &*repository), ("tags", "live")];
    let ran = stage.step(("push", "refs/tags/v1.4.0", COMMIT), &inputs);
    assert!(stage.refused(&ran).contains(TWIN));
    assert_eq!(stage.tags(), "git-9f3c2a1");
}

/// Only 404 means absent, for each of the tags.
#[tokio::test]
async fn promise_3_a_registry_that_does_not_answer_is_not_taken_for_one_without_the_image() {
    for (status, part) in [
        (403, "/manifests/git-9f3c2a1"),
        (500, "/manifests/sha-9f3c2a1"),
        (
            429,
            "/manifests/git-9f3c2a1ca84d1343b96baa8137c943ed1860e522",
        ),
    ] {
        let stage = Stage::new().await;
        stage.put(1, Some(COMMIT), &["git-9f3c2a1"]);
        for method in ["HEAD", "GET"] {
            let fault = Fault::on(method, part, Effect::status(status)).always();
            stage.registry.fault(fault);
        }
        let (failure, text) = failed(sought(&stage, COMMIT), &context()).await;
        assert!(!matches!(failure, Failure::Refused(_)), "{part}: {text}");
        assert_eq!(stage.tags(), "git-9f3c2a1", "{part}");
    }
}

/// A request that looks for the image of a commit, as a command line makes it.
fn sought(stage: &Stage, sha: &str) -> ReleaseRequest {
    let repository = stage.repository();
    let commit = NamedCommit::Whole(sha.parse().unwrap());
    let search = SourceSearch {
        sought: SoughtImage::OfCommit(CommitSearch {
            commit,
            named_by: "the tag v1.4.0".to_owned(),
            short_sha: 7,
            merged: MergedCommit::NotSought,
        }),
        origins: vec![SourceOrigin {
            place: repository.parse().unwrap(),
            timeline: None,
            form: None,
        }],
    };
    let source = format!("{repository}:git-{}", &sha[..7]);
    ReleaseRequest {
        search: Some(search),
        ..promote(&source, &[&repository], "refs/tags/v1.4.0")
    }
}

/// The object of an annotated tag is no commit: the payload or the checkout tells the commit.
#[tokio::test(flavor = "multi_thread")]
async fn the_commit_of_an_annotated_tag_is_the_one_that_it_leads_to() {
    let stage = Stage::new().await;
    let object = "2222222222222222222222222222222222222222";
    stage.put(1, Some(COMMIT), &["git-9f3c2a1"]);
    let payload =
        json!({"ref": "refs/tags/v1.4.0", "after": object, "head_commit": {"id": COMMIT}});
    std::fs::write(stage.place.path("event.json"), payload.to_string()).unwrap();
    let repository = stage.repository();
    let inputs = [PROMOTE, ("images", &*repository)];
    let mut step = stage.place.step("refs/tags/v1.4.0", &inputs);
    step.env("GITHUB_EVENT_PATH", stage.place.path("event.json"));
    let ran = Ran::of(step.env("GITHUB_SHA", object).output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);

    let built = commit(stage.place.root(), &[("a", "a")]);
    let git = git2::Repository::open(stage.place.root()).unwrap();
    let someone = git2::Signature::new("A", "a@example.com", &git2::Time::new(0, 0)).unwrap();
    let head = git.revparse_single("HEAD").unwrap();
    let tag = git.tag("v1.5.0", &head, &someone, "1.5.0", false).unwrap();
    stage.put(2, Some(&built), &[&format!("git-{}", &built[..7])]);
    let ran = stage.promote("refs/tags/v1.5.0", &tag.to_string());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(stage.tags().contains("1.5.0"), "{}", stage.tags());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_release_and_a_dispatch_name_their_commit() {
    let stage = Stage::new().await;
    stage.put(1, Some(COMMIT), &["git-9f3c2a1"]);
    let payload = json!({"action": "published", "release": {"tag_name": "v1.4.0"}});
    std::fs::write(stage.place.path("event.json"), payload.to_string()).unwrap();
    let repository = stage.repository();
    let mut step = stage
        .place
        .step("refs/tags/v1.4.0", &[PROMOTE, ("images", &repository)]);
    step.env("GITHUB_EVENT_NAME", "release");
    step.env("GITHUB_EVENT_PATH", stage.place.path("event.json"));
    let ran = Ran::of(step.output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(stage.tags(), "1 1.4 1.4.0 git-9f3c2a1 latest");

    let dispatch = ("workflow_dispatch", "refs/heads/main", COMMIT);
    let inputs = [
        PROMOTE,
        ("images", &*repository),
        ("environment", "prod"),
        ("version", "1.4.1"),
    ];
    let ran = stage.step(dispatch, &inputs);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.log.contains("which the branch main names"),
        "{}",
        ran.log
    );
    assert_eq!(stage.tags(), "1 1.4 1.4.0 1.4.1 git-9f3c2a1 latest prod");
}

/// A release branch names the commit in short: git completes it, else the label must begin with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_branch_names_the_commit_and_not_its_head() {
    let stage = Stage::new().await;
    stage.put(1, Some(COMMIT), &["sha-9f3c2a1"]);
    let branch = "refs/heads/release/v1.2.0-sha-9f3c2a1";
    let ran = stage.promote(branch, MERGE);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.log
            .contains("which the branch release/v1.2.0-sha-9f3c2a1 names"),
        "{}",
        ran.log
    );
    assert_eq!(stage.tags(), "1 1.2 1.2.0 latest sha-9f3c2a1");

    let built = commit(stage.place.root(), &[("a", "a")]);
    let short = &built[..7];
    stage.put(2, Some(&built), &[&format!("git-{built}")]);
    let ran = stage.promote(&format!("refs/heads/release/v1.3.0-sha-{short}"), MERGE);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.log.contains(&format!("found by commit {built}")),
        "{}",
        ran.log
    );

    // An image of another commit with the same first digits.
    let other = format!("{short}{}", &TWIN[7..]);
    stage.registry.set_tags("acme/web", Default::default());
    stage.put(3, Some(&other), &[&format!("sha-{short}")]);
    let ran = stage.promote(&format!("refs/heads/release/v1.3.1-sha-{short}"), MERGE);
    let said = stage.refused(&ran);
    assert!(said.contains("but its label names the commit"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_input_commit_goes_before_the_event() {
    let stage = Stage::new().await;
    stage.put(1, Some(COMMIT), &["git-9f3c2a1"]);
    let repository = stage.repository();
    let inputs = [PROMOTE, ("images", &*repository), ("commit", COMMIT)];
    let event = ("push", "refs/tags/v1.4.0", MERGE);
    let with = |more: &[(&str, &str)]| stage.step(event, &[&inputs[..], more].concat());
    let ran = with(&[("environment", "prod")]);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(
        ran.log
            .contains("the input commit in a release to the environment prod"),
        "{}",
        ran.log
    );
    let source = format!("{repository}:git-9f3c2a1");
    let ran = with(&[("source", &source)]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(
        ran.log.contains("source and commit are both given"),
        "{}",
        ran.log
    );
    assert_eq!(stage.tags(), "git-9f3c2a1");
    let ran = with(&[]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(
        ran.log.contains("which the input commit names, as tag"),
        "{}",
        ran.log
    );
    assert_eq!(stage.tags(), "1 1.4 1.4.0 git-9f3c2a1 latest");
}

/// `v2` and `vnext` would release the image again under the version that it has.
#[tokio::test(flavor = "multi_thread")]
async fn a_git_tag_that_is_no_version_needs_a_source_a_version_or_tags() {
    let stage = Stage::new().await;
    stage.put(1, Some(COMMIT), &["git-9f3c2a1", "1.4.0"]);
    let repository = stage.repository();
    let inputs = [PROMOTE, ("images", &*repository), ("environment", "prod")];
    let with = |git_ref: &str, more: &[(&str, &str)]| {
        stage.step(("push", git_ref, COMMIT), &[&inputs[..], more].concat())
    };
    for tag in ["v2", "vnext"] {
        let ran = with(&format!("refs/tags/{tag}"), &[]);
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        let what = format!("the tag {tag} is not a version, and source is not given");
        assert!(ran.log.contains(&what), "{}", ran.log);
        assert_eq!(stage.tags(), "1.4.0 git-9f3c2a1");
    }
    let source = format!("{repository}:git-9f3c2a1");
    for more in [
        ("source", &*source),
        ("version", "1.4.0"),
        ("tags", "stable"),
    ] {
        let ran = with("refs/tags/vnext", &[more]);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let warning = "::warning title=shipmark::the tag vnext is not a version: another source";
        assert_eq!(ran.log.contains(warning), more.0 == "source", "{}", ran.log);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_another_commit_than_the_git_tag_is_a_warning() {
    let stage = Stage::new().await;
    stage.put(1, Some(COMMIT), &["git-9f3c2a1"]);
    let repository = stage.repository();
    let source = format!("{repository}:git-9f3c2a1");
    let inputs = [PROMOTE, ("images", &*repository), ("source", &source)];
    for (git_ref, warns) in [
        ("refs/tags/v1.5.0", true),
        ("refs/heads/main", false),
        ("refs/heads/release/v1.5.0", false),
    ] {
        let ran = stage.step(("push", git_ref, MERGE), &inputs);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let text = format!(
            "the tag v1.5.0 names the commit {MERGE}, but the image was built from {COMMIT}"
        );
        assert_eq!(ran.log.contains(&text), warns, "{git_ref}: {}", ran.log);
        let summary = stage.place.read("summary");
        let has_alert = summary.contains("> [!WARNING]\n> the tag v1.5.0 names the commit 1111111");
        assert_eq!(has_alert, warns, "{git_ref}: {summary}");
        std::fs::remove_file(stage.place.path("summary")).unwrap();
    }
    let same = stage.step(("push", "refs/tags/v1.5.0", COMMIT), &inputs);
    assert!(
        !same.log.contains("but the image was built"),
        "{}",
        same.log
    );
}

/// What gives no place or no commit is bad input.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_needs_one_place_and_a_commit() {
    let stage = Stage::new().await;
    let repository = stage.repository();
    let two = format!("{repository}\n{repository}-b");
    let tagged = ("push", "refs/tags/v1.4.0", COMMIT);
    let ran = stage.step(tagged, &[PROMOTE, ("images", &two)]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(
        ran.log
            .contains("source is required: images names 2 places"),
        "{}",
        ran.log
    );
    assert!(ran.log.contains("give source"), "{}", ran.log);

    let ran = stage.place.run(&["promote", "--images", &repository]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(
        ran.log
            .contains("no commit is known to look the image up by"),
        "{}",
        ran.log
    );
    let ran = stage.place.run(&[
        "promote",
        "--images",
        &repository,
        "--ref",
        "refs/tags/v1.4.0",
    ]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);

    let deleted = json!({"ref": "refs/tags/v1.4.0", "deleted": true});
    std::fs::write(stage.place.path("event.json"), deleted.to_string()).unwrap();
    let mut step = stage
        .place
        .step("refs/tags/v1.4.0", &[PROMOTE, ("images", &repository)]);
    step.env("GITHUB_EVENT_PATH", stage.place.path("event.json"));
    let ran = Ran::of(step.output().unwrap());
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(ran.log.contains("deleted the tag v1.4.0"), "{}", ran.log);
    assert_eq!(stage.registry.count(), 0);

    let push = stage.step(tagged, &[("command", "push"), ("images", &repository)]);
    assert_eq!(push.status, Some(2), "{}", push.log);
    assert!(push.log.contains("source is required"), "{}", push.log);
}

/// Outside a runner the checkout says the commit, and an image layout is a place as well.
#[test]
fn the_checkout_says_the_commit_outside_a_runner() {
    let place = Place::new();
    let built = commit(place.root(), &[("a", "a")]);
    let git = git2::Repository::open(place.root()).unwrap();
    let head = git.revparse_single("HEAD").unwrap();
    git.reset(&head, git2::ResetType::Hard, None).unwrap();
    let sha = format!("git-{}", &built[..7]);
    let ran = place.run(&["promote", "--images", "oci:web", "--environment", "prod"]);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    assert!(ran.log.contains("there is no oci:web"), "{}", ran.log);
    MadeImage::new(1, &[("revision", &built)]).write_archive(&place.path("image.tar"));
    let push = [
        "push",
        "--source",
        "oci-archive:image.tar",
        "--images",
        "oci:web",
    ];
    let ran = place.run(&push);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let ran = place.run(&["promote", "--images", "oci:web", "--environment", "prod"]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(ran.log.contains(&format!("as tag {sha}")), "{}", ran.log);
    assert!(place.read("web/index.json").contains("\"prod\""));
}

/// A dry run finds the image, and writes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_finds_the_image_too() {
    let stage = Stage::new().await;
    stage.put(1, Some(COMMIT), &["git-9f3c2a1"]);
    let repository = stage.repository();
    let inputs = [PROMOTE, ("images", &*repository), ("dry-run", "true")];
    let ran = stage.step(("push", "refs/tags/v1.4.0", COMMIT), &inputs);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(ran.log.contains("as tag git-9f3c2a1"), "{}", ran.log);
    assert_eq!(stage.tags(), "git-9f3c2a1");
}

/// By a policy the image is looked up in `from`, by the rule that spelled the tag on its way.
#[tokio::test(flavor = "multi_thread")]
async fn promise_5_an_environment_looks_up_each_service_in_from_by_its_rule() {
    let stage = Stage::new().await;
    let host = stage.registry.host();
    let policy = format!(
        "environments:
  dev:
    repository: {host}/dev/{{service}}
    tags: type=sha,prefix=build.,suffix=-x,format=long
  stage: {{repository: '{host}/stage/{{service}}', from: dev}}
  prod: {{repository: '{host}/prod/{{service}}', from: stage}}
services: [web, api]
"
    );
    let tag = format!("build.{COMMIT}-x");
    let policy_commit = commit(stage.place.root(), &[(".github/shipmark.yml", &policy)]);
    let run = |event: (&str, &str, &str), to: &str| {
        let mut step = stage.place.step(event.1, &[PROMOTE, ("environment", to)]);
        step.env("GITHUB_EVENT_NAME", event.0)
            .env("GITHUB_SHA", event.2)
            .env("GITHUB_WORKFLOW_SHA", &policy_commit)
            .env("GITHUB_WORKSPACE", stage.place.root());
        Ran::of(step.output().unwrap())
    };
    let names = |repository: &str| {
        let tags = stage.registry.tags(repository).into_keys();
        let tags = tags.filter(|tag| !is_entry(tag));
        tags.collect::<Vec<_>>().join(" ")
    };
    let web = MadeImage::new(1, &[("revision", COMMIT)]);
    web.put(&stage.registry, "dev/web", &[&tag]);
    // An image of the destination and one of the usual spelling do not count.
    web.put(&stage.registry, "stage/api", &[&tag]);
    web.put(&stage.registry, "dev/api", &["git-9f3c2a1"]);
    let tagged = ("push", "refs/tags/v1.4.0", COMMIT);
    let ran = run(tagged, "stage");
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let unbuilt = format!(
        "commit {COMMIT} is not in dev: no record of dev names it, {host}/dev/api has no tag {tag}"
    );
    assert!(ran.log.contains(&unbuilt), "{}", ran.log);
    assert_eq!(
        (names("stage/web"), names("stage/api")),
        (String::new(), tag.clone())
    );

    let api = MadeImage::new(2, &[("revision", COMMIT)]);
    api.put(&stage.registry, "dev/api", &[&tag]);
    stage.registry.set_tags("stage/api", Default::default());
    let abbreviated = ("push", "refs/heads/release/v1.4.0-sha-9f3c2a1", COMMIT);
    let ran = run(abbreviated, "stage");
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(
        ran.log.contains("has fewer digits than the SHA tags in"),
        "{}",
        ran.log
    );
    let ran = run(tagged, "prod");
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let skipped = format!(
        "commit {COMMIT} is not in stage: no record of stage names it, there is no {host}/stage/"
    );
    assert!(ran.log.contains(&skipped), "{}", ran.log);
    let hint = "hint: release the commit to stage first, or wait until the run that does so";
    assert!(ran.log.contains(hint), "{}", ran.log);
    let ran = run(tagged, "stage");
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let ran = run(("workflow_dispatch", "refs/heads/main", COMMIT), "prod");
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    for (service, image) in [("web", &web), ("api", &api)] {
        assert_eq!(
            names(&format!("stage/{service}")),
            format!("1 1.4 1.4.0 {tag} latest stage")
        );
        assert_eq!(
            names(&format!("prod/{service}")),
            format!("1 1.4 1.4.0 {tag} latest prod")
        );
        let mut tags = stage.registry.tags(&format!("prod/{service}"));
        tags.retain(|tag, _| !is_entry(tag));
        assert!(tags.values().all(|digest| *digest == image.digest()));
    }
}
