use semver::Version;

/// The full version that a git tag, a label or part of a branch's name is: `1.4.0`, `v1.4.0-rc.1`.
/// `1.4`, `V1.4.0` and `web/1.4.0` are none.
pub fn parse_version(text: &str) -> Option<Version> {
    Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
}
