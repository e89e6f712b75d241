//! Names of who a certificate is for: its subject alternative names (RFC 5280, 4.2.1.6).

use x509_cert::Certificate;
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Fulcio's type of a name that is neither an address nor a URI: `user!organization`.
const USER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// Returns the e-mail addresses, URIs and user names of a certificate, in its order; none of one that
/// cannot be read.
pub(super) fn subject_names(certificate: &[u8]) -> Vec<String> {
    let certificate = Certificate::from_der(certificate).ok();
    let names = certificate.and_then(|certificate| {
        let found = certificate.tbs_certificate.get::<SubjectAltName>();
        found.ok().flatten()
    });
    let names = names.map(|(_, names)| names.0).unwrap_or_default();
    names.iter().filter_map(name_text).collect()
}

fn name_text(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::Rfc822Name(address) => Some(address.to_string()),
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
        GeneralName::OtherName(other) if other.type_id == USER_NAME => {
            let der = other.value.to_der().ok()?;
            let text = Utf8StringRef::from_der(&der).ok()?;
            Some(text.as_str().to_owned())
        }
        _ => None,
    }
}
