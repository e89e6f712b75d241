//! The reader of timelines in Python, tests/readers/timeline.py, on image layouts: it says what `history` says.

use std::io::Write;

use crate::support::release_story;

#[tokio::test]
async fn promise_2_a_story_on_layouts_is_that_of_a_plain_model_and_of_a_reader_in_python() {
    if !release_story::has_python() {
        // Written to the stream itself, which the test harness does not keep back.
        let left_out = b"LEFT OUT: the reader of timelines, since there is no python3\n";
        std::io::stderr().write_all(left_out).unwrap();
    }
    assert!(release_story::play("oci:").await > 15);
}
