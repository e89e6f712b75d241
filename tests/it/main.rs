//! The integration tests: one binary, since every test binary links the whole tree.

mod arrows;
mod counts;
mod crash;
mod declaration;
mod input;
mod interop;
mod client;
mod registry;
mod road;
mod support;
mod surface;
