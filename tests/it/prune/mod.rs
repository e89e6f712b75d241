//! Deletion by retention rules, over HTTP against the test registry, and on image layouts.

mod archive;
mod cases;
mod command_line;
mod counts;
mod crash;
mod known_hosts;
pub(crate) mod layout_stage;
mod layouts;
mod peer_clients;
mod plan_files;
mod races;
mod real_garbage_collection;
mod real_repository;
mod recorded_deletions;
pub mod stage;
