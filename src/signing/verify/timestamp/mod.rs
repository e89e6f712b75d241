//! Timestamps over signatures (RFC 3161), by every authority that cosign takes: RSA and ECDSA keys, SHA-256,
//! SHA-384 and SHA-512, its certificates in the trusted root or in the timestamp.
//!
//! `sigstore-tsa` verifies ECDSA over P-256 and P-384 with the hash of the curve's size alone, and
//! `sigstore-verify` takes no time from its caller. So timestamps are verified here, and `sigstore-verify`
//! sees their times as timestamps of an authority that exists only in this process (`stand_in.rs`).

mod cms_signature;
mod stamp_hash;
mod stamp_token;
mod stamper;
mod stand_in;

pub(super) use stamper::{Stamper, verified_times};
pub(super) use stand_in::StandInStamper;
