//! The table of verbs.

use std::fmt;

/// Declares [`Verb`] from one row for each verb: variant, name and help.
macro_rules! declare_verbs {
    ($($variant:ident, $name:literal, $help:literal;)*) => {
        /// Verb of the command line, `command` in a workflow.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Verb {
            $(#[doc = $help] $variant,)*
        }

        impl Verb {
            /// Every verb, in the order in which help lists them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];
            /// The names of [`Verb::ALL`].
            pub const NAMES: &[&str] = &[$($name,)*];

            /// Returns the verb as it is written.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns what the verb does, in one line.
            pub const fn help(self) -> &'static str {
                match self {
                    $(Self::$variant => $help,)*
                }
            }
        }
    };
}

declare_verbs! {
    Tags, "tags", "Derive tags, labels and annotations from the GitHub event; write to no registry";
    Push, "push", "Push a built image to repositories under tags derived from the GitHub event";
    Promote, "promote", "Release an image from one repository to others by the same digest";
    Check, "check", "Show whether a promotion would be released, and what it would write";
    Verify, "verify", "Verify the signatures of an image, or what an environment is on";
    VerifyBundle, "verify-bundle", "Verify a Sigstore bundle that signs a file";
    SignBundle, "sign-bundle", "Sign a file and write a Sigstore bundle";
    History, "history", "Show the releases of an environment, from the records in its repository";
    Inspect, "inspect", "Show where an image or an environment comes from, and what was good before";
    Rollback, "rollback", "Withdraw a release of an environment and put back the one before it";
    Mark, "mark", "Record that a release is deployed or has failed";
    Adopt, "adopt", "Record the releases that a repository had before records were kept";
    Hold, "hold", "Keep an image from every cleanup, under a name and for a reason";
    Unhold, "unhold", "Lift a hold, so that rules of retention count for its image again";
    Prune, "prune", "Show what retention rules delete, or delete it by a plan that was shown";
    Restore, "restore", "Bring back an image that prune deleted, from its archive or the registry's API";
    Policy, "policy", "Show environments and promotions of the policy, with defaults filled in";
}

impl Verb {
    /// Returns the verb of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|verb| verb.name() == name)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
