//! Observes the destinations, and plans the change of each tag there.

pub(super) mod branch_ancestry;
pub(super) mod branch_names;
mod next_version;
pub(super) mod observe;
pub(super) mod reuse;
pub(super) mod tags;
