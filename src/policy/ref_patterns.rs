//! Reads lists of patterns of refs.

use super::declared_gate_keys::REF_LIST;
use super::error::{PolicyError, PolicyProblem};
use super::yaml_node::{YamlNode, YamlText, not_a_value};
use crate::event::{RefFilter, RefPattern};

/// Parses a list of patterns of refs.
pub(super) fn parse_refs(list: YamlNode) -> Result<RefFilter, PolicyError> {
    let at = list.position;
    let mut patterns = Vec::new();
    for YamlText { text, position } in list.into_texts(REF_LIST)? {
        let text = text.trim();
        let pattern = RefPattern::parse(text);
        patterns.push(pattern.map_err(|reason| {
            position.to_error(not_a_value(
                text,
                format!("is not a pattern of refs: {reason}"),
            ))
        })?);
    }
    RefFilter::new(patterns).map_err(|reason| at.to_error(PolicyProblem::Refs(reason)))
}
