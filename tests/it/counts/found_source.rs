//! Requests of a promotion that looks its image up by the commit.

use shipmark::image::NamedCommit;
use shipmark::release::SourceLookup;
use shipmark::tagging::usual_commit_tags;

use super::kinds;
use crate::registry::{Profile, Registry};
use crate::support::*;

/// All candidates are asked for at once, and nothing is read twice: five requests more than with the
/// source given, and two for the labels of each further platform.
#[tokio::test]
async fn a_source_that_is_found_costs_one_request_for_each_candidate() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    done(push(&example(), &[&place], "refs/heads/main"), &context()).await;
    registry.clear_log();
    let mut given = promote(
        &format!("{place}:git-9f3c2a1"),
        &[&place],
        "refs/heads/main",
    );
    given.environment = Some("prod".parse().unwrap());
    given.dry_run = true;
    done(given.clone(), &context()).await;
    insta::assert_snapshot!(kinds(&registry), @r"
    1 x GET blobs 200
    2 x GET manifests 200
    1 x GET tags 200
    5 x HEAD manifests 404
    ");
    registry.clear_log();
    let commit = NamedCommit::Whole(COMMIT.parse().unwrap());
    given.lookup = Some(SourceLookup {
        tags: usual_commit_tags(&commit, 7),
        commit,
        named_by: "the branch main".to_owned(),
        place: place.parse().unwrap(),
        form: None,
        found: None,
    });
    done(given, &context()).await;
    insta::assert_snapshot!(kinds(&registry), @r"
    2 x GET blobs 200
    3 x GET manifests 200
    1 x GET tags 200
    1 x HEAD manifests 200
    9 x HEAD manifests 404
    ");
}
