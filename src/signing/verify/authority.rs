//! The authorities that a trusted root names, with the certificates that vouch for each.
//!
//! `sigstore-verify` takes every certificate of a certificate authority for a root, and looks at a root
//! no further: one that has expired, or may issue no others, would count. So what it found good is
//! checked once more, from the signer's certificate up to the last one that the trusted root names.

use std::cell::RefCell;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use sigstore_types::bundle::VerificationMaterialContent;
use sigstore_types::{Bundle, DerCertificate, TimeRange};
use webpki::{EndEntityCert, Error, VerifiedPath, anchor_from_trusted_cert};

use super::super::VerificationError;
use super::issuer::{Issuer, Purpose};

/// The certificates of an authority from what issues up to the root, and when it counts.
pub(super) struct Authority {
    purpose: Purpose,
    root: CertificateDer<'static>,
    anchor: TrustAnchor<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    valid_for: Option<TimeRange>,
}

impl Authority {
    /// Takes the certificates of an authority, the root last; `None` where there is none that can be
    /// read.
    pub(super) fn new<'a>(
        purpose: Purpose,
        certificates: impl DoubleEndedIterator<Item = &'a DerCertificate>,
        valid_for: Option<TimeRange>,
    ) -> Option<Self> {
        let mut certificates = certificates.map(owned);
        let root = certificates.next_back()?;
        Some(Self {
            purpose,
            anchor: anchor_from_trusted_cert(&root).ok()?.to_owned(),
            root,
            intermediates: certificates.collect(),
            valid_for,
        })
    }

    fn counts_at(&self, time: Timestamp) -> bool {
        self.valid_for.is_none_or(|range| range.contains(time))
    }

    /// Refuses a certificate from which no path leads to the root in which every certificate is valid
    /// at `time` and may issue the one below it. `intermediates` are issuers that came with it: they are
    /// checked as the authority's own.
    pub(super) fn check(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        time: Timestamp,
    ) -> Result<(), String> {
        let leaf = EndEntityCert::try_from(leaf).map_err(told)?;
        let issuers: Vec<_> = self
            .intermediates
            .iter()
            .chain(intermediates)
            .cloned()
            .collect();
        let seconds = u64::try_from(time.as_second()).unwrap_or_default();
        let refused = RefCell::new(None);
        let check_path = |path: &VerifiedPath<'_>| {
            let checked = self.check_issuers(path, time);
            checked.map_err(|reason| {
                refused.replace(Some(reason));
                Error::UnknownIssuer
            })
        };
        let path = leaf.verify_for_usage(
            self.purpose.signature_algorithms(),
            std::slice::from_ref(&self.anchor),
            &issuers,
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)),
            self.purpose.key_usage(),
            None,
            Some(&check_path),
        );
        match path {
            Ok(_) => Ok(()),
            Err(error) => Err(refused.take().unwrap_or_else(|| told(error))),
        }
    }

    /// Checks every certificate above the first one, from below.
    fn check_issuers(&self, path: &VerifiedPath<'_>, time: Timestamp) -> Result<(), String> {
        let issuers = path.intermediate_certificates().map(webpki::Cert::der);
        let issuers = issuers.chain([self.root.clone()]);
        for (between, issuer) in issuers.enumerate() {
            let checked =
                Issuer::read(&issuer).and_then(|issuer| issuer.check(self.purpose, time, between));
            checked.map_err(|reason| format!("a certificate of its authority {reason}"))?;
        }
        Ok(())
    }
}

/// Refuses the certificate of a bundle unless at each of `times` one of the authorities vouches for
/// it. A bundle that a key signed has none.
pub(super) fn check_certificate(
    authorities: &[Authority],
    bundle: &Bundle,
    times: &[Timestamp],
) -> Result<(), VerificationError> {
    let Some(leaf) = bundle.signing_certificate().map(owned) else {
        return Ok(());
    };
    let intermediates: Vec<_> = match &bundle.verification_material.content {
        VerificationMaterialContent::X509CertificateChain { certificates } => {
            let above = certificates.iter().skip(1);
            above.map(|above| owned(&above.raw_bytes)).collect()
        }
        _ => Vec::new(),
    };
    for time in times {
        let counting = authorities
            .iter()
            .filter(|authority| authority.counts_at(*time));
        any(counting.map(|authority| authority.check(&leaf, &intermediates, *time))).map_err(
            |reason| {
                VerificationError::Chain(VerificationError::printable(&format!(
                    "at {time} {reason}"
                )))
            },
        )?;
    }
    match times {
        // Whether a certificate is valid is not known of no time.
        [] => Err(VerificationError::NoTrustedTime),
        _ => Ok(()),
    }
}

/// That one of several is good; else why the last is not that has a reason of its own.
pub(super) fn any(checked: impl Iterator<Item = Result<(), String>>) -> Result<(), String> {
    let mut reason = unknown_issuer();
    for checked in checked {
        match checked {
            Ok(()) => return Ok(()),
            Err(other) if other != unknown_issuer() => reason = other,
            Err(_) => (),
        }
    }
    Err(reason)
}

/// Returns the reason of a certificate that no authority of the trusted root issued.
pub(super) fn unknown_issuer() -> String {
    told(Error::UnknownIssuer)
}

fn owned(certificate: &DerCertificate) -> CertificateDer<'static> {
    CertificateDer::from(certificate.as_bytes().to_vec())
}

fn told(error: Error) -> String {
    match error {
        // The second is one of the same name.
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => {
            "no authority of the trusted root issued it".to_owned()
        }
        Error::CertExpired { .. } => "a certificate of its authority had expired".to_owned(),
        Error::CertNotValidYet { .. } => {
            "a certificate of its authority was not valid yet".to_owned()
        }
        Error::EndEntityUsedAsCa => {
            "a certificate of its authority does not say that it may issue others (CA:TRUE)"
                .to_owned()
        }
        Error::PathLenConstraintViolated => {
            "a certificate of its authority allows fewer issuers below it".to_owned()
        }
        Error::RequiredEkuNotFoundContext(_) => {
            "a certificate of its authority is for something else by its extended key usage"
                .to_owned()
        }
        other => format!("the certificates of its authority do not hold: {other}"),
    }
}
