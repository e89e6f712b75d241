//! Tests of the planner.

mod evidence_cases;
mod graph_cases;
mod manifests_read;
mod model;
mod peer;
mod release_cases;
mod resumed_runs;
mod rule_cases;
mod size;
mod stops;
mod support;
