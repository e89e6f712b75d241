//! The story of an environment on real registries.

use super::bases;
use crate::support::release_story;

#[tokio::test]
#[ignore = "needs two registries: scripts/interop.sh"]
async fn a_story_on_real_registries_is_that_of_a_plain_model() {
    assert!(release_story::has_python(), "there is no python3");
    for base in bases("story") {
        assert!(release_story::play(&base).await > 15, "{base}");
    }
}
