//! Package URLs, compared as OpenVEX tools do.

use std::collections::BTreeMap;

/// Package URL in its parts, without percent encoding: `pkg:apk/alpine/libexample@1.0.0-r0?arch=x86_64`.
#[derive(Debug, PartialEq, Eq)]
struct PackageUrl {
    /// Type, namespace and name; the type in lower case.
    name: String,
    version: Option<String>,
    qualifiers: BTreeMap<String, String>,
}

/// Returns whether a package is the one that `wanted` names: the same name, and the version and qualifiers that
/// `wanted` has.
pub(super) fn is_package(wanted: &str, package: &str) -> bool {
    let (Some(wanted), Some(package)) = (PackageUrl::parse(wanted), PackageUrl::parse(package))
    else {
        return false;
    };
    let is_version = wanted.version.is_none() || wanted.version == package.version;
    let mut qualifiers = wanted.qualifiers.iter();
    wanted.name == package.name
        && is_version
        && qualifiers.all(|(key, value)| package.qualifiers.get(key) == Some(value))
}

impl PackageUrl {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split('#').next()?;
        let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, path) = path.split_once('/')?;
        let last = path.rfind('/').map_or(0, |at| at + 1);
        let (path, version) = match path[last..].rfind('@') {
            Some(at) => (&path[..last + at], Some(&path[last + at + 1..])),
            None => (path, None),
        };
        let version = version.filter(|version| !version.is_empty());
        let pairs = qualifiers.split('&').filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_ascii_lowercase(), decode(value)))
        });
        Some(Self {
            name: format!("{}/{}", kind.to_ascii_lowercase(), decode(path)),
            version: version.map(decode),
            qualifiers: pairs.filter(|(_, value)| !value.is_empty()).collect(),
        })
    }
}

/// Decodes `%3A` to `:`.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match (first, after) {
            (b'%', [high, low, ..]) => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        let used = if code.is_some() { 3 } else { 1 };
        bytes.push(code.map_or(*first, |(high, low)| high * 16 + low));
        rest = &rest[used..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_compared_by_what_is_wanted_of_it() {
        let package = "pkg:apk/alpine/libexample@1.0.0-r0?arch=x86_64&distro=3.22.1";
        for (wanted, expected) in [
            (package, true),
            ("pkg:apk/alpine/libexample", true),
            ("pkg:APK/alpine/libexample@1.0.0-r0", true),
            ("pkg://apk/alpine/libexample@1.0.0%2Dr0#sub", true),
            ("pkg:apk/alpine/libexample?distro=3.22.1", true),
            ("pkg:apk/alpine/libexample@1.0.0", false),
            ("pkg:apk/alpine/libexample@1.0.0-r0?arch=aarch64", false),
            ("pkg:apk/alpine/libexample?epoch=1", false),
            ("pkg:apk/alpine/lib", false),
            ("pkg:apk/libexample", false),
            ("pkg:deb/alpine/libexample", false),
            ("libexample", false),
            ("pkg:apk", false),
            ("", false),
        ] {
            assert_eq!(is_package(wanted, package), expected, "{wanted}");
        }
        let scoped = "pkg:npm/%40angular/core@16.0.0";
        assert!(is_package("pkg:npm/@angular/core", scoped));
        assert!(!is_package("pkg:npm/@angular/core@17", scoped));
        assert!(is_package("pkg:npm/%40angular/core@16.0.0", scoped));
        assert_eq!(decode("%zz%4%40%"), "%zz%4@%");
    }
}
