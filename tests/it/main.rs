//! The integration tests: one binary, since every test binary links the whole tree.

// Tests start processes and services with an environment and a clock of their own making.
#![expect(clippy::disallowed_methods)]

mod arrows;
mod branch_names;
mod circles;
mod client;
mod counts;
mod crash;
mod daemon;
mod declaration;
mod depth;
mod example;
mod explained_failures;
mod field;
mod fleet;
mod git_flow;
mod github;
mod input;
mod interop;
mod interop_copies;
mod interop_cosign;
mod interop_keys;
mod interop_sigstore;
mod keep;
mod keyless;
mod logged_key;
mod memory;
mod moves;
mod mutants;
mod overwritten;
mod platforms;
mod policy;
mod prepared;
mod promoted_names;
mod races;
mod readme_workflows;
mod referrers;
mod registry;
mod registry_quirks;
mod rejected_inputs;
mod road;
mod runner;
mod secrets;
mod sign_bundle;
mod signing;
mod sigstore;
mod style;
mod supply_chain;
mod support;
mod surface;
mod tags;
mod timestamps;
mod unusual;
mod verify;
