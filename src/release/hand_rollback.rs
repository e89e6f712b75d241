//! The report of a promotion of an older release by hand: the tags that stay at the release which it takes back.

use super::plan::tags::TagPlan;
use crate::image::Destination;
use crate::release::outcome::TagChange;
use crate::tagging::{MovingTagSource, TagKind};

/// Returns a note where the environment's tag moves to this image and version lines stay at a higher release.
pub(super) fn hand_rollback_note(place: &Destination, plan: &TagPlan) -> Option<String> {
    let is_environment = |kind: &TagKind| *kind == TagKind::Moving(MovingTagSource::Environment);
    let steps = plan.steps.iter();
    let environment = steps.clone().find(|step| {
        is_environment(&step.planned.kind) && matches!(step.change, TagChange::Moved { .. })
    })?;
    let staying: Vec<_> = steps
        .filter(|step| step.planned.kind.is_line())
        .filter(|step| matches!(step.change, TagChange::Stays { at: Some(_), .. }))
        .map(|step| step.planned.tag.as_str())
        .collect();
    let (stay, what) = match staying.len() {
        0 => return None,
        1 => ("stays", "the image that it points to"),
        _ => ("stay", "the images that they point to"),
    };
    let (tag, lines) = (&environment.planned.tag, staying.join(", "));
    Some(format!(
        "{place}: {tag} moves to this release, and {lines} {stay}: version lines do not go back. If this takes a higher release back, whoever pulls {lines} still gets {what}"
    ))
}
