//! Timestamp token (RFC 3161, 2.4.2): what an authority signed, read and not yet believed.

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerInfo};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use x509_cert::Certificate;
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier};
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader, Tag};
use x509_cert::spki::AlgorithmIdentifierRef;

use super::stamp_hash::StampHash;

/// `id-ct-TSTInfo`: the content of a timestamp.
pub(super) const TST_INFO: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// `id-signedData` (RFC 5652).
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");

/// Timestamp token.
pub(super) struct StampToken {
    /// Time that the authority states, in whole seconds.
    pub(super) time: Timestamp,
    /// Hash of what was stamped.
    imprint: (StampHash, Vec<u8>),
    /// What is signed: the TSTInfo.
    pub(super) content: Vec<u8>,
    /// The only signature.
    pub(super) signer: SignerInfo,
    /// Certificates that came with it: its signer's, and issuers of that.
    pub(super) certificates: Vec<Certificate>,
}

impl StampToken {
    /// Reads a timestamp: a response with a token in it, or a token by itself.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let token = unwrap_response(bytes)?;
        let token = ContentInfo::from_der(token).map_err(unreadable)?;
        if token.content_type != SIGNED_DATA {
            return Err("it is no signed data".to_owned());
        }
        let signed: SignedData = token.content.decode_as().map_err(unreadable)?;
        if signed.encap_content_info.econtent_type != TST_INFO {
            return Err("it signs something else than a time".to_owned());
        }
        let content = signed.encap_content_info.econtent.as_ref();
        let content = content.ok_or("it has no content")?.value().to_vec();
        let info = TstInfo::read(&content)?;
        let certificates = signed.certificates.iter().flat_map(|set| set.0.iter());
        let certificates = certificates.filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
            CertificateChoices::Other(_) => None,
        });
        let certificates = certificates.collect();
        let mut signers = signed.signer_infos.0.into_vec();
        match (signers.pop(), signers.pop()) {
            (Some(signer), None) => Ok(Self {
                time: info.time,
                imprint: info.imprint,
                content,
                signer,
                certificates,
            }),
            _ => Err("it has not exactly one signature".to_owned()),
        }
    }

    /// Returns whether it stamps `message`.
    pub(super) fn stamps(&self, message: &[u8]) -> bool {
        let (hash, imprint) = &self.imprint;
        hash.digest(message) == *imprint
    }
}

/// What a timestamp states, as far as it is used.
struct TstInfo {
    time: Timestamp,
    imprint: (StampHash, Vec<u8>),
}

impl TstInfo {
    fn read(content: &[u8]) -> Result<Self, String> {
        let (hash, imprint, time) = read_tst_info(content).map_err(unreadable)?;
        Ok(Self {
            time: parse_time(time).ok_or("its time cannot be read")?,
            imprint: (
                StampHash::of_oid(hash).ok_or("its hash is not SHA-256, SHA-384 or SHA-512")?,
                imprint.to_vec(),
            ),
        })
    }
}

fn read_tst_info(content: &[u8]) -> der::Result<(ObjectIdentifier, &[u8], &[u8])> {
    SliceReader::new(content)?.sequence(|info| {
        let _version = u8::decode(info)?;
        let _policy = ObjectIdentifier::decode(info)?;
        let (hash, imprint) = info.sequence(|imprint| {
            let algorithm = AlgorithmIdentifierRef::decode(imprint)?;
            Ok((algorithm.oid, read_tagged(imprint, Tag::OctetString)?))
        })?;
        let _serial = read_tagged(info, Tag::Integer)?;
        let time = read_tagged(info, Tag::GeneralizedTime)?;
        let _accuracy_and_more = info.read_slice(info.remaining_len())?;
        Ok((hash, imprint, time))
    })
}

fn read_tagged<'a>(reader: &mut impl Reader<'a>, tag: Tag) -> der::Result<&'a [u8]> {
    let element = AnyRef::decode(reader)?;
    der::Tagged::tag(&element).assert_eq(tag)?;
    Ok(element.value())
}

/// Parses a GeneralizedTime in UTC, perhaps with a fraction, which counts for nothing.
fn parse_time(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let part = |from: usize, to: usize| whole[from..to].parse::<i8>().ok();
    let year = whole[..4].parse().ok()?;
    let (month, day) = (part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (time.duration_since(Timestamp::UNIX_EPOCH) >= SignedDuration::ZERO).then_some(time)
}

/// Returns the token of a response; a token by itself begins with the name of its type.
fn unwrap_response(bytes: &[u8]) -> Result<&[u8], String> {
    let token = SliceReader::new(bytes).and_then(|mut reader| {
        reader.sequence(|response| {
            let first = AnyRef::decode(response)?;
            let rest = response.read_slice(response.remaining_len())?;
            Ok((first, rest))
        })
    });
    let (first, rest) = token.map_err(unreadable)?;
    if der::Tagged::tag(&first) != Tag::Sequence {
        return Ok(bytes);
    }
    match SliceReader::new(first.value()).and_then(|mut status| u8::decode(&mut status)) {
        Ok(0 | 1) => Ok(rest),
        Ok(status) => Err(format!("its authority refused it (PKI status {status})")),
        Err(error) => Err(unreadable(error)),
    }
}

/// Returns a certificate's DER.
pub(super) fn to_der(certificate: &Certificate) -> Result<Vec<u8>, String> {
    certificate.to_der().map_err(unreadable)
}

pub(super) fn unreadable(error: der::Error) -> String {
    format!("it cannot be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_utc_alone() {
        for (text, expected) in [
            ("20261130045100Z", Some("2026-11-30T04:51:00Z")),
            ("20261130045100.123456Z", Some("2026-11-30T04:51:00Z")),
            ("20261130045100", None),
            ("20261130045100.Z", None),
            ("20261130045100+0100", None),
            ("202611300451Z", None),
            ("2026113004510aZ", None),
            ("20261330045100Z", None),
            ("+0261130045100Z", None),
            ("19691231235959Z", None),
        ] {
            let read = parse_time(text.as_bytes()).map(|time| time.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
