//! The archive of what is deleted, and images that are brought back from it.

use std::path::Path;

use shipmark::prune::{RestoreRequest, RestoredTag, restore};
use shipmark::registry_api::ApiLogins;
use shipmark::release::Failure;

use super::stage::*;
use crate::registry::{Effect, Fault, Profile};
use crate::support::*;

async fn prune_with_archive(stage: &PruneStage, archive: &Path) -> Result<(), Failure> {
    let rules = rules([tagged("pr-*", Some(14))]);
    let file = stage.plan_file(rules.clone()).await;
    let mut request = stage.request(rules);
    request.archive = Some(archive.to_owned());
    let outcome = shipmark::prune::apply_prune(&request, &file, &context()).await?;
    match outcome.repositories.into_iter().find_map(|it| it.failure) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

fn request_of(stage: &PruneStage, archive: &Path) -> RestoreRequest {
    RestoreRequest {
        place: stage.place().parse().unwrap(),
        archive: Some(archive.to_owned()),
        digest: stage.digest_of("I"),
        api: None,
        logins: ApiLogins::default(),
        clock: now(),
    }
}

#[tokio::test]
async fn what_is_deleted_can_be_brought_back_as_it_was() {
    for (has_api, has_list) in [(true, false), (false, true)] {
        let profile = Profile::plain().referrers(has_api);
        let stage = PruneStage::signed_pull_request(profile, has_list).await;
        let folder = tempfile::tempdir().unwrap();
        let before = (stage.there(), stage.registry.tags(WEB));
        prune_with_archive(&stage, folder.path()).await.unwrap();
        assert_eq!(stage.there(), ["other".to_owned()].into());
        let request = request_of(&stage, folder.path());
        let outcome = restore(&request, &context()).await.unwrap();
        assert_eq!((stage.there(), stage.registry.tags(WEB)), before);
        assert_eq!(stage.registry.dangling(), Vec::<String>::new());
        let written = outcome
            .tags
            .iter()
            .filter(|(_, it)| *it == RestoredTag::Written);
        assert_eq!(written.count(), if has_list { 3 } else { 1 });
        // Once more changes nothing.
        let again = restore(&request, &context()).await.unwrap();
        assert!(
            again
                .tags
                .iter()
                .all(|(_, it)| *it == RestoredTag::Unchanged)
        );
        assert_eq!((stage.there(), stage.registry.tags(WEB)), before);
    }
}

#[tokio::test]
async fn a_tag_that_names_another_image_by_now_stays() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let folder = tempfile::tempdir().unwrap();
    prune_with_archive(&stage, folder.path()).await.unwrap();
    stage.tag("pr-1", "other");
    let outcome = restore(&request_of(&stage, folder.path()), &context())
        .await
        .unwrap();
    let taken = RestoredTag::Taken(stage.digest_of("other"));
    assert_eq!(outcome.tags, [("pr-1".parse().unwrap(), taken)]);
    assert_eq!(stage.registry.tags(WEB)["pr-1"], stage.names["other"]);
    assert!(stage.there().contains("S(a)"));
}

#[tokio::test]
async fn nothing_is_deleted_that_could_not_be_archived() {
    let stage = PruneStage::signed_pull_request(Profile::plain(), false).await;
    let folder = tempfile::tempdir().unwrap();
    let before = stage.there();
    let layer = crate::registry::digest(b"layer of a");
    let fault = Fault::on("GET", &layer, Effect::status(404));
    stage.registry.fault(fault.always());
    let failure = prune_with_archive(&stage, folder.path()).await;
    let requests = stage.requests();
    assert!(failure.is_err(), "{requests:#?}");
    assert_eq!(stage.there(), before);
    assert_eq!(stage.registry.count_of("DELETE"), 0);
    let missing = restore(&request_of(&stage, folder.path()), &context()).await;
    assert!(matches!(missing, Err(Failure::Input(_))), "{missing:?}");
}
