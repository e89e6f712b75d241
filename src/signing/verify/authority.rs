//! The authorities that a trusted root names, with the certificates that vouch for each.
//!
//! `sigstore-verify` takes every certificate of a certificate authority for a root, and looks at a root
//! no further: one that has expired, or may issue no others, would count. So what it found good is
//! checked once more, from the signer's certificate up to the last one that the trusted root names.

use std::cell::RefCell;

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use sigstore_crypto::WEBPKI_VERIFICATION_ALGS;
use sigstore_types::bundle::VerificationMaterialContent;
use sigstore_types::{Bundle, DerCertificate, SignatureBytes, SignatureContent, TimeRange};
use sigstore_types::{TimestampToken, TsaAuthority};
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

/// A timestamp authority, and the certificates that vouch for it.
pub(super) struct Stamper {
    authority: TsaAuthority,
    chain: Authority,
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
    fn check(
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
            WEBPKI_VERIFICATION_ALGS,
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

impl Stamper {
    /// Takes a timestamp authority; `None` where its root cannot be read.
    pub(super) fn new(authority: TsaAuthority) -> Option<Self> {
        let above = authority.intermediates.iter().chain([&authority.root]);
        let chain = Authority::new(Purpose::TimeStamping, above, authority.valid_for)?;
        Some(Self { authority, chain })
    }

    /// Checks the authority's certificates at the time of a timestamp; `None` where the timestamp is
    /// not its own.
    fn check(
        &self,
        stamp: &TimestampToken,
        signature: &SignatureBytes,
    ) -> Option<Result<(), String>> {
        let time = sigstore_tsa::verify_timestamp_for_authority(stamp, signature, &self.authority);
        let (time, leaf) = (time.ok()?, owned(&self.authority.leaf));
        let stamps = Issuer::read(&leaf).and_then(|leaf| leaf.check_stamps());
        let stamps = stamps.map_err(|reason| format!("its authority's certificate {reason}"));
        Some(stamps.and_then(|()| self.chain.check(&leaf, &[], time)))
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

/// Refuses the timestamps of a bundle unless each is of an authority whose certificates were valid.
pub(super) fn check_timestamps(
    stampers: &[Stamper],
    bundle: &Bundle,
) -> Result<(), VerificationError> {
    let signature = match &bundle.content {
        SignatureContent::MessageSignature(message) => &message.signature,
        SignatureContent::DsseEnvelope(envelope) => &envelope.signature.sig,
        _ => {
            return Err(VerificationError::malformed(
                "its content is of an unknown kind",
            ));
        }
    };
    let stamps = &bundle.verification_material.timestamp_verification_data;
    for stamp in &stamps.rfc3161_timestamps {
        let stamp = &stamp.signed_timestamp;
        any(stampers
            .iter()
            .filter_map(|stamper| stamper.check(stamp, signature)))
        .map_err(|reason| VerificationError::Timestamp(VerificationError::printable(&reason)))?;
    }
    Ok(())
}

/// That one of several is good; else why the last is not that has a reason of its own.
fn any(checked: impl Iterator<Item = Result<(), String>>) -> Result<(), String> {
    let unknown = || told(Error::UnknownIssuer);
    let mut reason = unknown();
    for checked in checked {
        match checked {
            Ok(()) => return Ok(()),
            Err(other) if other != unknown() => reason = other,
            Err(_) => (),
        }
    }
    Err(reason)
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
