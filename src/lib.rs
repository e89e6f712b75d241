//! shipmark names, pushes, promotes and reports container images by digest.

#![warn(clippy::unwrap_used)]

pub mod actions;
pub mod archive;
pub mod cli;
pub mod commands;
pub mod credentials;
pub mod event;
pub mod gate;
pub mod git;
pub mod github;
pub mod http;
pub mod image;
pub mod layout;
pub mod notices;
pub mod policy;
pub mod prune;
pub mod record;
pub mod referrers;
pub mod registry;
pub mod registry_api;
pub mod release;
pub mod report;
pub mod retention;
pub mod rule_duration;
pub mod signing;
pub mod strict_json;
pub mod tagging;
pub mod transfer;
