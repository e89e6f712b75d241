//! Signatures that an environment demands of its releases, and who makes them.

use super::declared_keys::SIGN_WORDS;
use super::error::{FilePosition, PolicyError, PolicyProblem};
use super::problem_list::ProblemList;
use super::signer_rule::{PolicySigner, SignerRule, parse_signers};
use super::yaml_fields::YamlFields;
use super::yaml_node::YamlNode;

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

    pub(super) fn parse(node: YamlNode) -> Result<Self, PolicyError> {
        let word = node.into_word(&SIGN_WORDS)?;
        let rules = [Self::Keyless, Self::Key].into_iter();
        let mut rules = rules.filter(|rule| rule.as_str() == word);
        Ok(rules.next().unwrap_or(Self::Off))
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
/// that nobody can verify would not count, and signers of nothing would be a rule without effect. `default_signers` is
/// the position of the signers in `defaults`.
pub(super) fn parse_signing(
    fields: &mut YamlFields,
    default_signers: Option<FilePosition>,
    problems: &mut ProblemList,
) -> (SigningRule, Vec<SignerRule>) {
    let sign = match fields.take("sign") {
        Some((at, node)) => match problems.keep(SigningRule::parse(node)) {
            Some(rule) => Some((at, rule)),
            // Whether signers are right depends on what is not known.
            None => {
                fields
                    .take("signers")
                    .map(|(_, list)| parse_signers(list, problems));
                return Default::default();
            }
        },
        None => None,
    };
    let is_off = sign.is_some_and(|(_, rule)| rule == SigningRule::Off);
    let is_of_defaults = |(at, _): &(FilePosition, YamlNode)| Some(*at) == default_signers;
    // An environment that turns signatures off has no use for the signers of `defaults`.
    let signers = fields
        .take("signers")
        .filter(|field| !(is_off && is_of_defaults(field)));
    let signers = signers.map(|(at, list)| (at, parse_signers(list, problems)));
    let demanded = sign.filter(|(_, rule)| *rule != SigningRule::Off);
    match (demanded, signers) {
        (Some((at, rule)), None) => {
            problems.add(at.to_error(PolicyProblem::SignWithoutSigners(rule.as_str())));
            (rule, Vec::new())
        }
        (None, Some((at, signers))) => {
            problems.add(at.to_error(PolicyProblem::SignersWithoutSign));
            (SigningRule::Off, signers)
        }
        (None, None) => Default::default(),
        (Some((at, rule)), Some((_, signers))) => {
            if !signers.is_empty() {
                problems.keep(require_own_signer(at, rule, &signers));
            }
            (rule, signers)
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
