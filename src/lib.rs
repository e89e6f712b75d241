//! shipmark names, pushes, promotes and reports container images by digest.

pub mod actions;
pub mod cli;
pub mod credentials;
pub mod image;
pub mod notice;
