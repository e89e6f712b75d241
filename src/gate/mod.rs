//! Gates of an environment: the parameters of each rule, and the judges that turn facts and a time into verdicts.
//! Pure: values in, values out; no I/O, and the time is an argument.

mod attestation_rule;
mod byte_size;
mod freeze;
mod freeze_window;
mod image_rule;
mod judged_image;
mod required_attestation;
mod rule_duration;
mod scan_exception;
mod scan_rule;
mod severity;
mod soak_rule;
mod verdict;
mod wildcard_pattern;

pub use attestation_rule::{AttestationMismatch, AttestationRule};
pub use byte_size::{ByteSize, ByteSizeError};
pub use freeze::{FreezeJudgement, judge_freeze};
pub use freeze_window::{
    FreezeMoment, FreezeMomentError, FreezeWindow, FreezeWindowError, FreezeZone, FreezeZoneError,
    WeeklyMoment,
};
pub use image_rule::{ImageRule, LabelRule, LabelRuleError, UserRule, UserRuleError};
pub use judged_image::{JudgedConfig, JudgedImage, JudgedPlatform};
pub use required_attestation::RequiredAttestation;
pub use rule_duration::{RuleDuration, RuleDurationError};
pub use scan_exception::ScanException;
pub use scan_rule::ScanRule;
pub use severity::{Severity, SeverityError, SeverityThreshold};
pub use soak_rule::SoakRule;
pub use verdict::{GateName, GateReport, GateState, GateVerdict};
pub use wildcard_pattern::WildcardPattern;
