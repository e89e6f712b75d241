//! Paths of files in the repository.

use super::error::{PolicyError, PolicyProblem};
use super::limits::GATE_TEXT_LENGTH;
use super::yaml_node::{YamlText, printable_text};

/// Parses a path below the root of the repository: `security/web.openvex.json`.
pub(super) fn parse_repository_file(text: &YamlText) -> Result<String, PolicyError> {
    let path = text.text.trim();
    if path.chars().count() > GATE_TEXT_LENGTH {
        let problem = PolicyProblem::LongText(GATE_TEXT_LENGTH);
        return Err(text.position.to_error(problem));
    }
    let mut parts = path.split('/');
    let is_plain = !path.contains(|c: char| c.is_control() || c == '\\')
        && parts.all(|part| !matches!(part, "" | "." | ".."));
    match is_plain {
        true => Ok(path.to_owned()),
        false => {
            let problem = PolicyProblem::RepositoryFile(printable_text(path));
            Err(text.position.to_error(problem))
        }
    }
}
