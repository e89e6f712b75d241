//! shipmark names, pushes, promotes and reports container images by digest.
