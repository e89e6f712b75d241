//! GHCR by GitHub's packages API.

use shipmark::image::RegistryVendor;
use shipmark::prune::{RestoreRequest, RestoredTag, restore};
use shipmark::registry_api::{ApiDeletion, RegistryApiErrorKind};
use shipmark::retention::RetentionRules;

use super::ghcr_server::{SharedPackage, TOKEN, package_of, start};
use super::vendor_stage::VendorStage;
use crate::prune::stage::{PruneStage, WEB, now, rules, tagged, to_file, untagged};
use crate::registry::{Effect, Fault, Profile};

const VERSIONS: &str = "/orgs/team/packages/container/web/versions";

/// A package with an image that stays (`1.0.0`), one of a pull request (`pr-2`), an untagged index with a platform of
/// its own and one that it shares with `1.0.0`, and an untagged image that was pushed today.
async fn stage() -> (VendorStage, SharedPackage) {
    let mut stage = PruneStage::new(Profile::plain()).await;
    for name in ["a", "b", "old", "new"] {
        stage.image(name, 30);
    }
    stage.index("I", &["a"]);
    stage.index("U", &["a", "b"]);
    stage.tag("1.0.0", "I");
    stage.tag("pr-2", "old");
    let package = package_of(&stage, &[("new", 0)]);
    let server = start(stage.registry.clone(), package.clone()).await;
    let login = Some(("robot", TOKEN));
    (
        VendorStage::new(stage, server, RegistryVendor::Ghcr, login),
        package,
    )
}

fn cleanup() -> RetentionRules {
    rules([tagged("pr-*", Some(14)), untagged(Some(7))])
}

/// Returns the requests of the API about versions, by names instead of ids.
fn requests(vendor: &VendorStage, package: &SharedPackage) -> Vec<String> {
    let package = package.lock().unwrap();
    let names = vendor.stage.names.iter();
    let ids: Vec<(String, u64)> = names
        .map(|(name, digest)| (name.clone(), package.id_of(digest)))
        .collect();
    let lines = vendor.server.requests().into_iter();
    let named = lines.map(|line| {
        let line = line.replace(VERSIONS, "versions");
        ids.iter().fold(line, |line, (name, id)| {
            line.replace(&format!("versions/{id} "), &format!("{name} "))
        })
    });
    named.collect()
}

#[tokio::test]
async fn untagged_versions_go_and_what_kept_indexes_list_stays() {
    let (vendor, package) = stage().await;
    let plan = vendor.plan(cleanup()).await.unwrap();
    assert_eq!(vendor.stage.steps(&plan), ["U", "b", "old"]);
    let list = "GET versions?state=active&per_page=100 200";
    let found = "GET /orgs/team/packages/container/web 200";
    assert_eq!(requests(&vendor, &package), [found, list]);
    let text = shipmark::prune::plan_file_text(&plan, &[crate::prune::stage::policy()]);
    for name in ["U", "b", "old"] {
        let digest = &vendor.stage.names[name];
        let id = package.lock().unwrap().id_of(digest);
        assert!(text.contains(&format!("\"id\": \"{id}\"")), "{text}");
    }
    let outcome = vendor.apply(cleanup(), &to_file(&plan)).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["U", "b", "old"]);
    let there: Vec<String> = vendor.stage.there().into_iter().collect();
    assert_eq!(there, ["I", "a", "new"]);
    assert!(outcome.repositories[0].failure.is_none());
    // Two for the plan, two for its confirmation, the address of the package, then each version is read before it is
    // deleted. The registry itself gets no deletion.
    let deletions = requests(&vendor, &package).split_off(5);
    let expected = ["U", "b", "old"]
        .map(|name| [format!("GET {name} 200"), format!("DELETE {name} 204")])
        .concat();
    assert_eq!(deletions, expected);
    let own = vendor.stage.requests();
    assert!(
        own.iter().all(|line| !line.starts_with("DELETE")),
        "{own:?}"
    );
}

#[tokio::test]
async fn the_age_is_that_of_the_push_and_not_of_the_image() {
    let (vendor, _) = stage().await;
    let plan = vendor.plan(cleanup()).await.unwrap();
    let digest = vendor.stage.digest_of("new");
    let fate = &plan.groups[0].plan.repositories[0].manifests[&digest];
    let age = fate.age.unwrap();
    assert_eq!(age.source.to_string(), "push");
    assert!(!fate.keep_reasons.is_empty());
}

#[tokio::test]
async fn case_25_refusals_are_named_and_what_rests_on_them_stays() {
    let (vendor, package) = stage().await;
    let plan = vendor.plan(cleanup()).await.unwrap();
    let digest = vendor.stage.names["U"].clone();
    package.lock().unwrap().set_downloads(&digest, 5001);
    let outcome = vendor.apply(cleanup(), &to_file(&plan)).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["old"]);
    let applied = &outcome.repositories[0];
    let [refusal] = applied.refusals.as_slice() else {
        panic!("{:?}", applied.refusals);
    };
    assert_eq!(refusal.name, digest);
    assert!(
        refusal.reason.contains("more than 5000 downloads"),
        "{refusal:?}"
    );
    assert!(vendor.stage.there().contains("b"));
    assert!(applied.failure.is_none());
}

#[tokio::test]
async fn case_25_the_last_tagged_version_stays_by_the_plan_and_by_the_registry() {
    let (vendor, package) = stage().await;
    let all = || rules([tagged("*", Some(14))]);
    let plan = vendor.plan(all()).await.unwrap();
    let steps = vendor.stage.steps(&plan);
    assert!(steps == ["old"] || steps == ["I"], "{steps:?}");
    // Its neighbour goes meanwhile: the registry refuses what has become the last one.
    let api = vendor.open().await.unwrap();
    vendor.stage.registry.set_tags(
        WEB,
        [("pr-2".to_owned(), vendor.stage.names["old"].clone())].into(),
    );
    let digest = vendor.stage.digest_of("old");
    let id = package
        .lock()
        .unwrap()
        .id_of(&digest.to_string())
        .to_string();
    let tags = ["pr-2".parse().unwrap()];
    let deletion = api.delete_manifest(digest, Some(&id), &tags).await.unwrap();
    let Ok(ApiDeletion::Refused(reason)) = deletion else {
        panic!("{deletion:?}");
    };
    assert!(reason.contains("last tagged version"), "{reason}");
}

#[tokio::test]
async fn case_25_a_version_that_is_gone_is_done() {
    let (vendor, package) = stage().await;
    let file = to_file(&vendor.plan(cleanup()).await.unwrap());
    // The answer to the deletion of `old` gets lost, and the repetition finds nothing.
    let id = package.lock().unwrap().id_of(&vendor.stage.names["old"]);
    let lost = Effect::status_after(502, "");
    vendor
        .server
        .fault(Fault::on("DELETE", &format!("versions/{id}"), lost));
    let outcome = vendor.apply(cleanup(), &file).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["U", "b", "old"]);
    assert!(outcome.repositories[0].failure.is_none());
    let lines = requests(&vendor, &package);
    let end = &lines[lines.len() - 3..];
    assert_eq!(end, ["DELETE old 502", "DELETE old 404", "GET old 404"]);
}

#[tokio::test]
async fn a_token_without_the_role_admin_is_told_so_at_the_first_deletion() {
    let (vendor, package) = stage().await;
    let file = to_file(&vendor.plan(cleanup()).await.unwrap());
    package.lock().unwrap().is_admin = false;
    let outcome = vendor.apply(cleanup(), &file).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), <[String; 0]>::default());
    let failure = format!("{:?}", outcome.repositories[0].failure.as_ref().unwrap());
    for part in ["127.0.0.1", "404", "Package not found", "role Admin"] {
        assert!(failure.contains(part), "{failure}");
    }
    let lines = requests(&vendor, &package);
    let deletions = lines.iter().filter(|line| line.starts_with("DELETE"));
    assert_eq!(deletions.count(), 1);
}

#[tokio::test]
async fn a_version_that_got_a_tag_stays() {
    let (vendor, package) = stage().await;
    let api = vendor.open().await.unwrap();
    let digest = vendor.stage.digest_of("old");
    let id = package
        .lock()
        .unwrap()
        .id_of(&digest.to_string())
        .to_string();
    vendor.stage.tag("1.4.0", "old");
    let tags = ["pr-2".parse().unwrap()];
    let deletion = api.delete_manifest(digest, Some(&id), &tags).await.unwrap();
    assert_eq!(
        deletion,
        Ok(ApiDeletion::Changed(vec!["1.4.0".parse().unwrap()]))
    );
    assert!(vendor.stage.there().contains("old"));
}

#[tokio::test]
async fn a_user_can_own_the_package_and_all_pages_are_read_until_nothing_is_new() {
    let (vendor, package) = stage().await;
    package.lock().unwrap().is_organization = false;
    package.lock().unwrap().page = 2;
    let api = vendor.open().await.unwrap();
    let listing = api.list_content().await.unwrap();
    assert_eq!(listing.manifests.len(), 6);
    assert_eq!(listing.tags.len(), 2);
    // Two addresses of the owner, then three pages twice.
    assert_eq!(vendor.server.requests().len(), 2 + 6);
}

#[tokio::test]
async fn a_list_that_is_not_whole_stops_the_plan() {
    let pages: [(&str, Effect); 4] = [
        ("page=2", Effect::status(500)),
        (
            "page=2",
            Effect::status_with(429, &[("retry-after", "0")], "{}"),
        ),
        ("page=2", Effect::status_with(200, &[], "[{\"id\": 7}]")),
        (
            "page=2",
            Effect::status_with(
                200,
                &[("link", "<https://elsewhere.example/>; rel=\"next\"")],
                "[]",
            ),
        ),
    ];
    for (part, effect) in pages {
        let (vendor, package) = stage().await;
        package.lock().unwrap().page = 2;
        vendor
            .server
            .fault(Fault::on("GET", part, effect.clone()).always());
        let plan = vendor.plan(cleanup()).await.unwrap();
        assert!(plan.is_stopped(), "{effect:?}");
        assert_eq!(plan.deletion_count(), 0);
        let stops = format!("{:?}", plan.groups[0].plan.repositories[0].stops);
        assert!(stops.contains("the list of manifests"), "{stops}");
    }
}

#[tokio::test]
async fn a_limit_of_requests_ends_the_run_and_says_until_when() {
    let (vendor, package) = stage().await;
    let file = to_file(&vendor.plan(cleanup()).await.unwrap());
    let id = package.lock().unwrap().id_of(&vendor.stage.names["b"]);
    let limited = Effect::status_with(
        403,
        &[
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1796083200"),
        ],
        "{\"message\": \"API rate limit exceeded\"}",
    );
    vendor
        .server
        .fault(Fault::on("DELETE", &format!("versions/{id}"), limited).always());
    let outcome = vendor.apply(cleanup(), &file).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["U"]);
    let failure = format!("{:?}", outcome.repositories[0].failure.as_ref().unwrap());
    assert!(failure.contains("until 2026-12-01T00:00:00Z"), "{failure}");
    // The same plan file goes on where the run ended.
    let (vendor, _) = (vendor, package);
    assert!(vendor.stage.there().contains("b"));
}

#[tokio::test]
async fn a_login_that_is_missing_or_refused_is_named_with_its_permission() {
    let (vendor, package) = stage().await;
    let stage = vendor.stage;
    let server = start(stage.registry.clone(), package.clone()).await;
    let anonymous = VendorStage::new(stage, server, RegistryVendor::Ghcr, None);
    let error = anonymous.open().await.err().unwrap();
    assert!(matches!(error.kind, RegistryApiErrorKind::NoLogin(_)));
    assert!(error.needs.contains("packages: write"));
    // The plan is made from what the registry itself tells, and cannot be applied.
    let plan = anonymous.plan(cleanup()).await.unwrap();
    assert_eq!(anonymous.stage.steps(&plan), ["old"]);
    let notes = plan.groups[0].repositories[0].notes.join("\n");
    for part in ["packages: write", "apply refuses this plan"] {
        assert!(notes.contains(part), "{notes}");
    }
    let refused = anonymous.apply(cleanup(), &to_file(&plan)).await;
    let refused = format!("{:?}", refused.unwrap_err());
    assert!(
        refused.contains("GHCR deletes by its own API alone"),
        "{refused}"
    );
    assert_eq!(anonymous.server.requests(), <[String; 0]>::default());

    let server = start(anonymous.stage.registry.clone(), package).await;
    let login = Some(("robot", "ghp_another_token"));
    let wrong = VendorStage::new(anonymous.stage, server, RegistryVendor::Ghcr, login);
    let failure = format!("{:?}", wrong.plan(cleanup()).await.unwrap_err());
    for part in ["401", "Bad credentials", "packages: write"] {
        assert!(failure.contains(part), "{failure}");
    }
    assert!(!failure.contains("ghp_another_token"));
}

#[tokio::test]
async fn the_token_of_a_job_goes_to_the_api_of_its_server_alone() {
    let (mut vendor, package) = stage().await;
    let server = start(vendor.stage.registry.clone(), package).await;
    let own = server.url();
    vendor = VendorStage::new(vendor.stage, server, RegistryVendor::Ghcr, None);
    vendor.logins.github_token = Some(TOKEN.into());
    vendor.logins.github_api = Some("https://api.github.com".parse().unwrap());
    assert!(vendor.open().await.is_err());
    vendor.logins.github_api = Some(own.parse().unwrap());
    let api = vendor.open().await.unwrap();
    assert_eq!(api.list_content().await.unwrap().manifests.len(), 6);
}

#[tokio::test]
async fn a_deleted_index_is_restored_with_its_platforms_and_tags() {
    let (vendor, package) = stage().await;
    vendor.stage.tag("pr-3", "U");
    let file = to_file(&vendor.plan(cleanup()).await.unwrap());
    let outcome = vendor.apply(cleanup(), &file).await.unwrap();
    assert_eq!(vendor.stage.deleted(&outcome), ["U", "b", "old"]);
    let request = RestoreRequest {
        place: vendor.stage.place().parse().unwrap(),
        archive: None,
        digest: vendor.stage.digest_of("U"),
        api: Some(vendor.api_rule()),
        logins: vendor.logins.clone(),
        clock: now(),
    };
    let restored = restore(&request, &vendor.context).await.unwrap();
    assert_eq!(
        restored.tags,
        [("pr-3".parse().unwrap(), RestoredTag::Written)]
    );
    let there: Vec<String> = vendor.stage.there().into_iter().collect();
    assert_eq!(there, ["I", "U", "a", "b", "new"]);
    assert!(vendor.stage.registry.tags(WEB).contains_key("pr-3"));
    // What is there is found, and what was never deleted cannot be restored.
    let again = restore(&request, &vendor.context).await.unwrap();
    assert_eq!(again.tags, []);
    let unknown = RestoreRequest {
        digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000"
            .parse()
            .unwrap(),
        ..request
    };
    let failure = restore(&unknown, &vendor.context).await.unwrap_err();
    assert!(format!("{failure:?}").contains("keeps no deleted manifest"));
    drop(package);
}
