use jiff::Timestamp;
use sigstore_verify::VerificationResult;

use super::CertificateCondition;

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
    pub(super) fn from_result(result: &VerificationResult) -> Self {
        let certificate = result.certificate().map(|certificate| CertificateEvidence {
            subject: result
                .identity()
                .map(|name| name.as_str().to_owned())
                .unwrap_or_default(),
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
