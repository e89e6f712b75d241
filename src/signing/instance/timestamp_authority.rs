//! Timestamps over signatures, from a timestamp authority (RFC 3161).

use sigstore_types::TimestampToken;
use x509_cert::der::{self, Decode, Reader, SliceReader};

use super::sigstore_service::{SigstoreService, SigstoreServiceError};
use crate::http::HttpClient;

/// A request up to the hash: version 1, and an imprint by SHA-256.
const REQUEST_BEFORE_HASH: [u8; 22] = [
    0x30, 0x37, 0x02, 0x01, 0x01, // TimeStampReq, version
    0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, // MessageImprint, AlgorithmIdentifier
    0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, // id-sha256
    0x04, 0x20, // hashedMessage
];
/// With the authority's certificate. A nonce would tell answers to equal requests apart; what is
/// hashed here is a signature that was just made.
const REQUEST_AFTER_HASH: [u8; 3] = [0x01, 0x01, 0xff];

/// Has a signature's time attested.
pub(super) async fn request_timestamp(
    authority: &SigstoreService,
    client: &HttpClient,
    signature: &[u8],
) -> Result<TimestampToken, SigstoreServiceError> {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, signature);
    let request = [&REQUEST_BEFORE_HASH[..], hash.as_ref(), &REQUEST_AFTER_HASH].concat();
    let (url, kind) = (authority.url().clone(), "application/timestamp-query");
    let answer = authority.post(client, url, kind, request).await?;
    let body = authority.expect_success(answer)?.body;
    match response_status(&body) {
        Ok(0 | 1) => Ok(TimestampToken::new(body.to_vec())),
        Ok(status) => Err(authority.invalid_answer(format!("a refusal (PKI status {status})"))),
        Err(_) => Err(authority.invalid_answer("no timestamp response")),
    }
}

/// Returns the status of a timestamp response (RFC 3161, 2.4.2): 0 and 1 grant the timestamp.
fn response_status(response: &[u8]) -> der::Result<u8> {
    SliceReader::new(response)?.sequence(|response| {
        let status = response.sequence(|info| {
            let status = u8::decode(info)?;
            let _text_and_failure = info.read_slice(info.remaining_len())?;
            Ok(status)
        })?;
        let _token = response.read_slice(response.remaining_len())?;
        Ok(status)
    })
}
