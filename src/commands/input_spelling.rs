//! Spellings that a registry or GitHub takes for the same name: they are changed, with a note.

use crate::cli::{Input, InputValues, Verb};
use crate::image;
use crate::report::RunLog;

/// Puts repositories and the environment in lower case. GitHub's owners have capitals and registries take
/// none; GitHub compares the names of environments without case.
pub(super) fn lower_case_names(arguments: &mut InputValues, log: &RunLog) {
    let mut changed = Vec::new();
    // The names that tags gives are those of its images, as they are written.
    let is_read = |arguments: &InputValues, input| {
        arguments.verb != Verb::Tags && arguments.is_accepted(input)
    };
    for input in [Input::Source, Input::Images] {
        if is_read(arguments, input) {
            changed.extend(arguments.rename(input, image::lower_case_repository));
        }
    }
    changed.extend(arguments.rename(Input::Environment, |name| {
        let lower = name.to_ascii_lowercase();
        (lower != name).then_some(lower)
    }));
    for (written, name) in changed {
        log.info(&format!("{written} is written in lower case here: {name}"));
    }
}
