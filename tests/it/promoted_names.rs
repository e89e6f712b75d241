//! A promotion keeps what the image is: its version and its SHA tag, and says what gave each.

use shipmark::release::{Failure, ReleaseOutcome, ReleaseRequest};
use shipmark::tagging::{CommitTagForm, CommitTagOrigin, NamedRelease, VersionOrigin};

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::made_image::MadeImage;
use crate::support::*;

const REVISION: (&str, &str) = ("revision", COMMIT);

/// Two registries with an image in the first.
struct Stage {
    from: Registry,
    to: Registry,
    image: MadeImage,
}

impl Stage {
    async fn new(labels: &[(&str, &str)], tags: &[&str]) -> Self {
        let stage = Self {
            from: Registry::start(Profile::plain()).await,
            to: Registry::start(Profile::plain()).await,
            image: MadeImage::new(1, labels),
        };
        stage.image.put(&stage.from, "web", tags);
        MadeImage::new(2, &[]).put(&stage.from, "web", &["9.9.9", "other"]);
        stage
    }

    /// A promotion by a dispatch on main, by `:tag` or by digest.
    fn request(&self, tag: Option<&str>, environment: &str) -> ReleaseRequest {
        let target = tag.map_or_else(
            || format!("@{}", self.image.digest()),
            |tag| format!(":{tag}"),
        );
        let source = format!("{}/web{target}", self.from.host());
        let place = format!("{}/web", self.to.host());
        let mut request = promote(&source, &[&place], "refs/heads/main");
        request.environment = Some(environment.parse().unwrap());
        request
    }

    fn tags(&self) -> String {
        let tags = self.to.tags("web").into_keys();
        tags.collect::<Vec<_>>().join(" ")
    }
}

fn origins(outcome: &ReleaseOutcome) -> (Option<VersionOrigin>, Option<CommitTagOrigin>) {
    (outcome.provenance.version, outcome.provenance.commit_tag)
}

#[tokio::test]
async fn version_lost_an_unlabelled_image_has_the_version_of_its_tags() {
    let stage = Stage::new(&[], &["v1.4.0", "1.4", "latest"]).await;
    let outcome = done(stage.request(None, "prod"), &context()).await;
    assert_eq!(stage.tags(), "1 1.4 1.4.0 latest prod");
    assert_eq!(
        origins(&outcome),
        (Some(VersionOrigin::RepositoryTags), None)
    );
}

#[tokio::test]
async fn version_lost_a_branch_name_as_label_is_no_version() {
    let stage = Stage::new(&[REVISION, ("version", "main")], &["1.4.0", "main"]).await;
    let outcome = done(stage.request(Some("main"), "prod"), &context()).await;
    assert_eq!(stage.tags(), "1 1.4 1.4.0 git-9f3c2a1 latest prod");
    let expected = (
        Some(VersionOrigin::RepositoryTags),
        Some(CommitTagOrigin::Commit),
    );
    assert_eq!(origins(&outcome), expected);
}

#[tokio::test]
async fn sha_tag_renamed_the_tag_that_was_asked_for_is_kept() {
    for labels in [&[][..], &[REVISION]] {
        let stage = Stage::new(labels, &["sha-9f3c2a1"]).await;
        let outcome = done(stage.request(Some("sha-9f3c2a1"), "stage"), &context()).await;
        assert_eq!(stage.tags(), "sha-9f3c2a1 stage");
        assert_eq!(origins(&outcome), (None, Some(CommitTagOrigin::SourceTag)));
    }
}

#[tokio::test]
async fn sha_tag_renamed_by_digest_the_repository_or_the_rule_spells_it() {
    let stage = Stage::new(&[REVISION], &["build-9f3c2a1ca8", "9f3c2a1x", "main"]).await;
    let mut request = stage.request(None, "stage");
    let outcome = done(request.clone(), &context()).await;
    assert_eq!(stage.tags(), "build-9f3c2a1ca8 stage");
    assert_eq!(
        outcome.provenance.commit_tag,
        Some(CommitTagOrigin::RepositoryTags)
    );
    request.naming.commit_tag_form = Some(CommitTagForm {
        environment: "dev".parse().unwrap(),
        prefix: "sha-".to_owned(),
        suffix: String::new(),
        digits: Some(7),
    });
    let outcome = done(request, &context()).await;
    assert_eq!(stage.tags(), "build-9f3c2a1ca8 sha-9f3c2a1 stage");
    assert_eq!(
        outcome.provenance.commit_tag,
        Some(CommitTagOrigin::FromRule)
    );
}

/// A tag that ends in the commit and names another image spells nothing.
#[tokio::test]
async fn a_sha_tag_of_another_image_spells_nothing() {
    let stage = Stage::new(&[REVISION], &["main"]).await;
    MadeImage::new(3, &[]).put(&stage.from, "web", &["sha-9f3c2a1"]);
    done(stage.request(Some("main"), "stage"), &context()).await;
    assert_eq!(stage.tags(), "git-9f3c2a1 stage");
}

#[tokio::test]
async fn contradictions_warn_and_a_policy_refuses_them() {
    let stage = Stage::new(&[REVISION, ("version", "1.3.0")], &["1.4.0", "sha-1111111"]).await;
    let (warned, said) = context_with(settings());
    let outcome = done(stage.request(Some("1.4.0"), "stage"), &warned).await;
    assert_eq!(outcome.version.as_deref(), Some("1.4.0"));
    let text = "the version is 1.4.0 (the version of the source's tag 1.4.0), but another source names 1.3.0 (the version that the image names)";
    assert!(said.warnings().contains(text), "{}", said.warnings());
    assert!(
        outcome.notes.contains(&text.to_owned()),
        "{:?}",
        outcome.notes
    );
    let written = stage.tags();
    for (tag, word) in [("1.4.0", text), ("sha-1111111", "names the commit 1111111")] {
        let mut request = stage.request(Some(tag), "prod");
        request.naming.refuses_contradictions = true;
        let (failure, text) = failed(request, &context()).await;
        assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
        assert!(text.contains(word) && text.contains("hint:"), "{text}");
    }
    assert_eq!(stage.tags(), written);
}

#[tokio::test]
async fn an_input_version_that_the_image_contradicts_warns_and_a_policy_refuses_it() {
    let label = [REVISION, ("version", "1.3.0")];
    for (labels, tag) in [(&label[..], None), (&label[..1], Some("1.3.0"))] {
        let stage = Stage::new(labels, &["1.3.0"]).await;
        let mut request = stage.request(tag, "prod");
        request.naming.version = NamedRelease::parse("1.4.0");
        let mut by_policy = request.clone();
        by_policy.naming.refuses_contradictions = true;
        let (failure, text) = failed(by_policy, &context()).await;
        assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
        assert!(
            text.contains(
                "the version is 1.4.0 (the input version), but another source names 1.3.0"
            ),
            "{text}"
        );
        assert_eq!(stage.tags(), "");
        let (context, said) = context_with(settings());
        let outcome = done(request, &context).await;
        assert_eq!(outcome.provenance.version, Some(VersionOrigin::Input));
        assert_eq!(stage.tags(), "1 1.4 1.4.0 git-9f3c2a1 latest prod");
        assert!(
            said.warnings().contains("but another source names 1.3.0"),
            "{}",
            said.warnings()
        );
    }
}

/// Where the image says nothing else, the input gives the version under a policy too.
#[tokio::test]
async fn an_input_version_gives_the_version_under_a_policy() {
    let stage = Stage::new(&[REVISION, ("version", "main")], &["sha-9f3c2a1"]).await;
    let mut request = stage.request(Some("sha-9f3c2a1"), "prod");
    request.naming.refuses_contradictions = true;
    request.naming.version = NamedRelease::parse("1.4.0");
    let (context, said) = context_with(settings());
    done(request, &context).await;
    assert_eq!(stage.tags(), "1 1.4 1.4.0 latest prod sha-9f3c2a1");
    assert_eq!(said.warnings(), "");
}

#[tokio::test]
async fn production_without_a_version_warns() {
    let stage = Stage::new(&[REVISION], &["sha-9f3c2a1"]).await;
    for (environment, warns) in [("stage", false), ("prod", true)] {
        let (context, said) = context_with(settings());
        done(stage.request(Some("sha-9f3c2a1"), environment), &context).await;
        let text = "the release to prod has no version";
        assert_eq!(said.warnings().contains(text), warns, "{}", said.warnings());
    }
}

#[tokio::test]
async fn a_list_that_is_refused_warns_and_one_that_fails_fails() {
    let stage = Stage::new(&[REVISION], &["1.4.0"]).await;
    stage
        .from
        .fault(Fault::on("GET", "/tags/", Effect::status(403)).always());
    let (context, said) = context_with(settings());
    done(stage.request(None, "stage"), &context).await;
    assert_eq!(stage.tags(), "git-9f3c2a1 stage");
    let text = "does not list the tags of the repository";
    assert!(said.warnings().contains(text), "{}", said.warnings());
    let stage = Stage::new(&[REVISION], &["1.4.0"]).await;
    stage
        .from
        .fault(Fault::on("GET", "/tags/", Effect::status(500)).always());
    let (failure, _) = failed(stage.request(None, "stage"), &crate::support::context()).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert_eq!(stage.tags(), "");
}

/// A layout has tags as well.
#[tokio::test]
async fn a_layout_says_the_names_too() {
    let stage = Stage::new(&[REVISION], &["main"]).await;
    let disk = tempfile::tempdir().unwrap();
    let layout = format!("oci:{}", disk.path().join("dev").display());
    let mut first = stage.request(Some("main"), "dev");
    first.destinations = vec![layout.parse().unwrap()];
    first.naming.version = NamedRelease::parse("1.4.0");
    done(first, &context()).await;
    let mut second = stage.request(None, "prod");
    second.source = format!("{layout}@{}", stage.image.digest())
        .parse()
        .unwrap();
    done(second, &context()).await;
    assert_eq!(stage.tags(), "1 1.4 1.4.0 git-9f3c2a1 latest prod");
}
