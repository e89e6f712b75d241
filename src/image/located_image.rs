//! Image of a repository or an image layout, by its tag or digest.

use super::{Destination, ImageSelector, ImageSource, TagOrDigest};

impl Destination {
    /// Returns whether it is the repository or layout that an image is in, by the same name.
    pub fn is_place_of(&self, image: &ImageSource) -> bool {
        match (self, image) {
            (Self::Registry(repository), ImageSource::Registry(reference)) => {
                *repository == reference.repository
            }
            (Self::Layout(own), ImageSource::Layout(path, _)) => own == path,
            _ => false,
        }
    }

    /// Returns the image that `target` is in this place.
    pub fn to_source(&self, target: TagOrDigest) -> ImageSource {
        match (self, target) {
            (Self::Registry(repository), target) => {
                ImageSource::Registry(repository.to_reference(target))
            }
            (Self::Layout(path), TagOrDigest::Tag(tag)) => {
                ImageSource::Layout(path.clone(), ImageSelector::Name(tag.to_string()))
            }
            (Self::Layout(path), TagOrDigest::Digest(digest)) => {
                ImageSource::Layout(path.clone(), ImageSelector::Digest(digest))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_written_as_its_place_with_tag_or_digest() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let targets = [
            TagOrDigest::Tag("1.4.0".parse().unwrap()),
            TagOrDigest::Digest(digest.parse().unwrap()),
        ];
        for place in ["ghcr.io/acme/web", "oci:dir"] {
            let place: Destination = place.parse().unwrap();
            let texts = targets
                .clone()
                .map(|target| place.to_source(target).to_string());
            assert_eq!(
                texts,
                [format!("{place}:1.4.0"), format!("{place}@{digest}")]
            );
        }
    }
}
