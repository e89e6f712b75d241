//! The input `sources`: exactly what was approved is released.

use super::*;

const SERVICES: &str = "\
environments:
  dev: {repository: 'HOST/dev/{service}', tags: 'type=raw,value=latest'}
  hotfix: {repository: 'HOST/hotfix/{service}', tags: 'type=raw,value=latest'}
  stage: {repository: 'HOST/stage/{service}', from: [dev, hotfix]}
services: [web, api]
";
const DISPATCH: Trigger<'static> = ("workflow_dispatch", "refs/heads/main", COMMIT);

/// Two services, each with an older image in `dev` and a newer one. Returns the older digests.
async fn start() -> (Stage, [String; 2]) {
    let stage = Stage::with(SERVICES, &[]).await;
    let digests = [("web", 1), ("api", 2)].map(|(service, number)| {
        let image = MadeImage::new(number, &[]);
        stage.push("dev", COMMIT, &image, &[("services", service)]);
        stage.push(
            "dev",
            OTHER,
            &MadeImage::new(number + 10, &[]),
            &[("services", service)],
        );
        image.digest()
    });
    (stage, digests)
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_an_approved_image_is_released_whatever_is_newer() {
    let (stage, [web, api]) = start().await;
    let sources = format!("web={web}\napi={api}");
    stage.promoted(DISPATCH, "stage", &[("sources", &sources)]);
    assert_eq!(stage.registry.tags("stage/web")["stage"], web);
    assert_eq!(stage.registry.tags("stage/api")["stage"], api);
    // Those that have a digest are released.
    let (stage, [web, _]) = start().await;
    stage.promoted(DISPATCH, "stage", &[("sources", &format!("web={web}"))]);
    assert_eq!(stage.registry.tags("stage/web")["stage"], web);
    assert_eq!(stage.registry.tags("stage/api").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_image_is_sought_where_images_may_come_from_alone() {
    let (stage, [web, _]) = start().await;
    let unknown = MadeImage::new(99, &[]);
    unknown.put(&stage.registry, "stage/web", &["x"]);
    let sources = format!("web={}", unknown.digest());
    let refusal = stage.refused(DISPATCH, "stage", &[("sources", &sources)]);
    assert!(
        refusal.contains("the image must be in dev or hotfix"),
        "{refusal}"
    );
    // Of another service.
    let refusal = stage.refused(DISPATCH, "stage", &[("sources", &format!("api={web}"))]);
    assert!(
        refusal.contains("there is no ghcr.io/dev/api@"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_name_no_digest_for_each_service_are_bad_input() {
    let (stage, [web, api]) = start().await;
    let both = format!("web={web}\napi={api}");
    for (sources, more, part) in [
        (
            format!("web={web}\nweb={api}"),
            ("dry-run", "true"),
            "is of a service that is there twice",
        ),
        (
            "web=latest".to_owned(),
            ("dry-run", "true"),
            "is not a service with a digest",
        ),
        (
            format!("web={}", &web[..20]),
            ("dry-run", "true"),
            "is not a service with a digest",
        ),
        (
            both.clone(),
            ("services", "web"),
            "has a digest of api, which is not released",
        ),
        (
            format!("web={web}\nworker={api}"),
            ("dry-run", "true"),
            "has a digest of worker, which is not released",
        ),
        (
            format!("web={web}"),
            ("services", "web\napi"),
            "has no digest of api, which is released",
        ),
        (
            web.clone(),
            ("services", "web"),
            "has no digest of web, which is released",
        ),
        (
            both.clone(),
            ("source", "latest"),
            "sources and source are both given",
        ),
        (
            both,
            ("commit", COMMIT),
            "sources and commit are both given",
        ),
    ] {
        let ran = stage.promote(DISPATCH, "stage", &[("sources", &sources), more]);
        let failure = stage.failed(ran, 2);
        assert!(failure.contains(part), "{part}: {failure}");
    }
    let inputs = [
        ("command", "promote"),
        ("images", "oci:out"),
        ("sources", web.as_str()),
    ];
    let failure = stage.failed(stage.run(DISPATCH, &inputs), 2);
    assert!(
        failure.contains("no environment of a policy is released to"),
        "{failure}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_of_one_repository_takes_the_digest_alone() {
    let stage = Stage::new().await;
    let built = stage.build("dev", COMMIT, 1);
    stage.build("dev", OTHER, 2);
    stage.promoted(DISPATCH, "stage", &[("sources", &built)]);
    assert_eq!(stage.current("stage"), built);
    stage.promoted(DISPATCH, "prod", &[("sources", &built)]);
    assert_eq!(stage.current("prod"), built);
}
