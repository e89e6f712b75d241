//! Names of the files at the top of an image layout.

/// The file that says that a directory is an image layout, and of which version.
pub(crate) const LAYOUT_FILE: &str = "oci-layout";

/// The file that names the images of a layout.
pub(crate) const INDEX_FILE: &str = "index.json";
