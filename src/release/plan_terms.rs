//! Policy of a plan, and the plan that somebody approved.

use crate::image::Digest;

/// Policy of a plan, and the plan that is expected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanTerms {
    /// Digests of the policy files, in the order in which they apply; none without a policy.
    pub policy: Vec<Digest>,
    /// Plan that was approved; `None` if any may be released.
    pub expected: Option<Digest>,
    /// Whether the input `sources` names the images.
    pub names_images: bool,
}
