//! What a certificate that issues others has to say (RFC 5280, 4.2.1 and 6.1.4), for what neither
//! `sigstore-verify` nor webpki looks at: the trusted root's own certificates, and key usage.

use jiff::Timestamp;
use rustls_pki_types::SignatureVerificationAlgorithm;
use sigstore_crypto::WEBPKI_VERIFICATION_ALGS;
use webpki::KeyUsage;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc5280::{
    ANY_EXTENDED_KEY_USAGE, ID_CE_AUTHORITY_KEY_IDENTIFIER, ID_CE_BASIC_CONSTRAINTS,
    ID_CE_CERTIFICATE_POLICIES, ID_CE_CRL_DISTRIBUTION_POINTS, ID_CE_EXT_KEY_USAGE,
    ID_CE_KEY_USAGE, ID_CE_NAME_CONSTRAINTS, ID_CE_SUBJECT_ALT_NAME, ID_CE_SUBJECT_KEY_IDENTIFIER,
    ID_KP_CODE_SIGNING, ID_KP_TIME_STAMPING,
};
use x509_cert::ext::pkix;
use x509_cert::time::Time;

/// What an authority's certificates are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Certificates of signers (Fulcio's).
    CodeSigning,
    /// Timestamps (RFC 3161).
    TimeStamping,
}

/// The extensions that a reader of certificates understands where they are critical.
const UNDERSTOOD: [ObjectIdentifier; 9] = [
    ID_CE_AUTHORITY_KEY_IDENTIFIER,
    ID_CE_BASIC_CONSTRAINTS,
    ID_CE_CERTIFICATE_POLICIES,
    ID_CE_CRL_DISTRIBUTION_POINTS,
    ID_CE_EXT_KEY_USAGE,
    ID_CE_KEY_USAGE,
    ID_CE_NAME_CONSTRAINTS,
    ID_CE_SUBJECT_ALT_NAME,
    ID_CE_SUBJECT_KEY_IDENTIFIER,
];

impl Purpose {
    fn oid(self) -> ObjectIdentifier {
        match self {
            Self::CodeSigning => ID_KP_CODE_SIGNING,
            Self::TimeStamping => ID_KP_TIME_STAMPING,
        }
    }

    /// Returns how its certificates may be signed: a timestamp authority is often an ordinary one, with RSA.
    pub(super) fn signature_algorithms(
        self,
    ) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
        match self {
            Self::CodeSigning => WEBPKI_VERIFICATION_ALGS,
            Self::TimeStamping => webpki::ALL_VERIFICATION_ALGS,
        }
    }

    /// Returns what webpki asks of each certificate below the root that says what it is for.
    pub(super) fn key_usage(self) -> KeyUsage {
        KeyUsage::required_if_present(match self {
            Self::CodeSigning => ID_KP_CODE_SIGNING.as_bytes(),
            Self::TimeStamping => ID_KP_TIME_STAMPING.as_bytes(),
        })
    }
}

/// A certificate that issued another.
pub(super) struct Issuer(Certificate);

impl Issuer {
    /// Reads a certificate.
    pub(super) fn read(der: &[u8]) -> Result<Self, String> {
        let certificate = Certificate::from_der(der);
        certificate.map(Self).map_err(|error| unreadable(&error))
    }

    /// Refuses a certificate that could not issue one at `time`, with `between` other issuers between
    /// the two.
    pub(super) fn check(
        &self,
        purpose: Purpose,
        time: Timestamp,
        between: usize,
    ) -> Result<(), String> {
        self.check_validity(time)?;
        self.check_may_issue(between)?;
        self.check_purpose(purpose)?;
        let mut critical = self
            .extensions()
            .iter()
            .filter(|extension| extension.critical);
        match critical.find(|extension| !UNDERSTOOD.contains(&extension.extn_id)) {
            Some(unknown) => Err(format!(
                "has the unknown critical extension {}",
                unknown.extn_id
            )),
            None => Ok(()),
        }
    }

    fn check_validity(&self, time: Timestamp) -> Result<(), String> {
        let validity = &self.0.tbs_certificate.validity;
        let (start, end) = (at(&validity.not_before)?, at(&validity.not_after)?);
        if time < start {
            return Err(format!("was not valid before {start}"));
        }
        match time > end {
            true => Err(format!("had expired at {end}")),
            false => Ok(()),
        }
    }

    /// Returns whether the certificate says that it may issue others.
    pub(super) fn may_issue(&self) -> bool {
        let constraints = self.extension::<pkix::BasicConstraints>();
        matches!(constraints, Ok(Some(constraints)) if constraints.ca)
    }

    /// Certificates of version 1 do not say that they may, so they may not.
    fn check_may_issue(&self, between: usize) -> Result<(), String> {
        let constraints = self.extension::<pkix::BasicConstraints>()?;
        let Some(constraints) = constraints.filter(|constraints| constraints.ca) else {
            return Err("does not say that it may issue others (CA:TRUE)".to_owned());
        };
        if let Some(most) = constraints.path_len_constraint
            && between > usize::from(most)
        {
            return Err(format!("allows {most} issuers below it, not {between}"));
        }
        match self.extension::<pkix::KeyUsage>()? {
            Some(usage) if !usage.key_cert_sign() => {
                Err("may not sign certificates by its key usage".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// A certificate that says what those below it are for says so of all of them.
    fn check_purpose(&self, purpose: Purpose) -> Result<(), String> {
        let Some(purposes) = self.extension::<pkix::ExtendedKeyUsage>()? else {
            return Ok(());
        };
        let serves =
            |oid: &ObjectIdentifier| *oid == purpose.oid() || *oid == ANY_EXTENDED_KEY_USAGE;
        match purposes.0.iter().any(serves) {
            true => Ok(()),
            false => Err("is for something else by its extended key usage".to_owned()),
        }
    }

    /// Refuses a certificate that a timestamp authority does not sign timestamps with: it has to be
    /// for them alone, in a critical extension (RFC 3161, 2.3).
    pub(super) fn check_stamps(&self) -> Result<(), String> {
        let purposes = self.extension::<pkix::ExtendedKeyUsage>()?;
        let purposes = purposes.map(|purposes| purposes.0).unwrap_or_default();
        let is_critical = self
            .extensions()
            .iter()
            .any(|extension| extension.extn_id == ID_CE_EXT_KEY_USAGE && extension.critical);
        match purposes.as_slice() {
            [ID_KP_TIME_STAMPING] if is_critical => Ok(()),
            _ => Err("is not for timestamps alone, in a critical extended key usage".to_owned()),
        }
    }

    fn extensions(&self) -> &[x509_cert::ext::Extension] {
        self.0
            .tbs_certificate
            .extensions
            .as_deref()
            .unwrap_or_default()
    }

    /// One that is there twice is an error.
    fn extension<'a, T>(&'a self) -> Result<Option<T>, String>
    where
        T: Decode<'a> + x509_cert::der::oid::AssociatedOid,
    {
        let found = self.0.tbs_certificate.get::<T>();
        let found = found.map_err(|error| unreadable(&error))?;
        Ok(found.map(|(_, extension)| extension))
    }
}

fn at(time: &Time) -> Result<Timestamp, String> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.ok_or_else(|| "has a time that cannot be read".to_owned())
}

fn unreadable(error: &dyn std::fmt::Display) -> String {
    format!("cannot be read: {error}")
}
