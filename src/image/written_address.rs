//! Addresses and paths that people write where the name of an image or a registry is expected.

use super::{Reference, RegistryName};

/// Schemes of addresses and transports that stand before a name.
const SCHEMES: [&str; 4] = ["https://", "http://", "docker://", "oci://"];

/// Returns the scheme that a text begins with, and the text after it. `oci:///DIR` is a directory.
pub(super) fn split_scheme(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = SCHEMES
        .iter()
        .find_map(|scheme| Some((*scheme, text.strip_prefix(scheme)?)))?;
    (scheme != "oci://" || !rest.starts_with('/')).then_some((scheme, rest))
}

/// Returns the reference that an address means, such as `ghcr.io/acme/web:1.4.0` of
/// `https://ghcr.io/v2/acme/web:1.4.0`.
pub(super) fn meant_reference(rest: &str) -> Option<String> {
    let (host, path) = rest.split_once('/')?;
    let path = path.strip_prefix("v2/").unwrap_or(path);
    let name = format!("{host}/{}", path.trim_end_matches('/'));
    name.parse::<Reference>().is_ok().then_some(name)
}

/// Returns the registry that an address or a repository is in.
pub(super) fn meant_registry(text: &str) -> Option<String> {
    let rest = split_scheme(text).map_or(text, |(_, rest)| rest);
    let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
    let is_written = host.contains(['.', ':']) || host == "localhost";
    if host == text || !is_written {
        return None;
    }
    let registry: RegistryName = host.parse().ok()?;
    Some(registry.to_string())
}

/// Returns whether a text is the path of a file or directory: no name of an image begins so.
pub(super) fn is_path(text: &str) -> bool {
    ["/", "./", "../", "~/"]
        .iter()
        .any(|start| text.starts_with(start))
        || matches!(text, "." | "..")
}
