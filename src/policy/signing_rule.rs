//! Signatures that an environment demands of its releases, and who makes them.

use super::declared_keys::SIGN_WORDS;
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::signer_rule::{PolicySigner, SignerRule, parse_signers};
use super::yaml_document::{YamlFields, YamlNode, YamlText, printable_text};

/// Signatures that each release to an environment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SigningRule {
    /// None are demanded.
    #[default]
    Off,
    /// Those of the job's identity.
    Keyless,
    /// Those of a key.
    Key,
}

impl SigningRule {
    /// Returns the word of the key and the input `sign`.
    pub fn as_str(self) -> &'static str {
        let [off, keyless, key] = SIGN_WORDS;
        match self {
            Self::Off => off,
            Self::Keyless => keyless,
            Self::Key => key,
        }
    }

    fn parse(node: YamlNode) -> Result<Self, PolicyError> {
        let YamlText { text, position } = node.into_text()?;
        let mut rules = [Self::Off, Self::Keyless, Self::Key].into_iter();
        let problem = || PolicyProblem::NotOneOf {
            text: printable_text(&text),
            words: &SIGN_WORDS,
        };
        rules
            .find(|rule| rule.as_str() == text)
            .ok_or_else(|| position.to_error(problem()))
    }

    /// Returns the kind of signer that such a signature is made by.
    fn is_made_by(self, signer: &PolicySigner) -> bool {
        match self {
            Self::Off => false,
            Self::Keyless => matches!(signer, PolicySigner::Identity(_)),
            Self::Key => matches!(signer, PolicySigner::Key(_)),
        }
    }
}

/// Parses the keys `sign` and `signers`, which an environment has both or neither: records that are signed and
/// that nobody can verify would not count, and signers of nothing would be a rule without effect.
pub(super) fn parse_signing(
    fields: &mut YamlFields,
) -> Result<(SigningRule, Vec<SignerRule>), PolicyError> {
    let sign = match fields.take("sign") {
        Some((at, node)) => Some((at, SigningRule::parse(node)?)),
        None => None,
    };
    let signers = match fields.take("signers") {
        Some((at, list)) => Some((at, parse_signers(list)?)),
        None => None,
    };
    let demanded = sign.filter(|(_, rule)| *rule != SigningRule::Off);
    match (demanded, signers) {
        (Some((at, rule)), None) => {
            Err(at.to_error(PolicyProblem::SignWithoutSigners(rule.as_str())))
        }
        (None, Some((at, _))) => Err(at.to_error(PolicyProblem::SignersWithoutSign)),
        (None, None) => Ok(Default::default()),
        (Some((at, rule)), Some((_, signers))) => {
            require_own_signer(at, rule, &signers)?;
            Ok((rule, signers))
        }
    }
}

/// Somebody must be able to write the records of the environment's own releases.
fn require_own_signer(
    at: FilePosition,
    rule: SigningRule,
    signers: &[SignerRule],
) -> Result<(), PolicyError> {
    match signers.iter().any(|it| rule.is_made_by(&it.signer)) {
        true => Ok(()),
        false => Err(at.to_error(PolicyProblem::NoOwnSigner(rule.as_str()))),
    }
}
