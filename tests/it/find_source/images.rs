//! Which image is taken where tags, annotations and labels do not agree.

use super::*;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Puts an index of images that name these commits under the tag of [`COMMIT`].
fn put_index(stage: &Stage, annotation: Option<&str>, commits: &[&str]) {
    let mut children = Vec::new();
    for (number, sha) in commits.iter().enumerate() {
        let image = MadeImage::new(10 + u32::try_from(number).unwrap(), &[("revision", sha)]);
        image.put(&stage.registry, "acme/web", &[]);
        let platform = ["amd64", "arm64"][number];
        children.push(json!({
            "mediaType": MANIFEST,
            "digest": image.digest(),
            "size": image.size(),
            "platform": {"os": "linux", "architecture": platform},
        }));
    }
    let mut index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": children});
    if let Some(sha) = annotation {
        index["annotations"] = json!({"org.opencontainers.image.revision": sha});
    }
    let index = index.to_string();
    let digest = crate::registry::digest(index.as_bytes());
    for name in ["git-9f3c2a1", &digest] {
        stage
            .registry
            .put_manifest("acme/web", name, INDEX, index.clone());
    }
}

/// Who pushes an index writes its annotations, and orders its platforms.
#[tokio::test(flavor = "multi_thread")]
async fn all_parts_of_an_index_must_name_the_commit() {
    let two = format!("but its labels name two commits, {COMMIT} and {MERGE}");
    for (annotation, commits, refused) in [
        (Some(COMMIT), &[MERGE, MERGE][..], Some(&two)),
        (None, &[COMMIT, MERGE], Some(&two)),
        (Some(COMMIT), &[COMMIT, COMMIT], None),
        (None, &[COMMIT, COMMIT], None),
    ] {
        let stage = Stage::new().await;
        put_index(&stage, annotation, commits);
        let ran = stage.promote("refs/tags/v1.4.0", COMMIT);
        match refused {
            Some(says) => {
                let said = stage.refused(&ran);
                assert!(said.contains(says), "{said}");
                assert_eq!(stage.tags(), "git-9f3c2a1");
            }
            None => assert_eq!(ran.status, Some(0), "{}", ran.log),
        }
    }
}

/// Seven digits can be two commits: the image that names the whole one is taken, and no other suggested.
#[tokio::test(flavor = "multi_thread")]
async fn the_image_of_another_commit_with_the_same_digits_does_not_count() {
    let stage = Stage::new().await;
    let whole = format!("sha-{COMMIT}");
    stage.put(1, Some(TWIN), &["git-9f3c2a1"]);
    let own = stage.put(2, Some(COMMIT), &[&whole]);
    let ran = stage.promote("refs/tags/v1.4.0", COMMIT);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let found = format!("as tag {whole}");
    assert!(ran.log.contains(&found), "{}", ran.log);
    assert_eq!(stage.registry.tags("acme/web")["1.4.0"], own);

    let other = stage.put(3, Some(COMMIT), &["sha-9f3c2a1"]);
    let said = stage.refused(&stage.promote("refs/tags/v1.5.0", COMMIT));
    assert!(
        said.contains(&format!("(git-9f3c2a1, of commit {TWIN})")),
        "{said}"
    );
    let suggested = format!("such as ghcr.io/acme/web@{other}");
    assert!(said.contains(&suggested), "{said}");

    let unlabelled = Stage::new().await;
    unlabelled.put(1, None, &["git-9f3c2a1"]);
    unlabelled.put(2, Some(COMMIT), &[&whole]);
    let ran = unlabelled.promote("refs/tags/v1.4.0", COMMIT);
    assert!(unlabelled.refused(&ran).contains("has 2 images"));
}

/// The tag may be moved after the search.
#[tokio::test(flavor = "multi_thread")]
async fn the_image_is_read_by_the_digest_that_was_found() {
    let stage = Stage::new().await;
    stage.put(1, Some(COMMIT), &["git-9f3c2a1"]);
    let part = "/manifests/git-9f3c2a1";
    let by_tag = Fault::on("GET", part, Effect::status(404)).always();
    stage.registry.fault(by_tag);
    let ran = stage.promote("refs/tags/v1.4.0", COMMIT);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(stage.tags().contains("1.4.0"), "{}", stage.tags());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_another_source_repository_is_a_warning() {
    for (source, warns) in [
        ("https://github.com/Acme/web.git", false),
        ("https://github.com/mallory/web", true),
    ] {
        let stage = Stage::new().await;
        let image = MadeImage::new(1, &[("revision", COMMIT), ("source", source)]);
        image.put(&stage.registry, "acme/web", &["git-9f3c2a1"]);
        let repository = stage.repository();
        let mut step = stage
            .place
            .step("refs/tags/v1.4.0", &[PROMOTE, ("images", &repository)]);
        let ran = Ran::of(step.env("GITHUB_REPOSITORY", "acme/web").output().unwrap());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let said = ran.log.contains("names the source repository https://");
        assert_eq!(said, warns, "{}", ran.log);
    }
}

/// The first tag of a search is not the source of a run that found none.
#[tokio::test(flavor = "multi_thread")]
async fn the_summary_of_a_failed_search_names_the_commit() {
    let stage = Stage::new().await;
    let ran = stage.promote("refs/tags/v1.4.0", COMMIT);
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let summary = stage.place.read("summary");
    let sought = format!("the image of commit {COMMIT} in {}", stage.repository());
    assert!(summary.contains(&format!("`{sought}`")), "{summary}");
    assert!(!summary.contains("acme/web:git-"), "{summary}");
}
