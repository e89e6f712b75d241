//! History of an environment as a timeline of Mermaid.

use super::history_report::{minutes, word};
use super::mermaid_text::escape_label;
use crate::record::HistoryLine;

/// Most entries of a diagram that can still be read.
const ENTRY_LIMIT: usize = 20;

/// Returns the timeline of the newest counted entries, oldest first; `None` without one.
pub(super) fn timeline(environment: &str, lines: &[HistoryLine]) -> Option<String> {
    let counted = lines.iter().filter(|line| line.entry.is_some());
    let newest: Vec<&HistoryLine> = counted.take(ENTRY_LIMIT).collect();
    if newest.is_empty() {
        return None;
    }
    let mut chart = format!("timeline\n  title {}\n", label(environment));
    for line in newest.into_iter().rev() {
        let version = line
            .entry
            .as_ref()
            .and_then(|entry| entry.version.as_deref());
        let name = version.map_or_else(|| line.name.root.to_string(), word);
        let what = format!("{} {name}", line.name.action);
        chart += &format!(
            "  {} : {}",
            label(&minutes(line.name.planned_at)),
            label(&what)
        );
        let state = line.state_words();
        if !state.is_empty() {
            chart += &format!(" : {}", label(&state));
        }
        chart.push('\n');
    }
    Some(chart)
}

/// A colon ends a part of a line.
fn label(text: &str) -> String {
    escape_label(text, " .-")
}
