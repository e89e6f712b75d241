//! Addresses and paths that people write where the name of an image or a registry is expected.

/// Schemes of addresses and transports that stand before a name.
const SCHEMES: [&str; 4] = ["https://", "http://", "docker://", "oci://"];

/// Returns the scheme that a text begins with, and the text after it. `oci:///DIR` is a directory.
pub(super) fn split_scheme(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = SCHEMES
        .iter()
        .find_map(|scheme| Some((*scheme, text.strip_prefix(scheme)?)))?;
    (scheme != "oci://" || !rest.starts_with('/')).then_some((scheme, rest))
}

/// Returns the name that an address may mean, such as `ghcr.io/acme/web:1.4.0` of the text after `https://`
/// in `https://ghcr.io/v2/acme/web:1.4.0`.
pub(super) fn name_in_address(rest: &str) -> Option<String> {
    let (host, path) = rest.split_once('/')?;
    let path = path.strip_prefix("v2/").unwrap_or(path);
    Some(format!("{host}/{}", path.trim_end_matches('/')))
}

/// Returns the host in an address, or before the path of a repository; `None` of a host alone.
pub(super) fn host_in_address(text: &str) -> Option<&str> {
    let rest = split_scheme(text).map_or(text, |(_, rest)| rest);
    let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
    let is_host = host.contains(['.', ':']) || host == "localhost";
    (host != text && is_host).then_some(host)
}

/// Returns whether a text is the path of a file or directory: no name of an image begins so.
pub(super) fn is_path(text: &str) -> bool {
    ["/", "./", "../", "~/"]
        .iter()
        .any(|start| text.starts_with(start))
        || matches!(text, "." | "..")
}
