use std::fmt;

use sigstore_crypto::CertificateInfo;
use sigstore_types::Bundle;
use sigstore_verify::VerificationResult;

use super::super::VerificationError;
use super::CertificateCondition;
use super::subject_names::subject_names;
use crate::gate::WildcardPattern;

/// Who has to have signed: what the certificate has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate's subject alternative name: a workflow's address, or an e-mail address.
    pub subject: WildcardPattern,
    /// Who vouched for it: `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// What the certificate has to say of the run. All must hold.
    pub conditions: Vec<(CertificateCondition, String)>,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (issuer {})", self.subject, self.issuer)?;
        for (condition, wanted) in &self.conditions {
            write!(f, ", {condition} {wanted}")?;
        }
        Ok(())
    }
}

impl Identity {
    /// Refuses a bundle that was found good and is not signed by this identity.
    pub(super) fn check_bundle_certificate(
        &self,
        result: &VerificationResult,
        bundle: &Bundle,
    ) -> Result<(), VerificationError> {
        let certificate = bundle.signing_certificate().ok_or(VerificationError::Key)?;
        let names = subject_names(certificate.as_bytes());
        self.check_certificate(result.certificate().ok_or(VerificationError::Key)?, &names)
    }

    /// Whether a certificate that was found good is of this identity. `names` are the subject's.
    fn check_certificate(
        &self,
        certificate: &CertificateInfo,
        names: &[String],
    ) -> Result<(), VerificationError> {
        let none = || "nobody".to_owned();
        let expected = |text: &str| VerificationError::printable(text);
        if !names.iter().any(|name| self.subject.matches(name)) {
            let is = match names {
                [] => none(),
                names => VerificationError::printable(&names.join(", ")),
            };
            let expected = expected(&self.subject.to_string());
            return Err(VerificationError::OtherIdentity { is, expected });
        }
        if certificate.issuer.as_deref() != Some(&self.issuer) {
            let is = certificate
                .issuer
                .as_deref()
                .map_or_else(none, VerificationError::printable);
            let expected = expected(&self.issuer);
            return Err(VerificationError::OtherIssuer { is, expected });
        }
        for (condition, wanted) in &self.conditions {
            let is = condition.value_in(certificate);
            if is != Some(wanted) {
                return Err(VerificationError::OtherRun {
                    condition: *condition,
                    is: is.map_or_else(|| "missing".to_owned(), VerificationError::printable),
                    expected: expected(wanted),
                });
            }
        }
        Ok(())
    }
}
