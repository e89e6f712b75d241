use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

use super::{
    Digest, DigestError, Reference, ReferenceError, Repository, Tag, TagOrDigest, written_address,
};

/// Where an image can be read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSource {
    /// A registry reference: `ghcr.io/acme/web:1.4.0`, `ghcr.io/acme/web@sha256:…`.
    Registry(Reference),
    /// An OCI image layout directory: `oci:DIR[:NAME]` or `oci:DIR@sha256:…`.
    Layout(PathBuf, ImageSelector),
    /// A tar of an OCI image layout, perhaps gzipped: `oci-archive:FILE[:NAME]`.
    Archive(PathBuf, ImageSelector),
    /// What `docker save` and its like wrote, perhaps gzipped: `docker-archive:FILE[:NAME]` or
    /// `docker-archive:FILE@sha256:…`, the id of an image.
    DockerArchive(PathBuf, ImageSelector),
    /// An image of a Docker engine: `docker-daemon:NAME`.
    Daemon(DaemonImageName),
}

/// An image of a Docker engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DaemonImageName {
    /// By its name: `web:1.4`, short for `docker.io/library/web:1.4`.
    Name(Reference),
    /// By its id, the digest of its config or, with containerd, of its root.
    Id(Digest),
}

/// Which image of a layout is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageSelector {
    /// The only one there is.
    Only,
    /// The one with this name (`org.opencontainers.image.ref.name`, or the tag in it).
    Name(String),
    /// The one with this digest.
    Digest(Digest),
}

impl ImageSource {
    /// Returns the tag that the image was given by, if it was given by one.
    pub fn tag(&self) -> Option<Tag> {
        match self {
            Self::Registry(reference) | Self::Daemon(DaemonImageName::Name(reference)) => {
                match &reference.target {
                    TagOrDigest::Tag(tag) => Some(tag.clone()),
                    TagOrDigest::Digest(_) => None,
                }
            }
            Self::Layout(_, selector)
            | Self::Archive(_, selector)
            | Self::DockerArchive(_, selector) => match selector {
                ImageSelector::Name(name) => name.rsplit(':').next()?.parse().ok(),
                ImageSelector::Only | ImageSelector::Digest(_) => None,
            },
            Self::Daemon(DaemonImageName::Id(_)) => None,
        }
    }
}

/// Where an image can be released to: a repository with tags, on a registry or on disk.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// A repository of a registry.
    Registry(Repository),
    /// An OCI image layout directory: `oci:DIR`.
    Layout(PathBuf),
}

/// Why a text is no [`ImageSource`] or [`Destination`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageSourceError {
    /// It reads as a registry reference, but is none.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The digest after `@` is none.
    #[error("has a digest that {0}")]
    Digest(#[from] DigestError),
    /// No path after `oci:` or `oci-archive:`.
    #[error("has no path after {0}")]
    NoPath(&'static str),
    /// A form that other tools know and this one does not.
    #[error(
        "is of the form {0}, which is not supported: use a registry reference, oci:DIR, oci-archive:FILE, docker-archive:FILE or docker-daemon:NAME"
    )]
    Unsupported(String),
    /// The address of a registry or of a tool's transport, where a name was expected.
    #[error("begins with {scheme}, which is no part of a name{}", .meant.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default())]
    Address {
        /// How it begins.
        scheme: &'static str,
        /// The reference that it means, if any.
        meant: Option<String>,
    },
    /// A path without a form before it.
    #[error(
        "is a path: write oci:{0} for an image layout, oci-archive:{0} for a tar of one, docker-archive:{0} for the output of docker save"
    )]
    Path(String),
    /// Nothing can be released into an archive or a Docker engine.
    #[error("is {0}, which can only be read: release to oci:DIR instead")]
    ReadOnly(&'static str),
    /// A destination names a tag; tags are derived.
    #[error(
        "names a tag: give only the repository or directory; the tags are derived or come from the input tags"
    )]
    Tagged,
}

const LAYOUT_PREFIX: &str = "oci:";
const ARCHIVE_PREFIX: &str = "oci-archive:";
const DOCKER_ARCHIVE_PREFIX: &str = "docker-archive:";
const DAEMON_PREFIX: &str = "docker-daemon:";
/// Transports of skopeo and of later versions that would otherwise read as a registry with a port.
const UNSUPPORTED_PREFIXES: [&str; 4] = ["docker:", "dir:", "containers-storage:", "https:"];

impl FromStr for ImageSource {
    type Err = ImageSourceError;

    fn from_str(text: &str) -> Result<Self, ImageSourceError> {
        if let Some((scheme, rest)) = written_address::split_scheme(text) {
            let meant = written_address::name_in_address(rest);
            let meant = meant.filter(|name| name.parse::<Reference>().is_ok());
            Err(ImageSourceError::Address { scheme, meant })
        } else if written_address::is_path(text) {
            Err(ImageSourceError::Path(text.to_owned()))
        } else if let Some(rest) = text.strip_prefix(LAYOUT_PREFIX) {
            let (path, selector) = split_path_and_selector(rest, LAYOUT_PREFIX)?;
            Ok(Self::Layout(path, selector))
        } else if let Some(rest) = text.strip_prefix(ARCHIVE_PREFIX) {
            let (path, selector) = split_path_and_selector(rest, ARCHIVE_PREFIX)?;
            Ok(Self::Archive(path, selector))
        } else if let Some(rest) = text.strip_prefix(DOCKER_ARCHIVE_PREFIX) {
            let (path, selector) = split_path_and_selector(rest, DOCKER_ARCHIVE_PREFIX)?;
            Ok(Self::DockerArchive(path, selector))
        } else if let Some(name) = text.strip_prefix(DAEMON_PREFIX) {
            Ok(Self::Daemon(name.parse()?))
        } else if let Some(form) = UNSUPPORTED_PREFIXES
            .iter()
            .find(|form| text.starts_with(**form))
        {
            Err(ImageSourceError::Unsupported((*form).to_owned()))
        } else {
            Ok(Self::Registry(text.parse()?))
        }
    }
}

impl FromStr for Destination {
    type Err = ImageSourceError;

    fn from_str(text: &str) -> Result<Self, ImageSourceError> {
        match text.parse::<ImageSource>() {
            Ok(ImageSource::Layout(path, ImageSelector::Only)) => Ok(Self::Layout(path)),
            Ok(ImageSource::Layout(..)) => Err(ImageSourceError::Tagged),
            Ok(ImageSource::Archive(..) | ImageSource::DockerArchive(..)) => {
                Err(ImageSourceError::ReadOnly("an archive"))
            }
            Ok(ImageSource::Daemon(_)) => Err(ImageSourceError::ReadOnly("a Docker engine")),
            Ok(ImageSource::Registry(_)) => match text.parse() {
                Ok(repository) => Ok(Self::Registry(repository)),
                Err(ReferenceError::NotBare) => Err(ImageSourceError::Tagged),
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error),
        }
    }
}

impl FromStr for DaemonImageName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => Ok(Self::Name(text.parse()?)),
        }
    }
}

/// The path ends at the first colon, as in skopeo: what follows is a name, which may hold more.
fn split_path_and_selector(
    rest: &str,
    form: &'static str,
) -> Result<(PathBuf, ImageSelector), ImageSourceError> {
    let (path, selector) = if let Some((path, digest)) = rest.split_once("@sha256:") {
        (
            path,
            ImageSelector::Digest(format!("sha256:{digest}").parse()?),
        )
    } else if let Some((path, name)) = rest.split_once(':') {
        (path, ImageSelector::Name(name.to_owned()))
    } else {
        (rest, ImageSelector::Only)
    };
    if path.is_empty() {
        return Err(ImageSourceError::NoPath(form));
    }
    Ok((path.into(), selector))
}

impl fmt::Display for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => write!(f, "{reference}"),
            Self::Layout(path, selector) => {
                write!(f, "{LAYOUT_PREFIX}{}{selector}", path.display())
            }
            Self::Archive(path, selector) => {
                write!(f, "{ARCHIVE_PREFIX}{}{selector}", path.display())
            }
            Self::DockerArchive(path, selector) => {
                write!(f, "{DOCKER_ARCHIVE_PREFIX}{}{selector}", path.display())
            }
            Self::Daemon(image) => write!(f, "{DAEMON_PREFIX}{image}"),
        }
    }
}

impl fmt::Display for DaemonImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(reference) => write!(f, "{reference}"),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

impl fmt::Display for ImageSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Only => Ok(()),
            Self::Name(name) => write!(f, ":{name}"),
            Self::Digest(digest) => write!(f, "@{digest}"),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(repository) => write!(f, "{repository}"),
            Self::Layout(path) => write!(f, "{LAYOUT_PREFIX}{}", path.display()),
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_tell_layouts_archives_and_registries_apart() {
        let name = |text: &str| ImageSelector::Name(text.to_owned());
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for (text, location) in [
            (
                "oci:Out/Dev",
                ImageSource::Layout("Out/Dev".into(), ImageSelector::Only),
            ),
            (
                "oci:dev:1.4",
                ImageSource::Layout("dev".into(), name("1.4")),
            ),
            (
                "oci-archive:/tmp/x.tar:registry.example/a/b:1.4",
                ImageSource::Archive("/tmp/x.tar".into(), name("registry.example/a/b:1.4")),
            ),
            (
                &format!("oci:dev@sha256:{hex}"),
                ImageSource::Layout(
                    "dev".into(),
                    ImageSelector::Digest(format!("sha256:{hex}").parse().unwrap()),
                ),
            ),
        ] {
            assert_eq!(text.parse(), Ok(location), "{text}");
        }
        assert!(matches!(
            "oci/layout:1".parse(),
            Ok(ImageSource::Registry(_))
        ));
        for (text, shown) in [
            ("docker-archive:x.tar", "docker-archive:x.tar"),
            (
                "docker-daemon:web",
                "docker-daemon:docker.io/library/web:latest",
            ),
            (
                "docker-daemon:r.example:5000/a:1",
                "docker-daemon:r.example:5000/a:1",
            ),
            (
                &format!("docker-daemon:sha256:{hex}"),
                &format!("docker-daemon:sha256:{hex}"),
            ),
        ] {
            let location: ImageSource = text.parse().unwrap();
            assert_eq!(location.to_string(), shown);
        }
    }

    #[test]
    fn malformed_locations_are_refused_with_their_reason() {
        for (text, error) in [
            ("oci:", ImageSourceError::NoPath("oci:")),
            ("oci-archive::x", ImageSourceError::NoPath("oci-archive:")),
            (
                "docker-archive::x",
                ImageSourceError::NoPath("docker-archive:"),
            ),
            (
                "docker-daemon:",
                ImageSourceError::Reference(ReferenceError::Empty),
            ),
            ("dir:x", ImageSourceError::Unsupported("dir:".into())),
            ("docker:x", ImageSourceError::Unsupported("docker:".into())),
        ] {
            assert_eq!(text.parse::<ImageSource>(), Err(error), "{text}");
        }
    }

    #[test]
    fn an_address_says_which_name_it_means() {
        for (text, message) in [
            (
                "docker://ghcr.io/acme/web:1.4",
                "begins with docker://, which is no part of a name; did you mean ghcr.io/acme/web:1.4?",
            ),
            (
                "https://ghcr.io/v2/acme/web/",
                "begins with https://, which is no part of a name; did you mean ghcr.io/acme/web?",
            ),
            (
                "http://localhost:5000/web",
                "begins with http://, which is no part of a name; did you mean localhost:5000/web?",
            ),
            (
                "oci://ghcr.io/acme/web",
                "begins with oci://, which is no part of a name; did you mean ghcr.io/acme/web?",
            ),
            (
                "https://ghcr.io",
                "begins with https://, which is no part of a name",
            ),
            (
                "./image.tar",
                "is a path: write oci:./image.tar for an image layout, oci-archive:./image.tar for a tar of one, docker-archive:./image.tar for the output of docker save",
            ),
        ] {
            let error = text.parse::<ImageSource>().unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
            let error = text.parse::<Destination>().unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
        }
        assert!("oci:///srv/web".parse::<ImageSource>().is_ok());
    }

    #[test]
    fn a_destination_is_a_place_without_a_tag() {
        assert_eq!("oci:Prod".parse(), Ok(Destination::Layout("Prod".into())));
        for (text, error) in [
            ("ghcr.io/a/b:1", ImageSourceError::Tagged),
            ("oci:prod:1", ImageSourceError::Tagged),
            (
                "oci-archive:x.tar",
                ImageSourceError::ReadOnly("an archive"),
            ),
            (
                "docker-daemon:web",
                ImageSourceError::ReadOnly("a Docker engine"),
            ),
        ] {
            assert_eq!(text.parse::<Destination>(), Err(error), "{text}");
        }
    }
}
