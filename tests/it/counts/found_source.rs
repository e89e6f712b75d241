//! Requests of a promotion that looks its image up by the commit.

use shipmark::image::NamedCommit;
use shipmark::release::{CommitSearch, MergedCommit, SoughtImage, SourceOrigin, SourceSearch};

use super::kinds;
use crate::registry::{Profile, Registry};
use crate::support::records::location;
use crate::support::timelines::{LongTimeline, commit, root};
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
    given.search = Some(SourceSearch {
        sought: SoughtImage::OfCommit(CommitSearch {
            commit,
            named_by: "the branch main".to_owned(),
            short_sha: 7,
            merged: MergedCommit::NotSought,
        }),
        origins: vec![SourceOrigin {
            place: place.parse().unwrap(),
            timeline: None,
            form: None,
        }],
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

/// Summaries name the commits of 32 releases each; the record of the one that is found is read, too.
#[tokio::test]
async fn ten_reads_find_a_commit_among_the_newest_320_releases() {
    const COUNT: usize = 400;
    const OLDEST: usize = COUNT - 320;
    let registry = Registry::start(Profile::plain().date("unknown")).await;
    let mut timeline = LongTimeline::new(&registry);
    timeline.extend(&registry, COUNT, |from_end| {
        from_end.is_multiple_of(33) || from_end == COUNT - 1 - OLDEST
    });
    for (number, is_found) in [(COUNT - 1, true), (OLDEST, true), (OLDEST - 1, false)] {
        registry.clear_log();
        let place = format!("{}/prod", registry.host());
        let destination = format!("{}/live", registry.host());
        let mut request = promote(&format!("{place}:x"), &[&destination], "refs/heads/main");
        request.search = Some(SourceSearch {
            sought: SoughtImage::OfCommit(CommitSearch {
                commit: NamedCommit::Whole(commit(number).parse().unwrap()),
                named_by: "the branch main".to_owned(),
                short_sha: 7,
                merged: MergedCommit::NotSought,
            }),
            origins: vec![SourceOrigin {
                place: place.parse().unwrap(),
                timeline: Some(location("prod", &place)),
                form: None,
            }],
        });
        let (_, text) = failed(request, &context()).await;
        // The images of these timelines do not exist.
        let names_image = text.contains(&root(number).to_string());
        assert_eq!(names_image, is_found, "{text}");
        let reads = registry.count_of("GET /v2/prod/manifests/shipmark.");
        let own = usize::from(number == OLDEST);
        assert_eq!(reads, 10 + own, "{:?}", registry.requests());
    }
}
