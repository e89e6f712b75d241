//! Warnings of gates for the log, whether the release passes or not.

use crate::gate::GateReport;
use crate::release::context::ReleaseContext;

/// Reports what the gates of a release warn of; with the name of the service, where the run releases several.
pub(crate) fn report_gate_warnings(report: &GateReport, context: &ReleaseContext) {
    let of = match &context.service {
        Some(service) => format!(" of {service}"),
        None => String::new(),
    };
    for verdict in report.verdicts() {
        for warning in verdict.warnings() {
            let text = format!("gate {}{of}: {warning}", verdict.gate());
            context.notices.warning(text);
        }
    }
}
