//! Gates of an environment, as the policy file declares them: what each image passes before its release.

mod approvals_gate;
mod attestation_gate;
mod checks_gate;
mod environment_gates;
mod freeze_gate;
mod gate_signers;
mod image_gate;
mod parse_gates;
mod scan_gate;
mod service_gates;
mod soak_gate;

pub(super) use approvals_gate::parse_github_environment;
pub use attestation_gate::AttestationGate;
pub use environment_gates::EnvironmentGates;
pub use gate_signers::GateSigners;
pub(super) use parse_gates::GateContext;
pub use scan_gate::ScanGate;
pub(super) use service_gates::ServiceGates;
