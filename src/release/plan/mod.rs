//! Observes the destinations, and plans the change of each tag there.

pub(super) mod branch_ancestry;
pub(super) mod branch_names;
pub(super) mod observe;
pub(super) mod reuse;
pub(super) mod tags;
