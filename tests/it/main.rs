//! The integration tests: one binary, since every test binary links the whole tree.

mod arrows;
mod client;
mod counts;
mod crash;
mod declaration;
mod example;
mod fleet;
mod input;
mod interop;
mod interop_cosign;
mod interop_sigstore;
mod keyless;
mod moves;
mod platforms;
mod policy;
mod races;
mod referrers;
mod registry;
mod road;
mod runner;
mod signing;
mod sigstore;
mod support;
mod surface;
mod tags;
