//! Page of a check as a comment on a pull request.

use super::check_report::CheckReport;
use super::cleaned;
use super::run_log::RunLog;
use super::summary::{self, RunFacts, SummaryContext};
use crate::actions::{ProcessEnvironment, cut_markdown};

/// Characters that are kept for the line that says how much is left out.
const NOTE_ROOM: usize = 200;

/// Returns the page of a check without secrets, in at most `limit` characters.
pub fn comment_page(
    report: &CheckReport,
    environment: &ProcessEnvironment,
    log: &RunLog,
    limit: usize,
) -> String {
    let clean = |text: &str| log.redact(text);
    let context = SummaryContext {
        run: RunFacts::from_environment(environment),
        warnings: log.warnings(),
        attempt: log.attempt().map_texts(&clean),
    };
    let report = cleaned::check(report.clone(), &clean);
    let page = summary::check_summary(&report, &context);
    cut_page(&log.without_secrets(&page, &report.names()), limit)
}

fn cut_page(page: &str, limit: usize) -> String {
    let length = |text: &str| text.chars().count();
    if length(page) <= limit {
        return page.to_owned();
    }
    let cut = cut_markdown(page, limit.saturating_sub(NOTE_ROOM), length);
    format!(
        "{}\n**Cut here:** this comment has at most {limit} characters: {} lines are left out. The summary of the run has them.\n",
        cut.text, cut.left_out
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_where_a_row_ends_and_says_how_many_are_missing() {
        let page = format!("## Check\n\n{}", "| ä | b |\n".repeat(10_000));
        let cut = cut_page(&page, 60_000);
        assert!(cut.chars().count() <= 60_000);
        let kept = cut.matches("| ä | b |\n").count();
        assert!(kept > 5_900, "{kept}");
        let note = format!(
            "{} lines are left out. The summary of the run has them.\n",
            10_000 - kept
        );
        assert!(cut.ends_with(&note), "{}", &cut[cut.len() - 300..]);
        assert_eq!(cut_page("a\n", 60_000), "a\n");
    }
}
