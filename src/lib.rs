//! shipmark names, pushes, promotes and reports container images by digest.

pub mod event;
pub mod git;
pub mod image;
pub mod notice;
pub mod tagging;
