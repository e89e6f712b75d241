use jiff::Timestamp;
use sigstore_types::Bundle;
use sigstore_verify::VerificationResult;

use super::CertificateCondition;
use super::subject_names::subject_names;

/// What proves a signature, apart from itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignatureEvidence {
    /// What its certificate says; none where a key signed.
    pub certificate: Option<CertificateEvidence>,
    /// When it was made, by each log or timestamp authority that says so.
    pub times: Vec<Timestamp>,
    /// Whether it was found to be in a transparency log.
    pub logged: bool,
}

/// What a certificate that was found good says of the signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateEvidence {
    /// The subject alternative name.
    pub subject: String,
    /// Who vouched for it.
    pub issuer: String,
    /// What it says of the run.
    pub run: Vec<(CertificateCondition, String)>,
    /// Whether a log of certificates has it. It need not where the trusted root names none.
    pub logged: bool,
}

impl SignatureEvidence {
    /// Takes what was found of a bundle.
    pub(super) fn from_result(result: &VerificationResult, bundle: &Bundle) -> Self {
        let names = bundle.signing_certificate();
        let names = names.map(|certificate| subject_names(certificate.as_bytes()));
        let certificate = result.certificate().map(|certificate| CertificateEvidence {
            subject: names.unwrap_or_default().join(", "),
            issuer: result.issuer().unwrap_or_default().to_owned(),
            run: CertificateCondition::ALL
                .into_iter()
                .filter_map(|condition| {
                    Some((condition, condition.value_in(certificate)?.to_owned()))
                })
                .collect(),
            logged: result.sct_verified(),
        });
        Self {
            certificate,
            times: result.verified_timestamps().to_vec(),
            logged: result.tlog_verified(),
        }
    }
}
