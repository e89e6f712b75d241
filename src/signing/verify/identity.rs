use std::fmt;

use sigstore_crypto::CertificateInfo;
use sigstore_types::Bundle;
use sigstore_verify::VerificationResult;

use super::super::VerificationError;
use super::CertificateCondition;
use super::subject_names::subject_names;

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

/// A text in which each `*` stands for any characters, none included. All of a name has to match it:
/// one without `*` is exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WildcardPattern(String);

impl WildcardPattern {
    /// The pattern.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether all of `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            // The earliest place leaves the most to the parts that follow.
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }

    /// Returns whether a text matches both patterns, where each `*` of `other` stands for a part of a path:
    /// it matches no `/`.
    pub(super) fn overlaps_path(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.0.as_bytes());
        let stars = |pattern: &[u8]| pattern.iter().all(|byte| *byte == b'*');
        // For each end of ours, from the last end of theirs to the first: whether they have a text in common.
        let mut later: Vec<bool> = (0..=ours.len()).map(|from| stars(&ours[from..])).collect();
        for at in (0..theirs.len()).rev() {
            let mut now = vec![stars(&theirs[at..]); ours.len() + 1];
            for from in (0..ours.len()).rev() {
                now[from] = match (ours[from], theirs[at]) {
                    (b'*', _) => now[from + 1] || later[from],
                    (our, b'*') => later[from] || our != b'/' && now[from + 1],
                    (our, their) => our == their && later[from + 1],
                };
            }
            later = now;
        }
        later[0]
    }
}

impl fmt::Display for WildcardPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_anchored_at_both_ends() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("", "a", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("abc", "xabc", false),
            ("a.c", "abc", false),
            ("*", "", true),
            ("*", "anything/at@all", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*c", "abc", true),
            ("*c", "abcd", false),
            ("a*c", "ac", true),
            ("a*c", "abcbc", true),
            ("a*c", "a", false),
            ("ab*bc", "abc", false),
            ("ab*bc", "abbc", true),
            ("a*b*c", "axbxbxc", true),
            ("a*b*c", "axxc", false),
            ("*a*", "bab", true),
            ("**", "x", true),
            (
                "https://github.com/acme/web/.github/workflows/build.yml@*",
                "https://github.com/acme/web/.github/workflows/build.yml@refs/heads/main",
                true,
            ),
            (
                "https://github.com/acme/web/.github/workflows/build.yml@*",
                "https://evil.example/?https://github.com/acme/web/.github/workflows/build.yml@x",
                false,
            ),
        ] {
            assert_eq!(
                WildcardPattern::new(pattern).matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn patterns_overlap_where_one_text_matches_both() {
        for (pattern, other, expected) in [
            ("", "", true),
            ("", "*", true),
            ("*", "", true),
            ("", "a", false),
            ("a", "", false),
            ("abc", "abc", true),
            ("abc", "abd", false),
            ("abc", "abcd", false),
            ("abcd", "abc", false),
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("a*c", "ab", false),
            ("*a*", "*b*", true),
            ("a*a", "a", false),
            ("**", "*", true),
            ("a/b", "a*b", false),
            ("a*b", "a/b", true),
            ("a/*", "*/c", true),
            ("a/b/*", "*/c", false),
            ("a/*", "*", false),
        ] {
            let [pattern, other] = [pattern, other].map(WildcardPattern::new);
            assert_eq!(pattern.overlaps_path(&other), expected, "{pattern} {other}");
        }
        let own = WildcardPattern::new("https://*/acme/web/x/release.yml@refs/heads/main");
        for (pattern, expected) in [
            (
                "https://github.com/acme/web/x/release.yml@refs/heads/main",
                true,
            ),
            ("https://github.com/acme/web/x/release.yml@*", true),
            ("https://github.com/acme/*", true),
            ("*", true),
            (
                "https://github.com/acme/web/x/release.yml@refs/tags/*",
                false,
            ),
            // The last part of its text could be the whole of the other's.
            ("https://github.com/acme/web/x/deploy.yml@*", false),
            ("https://github.com/acme/api/*", false),
        ] {
            assert_eq!(
                WildcardPattern::new(pattern).overlaps_path(&own),
                expected,
                "{pattern}"
            );
        }
    }
}
