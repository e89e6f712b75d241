use crate::gate::SoakRule;
use crate::policy::declared_gate_keys::{SOAK_KEYS, SOAK_VALUE};
use crate::policy::problem_list::ProblemList;
use crate::policy::yaml_node::{YamlNode, YamlValue, parse_text_value};

/// Parses the key `soak`: a duration, or a mapping.
pub(super) fn parse_soak(node: YamlNode, problems: &mut ProblemList) -> Option<SoakRule> {
    match &node.value {
        YamlValue::Map(_) => {
            let mut fields = node.into_fields(&SOAK_KEYS, problems)?;
            let duration = fields.read("for", problems, parse_text_value);
            let is_still_current = fields.read("still-current", problems, YamlNode::into_flag);
            Some(SoakRule {
                duration: duration?,
                is_still_current: is_still_current.unwrap_or(false),
            })
        }
        YamlValue::Text(_) if !node.is_blank() => Some(SoakRule {
            duration: problems.keep(parse_text_value(node))?,
            is_still_current: false,
        }),
        _ => {
            problems.add(node.unexpected_kind(SOAK_VALUE));
            None
        }
    }
}
