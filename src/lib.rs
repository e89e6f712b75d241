//! shipmark names, pushes, promotes and reports container images by digest.

pub mod archive;
pub mod image;
pub mod layout;
pub mod notice;
