use super::wildcard_pattern::WildcardPattern;
use crate::image::PlatformName;
use crate::record::RecordTime;

/// Findings that do not count, by an entry of the scan gate's `ignore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanException {
    /// Id of the vulnerability, as the report has it: `CVE-2026-1234`. Case does not matter.
    pub id: String,
    /// Package URL or name of the package; `None`: any.
    pub package: Option<WildcardPattern>,
    /// Platform; `None`: any.
    pub platform: Option<PlatformName>,
    /// First moment at which the findings count again; `None`: never.
    pub until: Option<RecordTime>,
    /// Why they do not count.
    pub reason: String,
}
