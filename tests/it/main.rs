//! The integration tests: one binary, since every test binary links the whole tree.

mod client;
mod registry;
mod road;
mod support;
