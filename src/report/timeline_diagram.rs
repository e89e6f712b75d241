//! History of an environment as a timeline of Mermaid.

use super::mermaid_text::escape_label;
use super::record_words::{minutes, word};
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::summary::sample_history as history;

    #[test]
    fn a_timeline_is_drawn_oldest_first() {
        let report = history();
        let lines = &report.timelines[0].history.lines;
        insta::assert_snapshot!(timeline("prod", lines).unwrap(), @r"
        timeline
          title prod
          2026-11-03 08#58;00 : promote 1.4.0 : superseded
          2026-11-12 14#58;05 : promote 1.4.1 : current#44; deployed
          2026-11-20 09#58;00 : promote 1.5.0 : withdrawn#44; failed
          2026-11-20 09#58;30 : rollback 1f4dc096d58f
        ");
        assert_eq!(timeline("prod", &[]), None);
    }

    proptest! {
        #[test]
        fn promise_8_no_version_leaves_its_part_of_the_timeline(version in any::<String>()) {
            let report = history();
            let mut line = report.timelines[0].history.lines[1].clone();
            line.entry.as_mut().unwrap().version = Some(version);
            let chart = timeline("prod", &[line]).unwrap();
            prop_assert!(chart.is_ascii());
            prop_assert_eq!(chart.lines().count(), 3, "{}", chart);
            prop_assert_eq!(chart.matches(" : ").count(), 2, "{}", chart);
            prop_assert_eq!(chart.matches(':').count(), 2, "{}", chart);
            prop_assert!(!chart.contains(['"', '<', '>', '%', '`', '_', '*', '[', '\\']));
        }
    }
}
