//! Whether a requirement can accept what a run is going to sign, before it signs.

use super::{Identity, Requirement};

impl Requirement {
    /// Returns whether a signature that passes `own` may pass this: the key is one of its keys, or a
    /// certificate can have both identities. The trusted root and the log are left to the verification
    /// of the signature.
    pub fn may_accept(&self, own: &Self) -> bool {
        match (self, own) {
            (Self::Any(several), own) => several.iter().any(|one| one.may_accept(own)),
            (Self::LoggedSignatures(logged), own) => logged.may_accept(own),
            (one, Self::Any(several)) => several.iter().any(|own| one.may_accept(own)),
            (one, Self::LoggedSignatures(own)) => one.may_accept(own),
            (Self::Key { key, .. }, Self::Key { key: own, .. }) => key == own,
            (Self::Identity { identity, .. }, Self::Identity { identity: own, .. }) => {
                identity.may_be(own)
            }
            (Self::Key { .. }, Self::Identity { .. })
            | (Self::Identity { .. }, Self::Key { .. }) => false,
        }
    }
}

impl Identity {
    /// Returns whether one certificate can have both identities. A condition that only one of them has
    /// excludes none.
    fn may_be(&self, own: &Self) -> bool {
        let mut conditions = self.conditions.iter();
        self.subject.overlaps_path(&own.subject)
            && self.issuer == own.issuer
            && conditions.all(|(condition, value)| {
                let mut known = own.conditions.iter();
                known.all(|(other, own_value)| other != condition || own_value == value)
            })
    }
}
