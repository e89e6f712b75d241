//! Timestamp authority of a trusted root.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use sigstore_trust_root::TimestampAuthority;
use sigstore_types::{Bundle, DerCertificate, SignatureContent, TimeRange, TimestampToken};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::super::super::VerificationError;
use super::super::authority::{self, Authority};
use super::super::issuer::{Issuer, Purpose};
use super::stamp_token::{StampToken, to_der};

/// Timestamp authority, and the certificates that vouch for it.
pub(crate) struct Stamper {
    /// Its own certificate, where the trusted root names it; else each timestamp brings it.
    leaf: Option<Certificate>,
    chain: Authority,
    valid_for: Option<TimeRange>,
}

impl Stamper {
    /// Takes a timestamp authority of a trusted root: the root last, before it what it issued, first the
    /// authority's own certificate if it is there. `None` where a certificate cannot be read.
    pub(crate) fn new(authority: &TimestampAuthority) -> Option<Self> {
        let all = authority.cert_chain.certificates.iter();
        let all: Vec<&DerCertificate> = all.map(|entry| &entry.raw_bytes).collect();
        let (first, above) = all.split_first()?;
        let leaf = Certificate::from_der(first.as_bytes()).ok()?;
        let may_issue = Issuer::read(first.as_bytes()).ok()?.may_issue();
        let (leaf, above) = match may_issue || above.is_empty() {
            true => (None, &all[..]),
            false => (Some(leaf), above),
        };
        let chain = Authority::new(Purpose::TimeStamping, above.iter().copied(), None)?;
        Some(Self {
            leaf,
            chain,
            valid_for: authority.valid_for,
        })
    }

    /// Checks a token, and the authority's certificates at its time; `None` where the token is not its own.
    fn check(&self, token: &StampToken) -> Option<Result<(), String>> {
        let embedded = token.certificates.iter();
        let leaf = match &self.leaf {
            Some(leaf) => [leaf].into_iter().find(|leaf| token.names(leaf)),
            None => embedded.clone().find(|other| token.names(other)),
        }?;
        let others = embedded.filter(|other| *other != leaf);
        // One that came with the token and its authority never issued is none of this authority's.
        let others: Result<Vec<_>, _> = others.map(to_der).collect();
        Some(others.and_then(|others| self.check_signer(token, leaf, &others)))
    }

    fn check_signer(
        &self,
        token: &StampToken,
        leaf: &Certificate,
        others: &[Vec<u8>],
    ) -> Result<(), String> {
        token.check_signature(leaf)?;
        let leaf = CertificateDer::from(to_der(leaf)?);
        let others: Vec<_> = others
            .iter()
            .map(|other| CertificateDer::from(other.as_slice()))
            .collect();
        let time = token.time;
        self.chain.check(&leaf, &others, time)?;
        if self.valid_for.is_some_and(|range| !range.contains(time)) {
            return Err(format!("at {time} its authority does not count"));
        }
        let stamps = Issuer::read(&leaf).and_then(|leaf| leaf.check_stamps());
        stamps.map_err(|reason| format!("its authority's certificate {reason}"))
    }
}

/// Times of the timestamps of a bundle, and the signature that they are over.
pub(crate) struct VerifiedTimes<'a> {
    pub(super) signature: &'a [u8],
    pub(super) times: Vec<Timestamp>,
}

/// Returns the times of a bundle's timestamps; `None` where it has none.
///
/// A timestamp of an authority that the trusted root does not name proves nothing. It is passed over,
/// as if it had been removed, where another timestamp or a log's promise proves the time.
///
/// # Errors
/// A timestamp that is malformed, over another signature, or not good by its authority; no proof of the
/// time left.
pub(crate) fn verified_times<'a>(
    stampers: &[Stamper],
    bundle: &'a Bundle,
) -> Result<Option<VerifiedTimes<'a>>, VerificationError> {
    let material = &bundle.verification_material;
    let stamps = &material.timestamp_verification_data.rfc3161_timestamps;
    if stamps.is_empty() {
        return Ok(None);
    }
    let signature = stamped_signature(bundle)?;
    let refused = |why: String| VerificationError::Timestamp(VerificationError::printable(&why));
    let mut times = Vec::new();
    for stamp in stamps {
        let time = verified_time(stampers, &stamp.signed_timestamp, signature);
        times.extend(time.map_err(refused)?);
    }
    let mut entries = material.tlog_entries.iter();
    match times.is_empty() && entries.all(|entry| entry.inclusion_promise.is_none()) {
        true => Err(refused(authority::unknown_issuer())),
        false => Ok(Some(VerifiedTimes { signature, times })),
    }
}

fn stamped_signature(bundle: &Bundle) -> Result<&[u8], VerificationError> {
    match &bundle.content {
        SignatureContent::MessageSignature(message) => Ok(message.signature.as_bytes()),
        SignatureContent::DsseEnvelope(envelope) => Ok(envelope.signature.sig.as_bytes()),
        _ => Err(VerificationError::malformed(
            "its content is of an unknown kind",
        )),
    }
}

/// Returns the time of a timestamp; `None` where the trusted root does not name its authority.
fn verified_time(
    stampers: &[Stamper],
    stamp: &TimestampToken,
    signature: &[u8],
) -> Result<Option<Timestamp>, String> {
    let token = StampToken::read(stamp.as_bytes())?;
    if !token.stamps(signature) {
        return Err("it is of another signature".to_owned());
    }
    let checked = stampers.iter().filter_map(|stamper| stamper.check(&token));
    match authority::any(checked) {
        Ok(()) => Ok(Some(token.time)),
        Err(reason) if reason == authority::unknown_issuer() => Ok(None),
        Err(reason) => Err(reason),
    }
}
