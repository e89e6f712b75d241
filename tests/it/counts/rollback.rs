//! Requests of a rollback.

use shipmark::tagging::TagRules;

use super::kinds;
use crate::registry::Profile;
use crate::support::recorded_stage::*;
use crate::support::*;

/// The most requests of a rollback of the environment's tag and two lines.
const LIMIT: usize = 26;

#[tokio::test]
async fn a_rollback_of_a_tag_and_two_lines() {
    let stage = Stage::with(Profile::plain()).await;
    for (now, version) in [(0, "1.3.0"), (1, "1.3.1")] {
        let mut request = stage.promotion(version, now);
        request.rules = TagRules::parse([version, "v1.3", "v1", "prod"]).unwrap();
        done(request, &context()).await;
    }
    assert_eq!(
        stage.tags().keys().collect::<Vec<_>>(),
        ["1.3.0", "1.3.1", "prod", "v1", "v1.3"]
    );
    stage.registry.clear_log();
    stage.roll_back(5).await;
    for tag in ["prod", "v1.3", "v1"] {
        assert_eq!(stage.tag(tag), "1.3.0", "{tag}");
    }
    let requests = stage.registry.requests().len();
    assert!(
        requests <= LIMIT,
        "{requests} requests: {}",
        kinds(&stage.registry)
    );
    insta::assert_snapshot!(kinds(&stage.registry), @r"
    4 x GET manifests 200
    1 x GET referrers 200
    2 x GET tags 200
    2 x HEAD blobs 200
    7 x HEAD manifests 200
    1 x POST blobs/uploads 201
    5 x PUT manifests 201
    ");
}

#[tokio::test]
async fn a_refused_rollback_writes_nothing() {
    let stage = Stage::released(&["1.3.0"]).await;
    stage.refused(stage.request(5, 1)).await;
}
