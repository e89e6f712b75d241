//! shipmark names, pushes, promotes and reports container images by digest.

pub mod credentials;
pub mod image;
pub mod notice;
pub mod registry;
