use std::sync::Arc;

use crate::gate::FreezeWindow;
use crate::policy::declared_gate_keys::{FREEZE_KEYS, FREEZE_LIST};
use crate::policy::error::PolicyProblem;
use crate::policy::problem_list::ProblemList;
use crate::policy::yaml_node::{YamlNode, parse_text_value};

/// Parses the key `freeze`.
pub(super) fn parse_freeze(list: YamlNode, problems: &mut ProblemList) -> Arc<[FreezeWindow]> {
    let entries = problems.keep(list.into_entries(FREEZE_LIST));
    let entries = entries.into_iter().flatten();
    entries
        .filter_map(|entry| parse_window(entry, problems))
        .collect()
}

fn parse_window(entry: YamlNode, problems: &mut ProblemList) -> Option<FreezeWindow> {
    let at = entry.position;
    let mut fields = entry.into_fields(&FREEZE_KEYS, problems)?;
    let from = fields.read("from", problems, parse_text_value);
    let to = fields.read("to", problems, parse_text_value);
    let zone = fields.read("zone", problems, parse_text_value);
    let allows_override = fields.read("override", problems, YamlNode::into_flag);
    let window = FreezeWindow::new(from?, to?, zone?, allows_override.unwrap_or(false));
    problems.keep(window.map_err(|reason| at.to_error(PolicyProblem::FreezeWindow(reason))))
}

/// Returns whether `own` covers each window of `base`.
pub(super) fn is_at_least_as_strict(own: &[FreezeWindow], base: &[FreezeWindow]) -> bool {
    base.iter().all(|wanted| {
        own.iter()
            .any(|window| window.is_at_least_as_strict_as(wanted))
    })
}
