//! The integration tests: one binary, since every test binary links the whole tree.

mod arrows;
mod client;
mod counts;
mod crash;
mod daemon;
mod declaration;
mod input;
mod interop;
mod interop_cosign;
mod moves;
mod mutants;
mod races;
mod registry;
mod road;
mod runner;
mod signing;
mod support;
mod surface;
mod tags;
