//! Outputs of the step of `history`.

use super::history_json::ReportJson;
use super::history_report::HistoryReport;
use super::json_output::to_json_line;
use crate::image::Digest;

impl HistoryReport {
    /// Returns the outputs of the step.
    pub(super) fn to_outputs(&self) -> Vec<(&'static str, String)> {
        let mut outputs = Vec::new();
        if let ([timeline], []) = (self.timelines.as_slice(), self.failed.as_slice()) {
            let current = timeline.history.current.as_ref();
            let before = current.and_then(|current| current.good_before.as_ref());
            let record = current.map(|current| current.record.to_string());
            outputs.push(("digest", optional(current.map(|current| current.root))));
            outputs.push(("previous-digest", optional(before.map(|(root, _)| *root))));
            outputs.push(("record", record.unwrap_or_default()));
        }
        outputs.push(("json", to_json_line(&ReportJson(self))));
        outputs
    }
}

fn optional(digest: Option<Digest>) -> String {
    digest.map(|digest| digest.to_string()).unwrap_or_default()
}
