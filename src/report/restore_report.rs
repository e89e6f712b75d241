//! Report of `restore`: what was brought back, and which tags it has again.

use super::phrases::count_phrase;
use super::styled_text::{StyledText, Tone};
use crate::prune::{RestoreOutcome, RestoredTag};

/// Returns the report as text.
pub(super) fn to_text(outcome: &RestoreOutcome) -> StyledText {
    let mut text = StyledText::default();
    text.push_toned(Tone::Done, "restored");
    let referrers = count_phrase(outcome.referrers.len() as u64, "referrer");
    text.push(&format!(
        " {} in {}, with {referrers}\n",
        outcome.digest, outcome.place
    ));
    for (tag, end) in &outcome.tags {
        text.push(&format!("  {tag}  {}\n", tag_phrase(*end)));
    }
    text.trim_end();
    text
}

/// Returns what became of a tag.
pub(super) fn tag_phrase(end: RestoredTag) -> String {
    match end {
        RestoredTag::Written => "names it again".to_owned(),
        RestoredTag::Unchanged => "names it already".to_owned(),
        RestoredTag::Taken(digest) => format!("names {digest} by now, and stays"),
    }
}
