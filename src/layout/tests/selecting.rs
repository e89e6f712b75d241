use super::*;
use crate::image::ImageSelector;

async fn select(name: &str, selector: &ImageSelector) -> Result<String, String> {
    let path = fixture(name);
    let digest = if path.is_dir() {
        LayoutDirectory::open(path)
            .await
            .unwrap()
            .select_image(selector)
            .await
    } else {
        let archive =
            crate::archive::ImageArchive::open(path, &crate::archive::Unpacking::default())
                .await
                .unwrap();
        archive.select_image(selector).await
    };
    match digest {
        Ok(digest) => Ok(digest.to_hex()[..12].to_owned()),
        Err(error) => Err(error.fault.to_string()),
    }
}

/// A layout of entries as they are given, without blobs.
fn layout_of(entries: &str) -> (tempfile::TempDir, LayoutDirectory) {
    let directory = tempfile::tempdir().unwrap();
    let index = format!(r#"{{"schemaVersion":2,"manifests":[{entries}]}}"#);
    fs::write(directory.path().join(INDEX_FILE), index).unwrap();
    fs::write(
        directory.path().join(LAYOUT_FILE),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
    let layout = LayoutDirectory::new(directory.path());
    (directory, layout)
}

fn entry(digit: &str, annotations: &str) -> String {
    let digest = digit.repeat(64);
    format!(r#"{{"digest":"sha256:{digest}","size":1,"annotations":{{{annotations}}}}}"#)
}

#[tokio::test]
async fn the_only_image_is_found_among_its_referrers() {
    for (name, digest) in [
        ("buildkit-multi.tar", "cc1d754f7abe"),
        ("buildkit-multi.tar.gz", "cc1d754f7abe"),
        ("buildkit-single-noname.tar", "d7e20a29fb98"),
        ("buildkit-layout-annotated", "0f753d996965"),
        ("docker29-containerd-save-multi.tar", "7674676db7b2"),
        ("docker29-graphdriver-save-two-tags.tar", "e9a0c321d3ce"),
        ("regctl-artifact-layout", "41ae67453eeb"),
        ("regctl-layout-signed", "7674676db7b2"),
    ] {
        assert_eq!(
            select(name, &ImageSelector::Only).await.as_deref(),
            Ok(digest),
            "{name}"
        );
    }
}

/// The index was read for every manifest: of a fleet's layout, thousands of entries each time.
#[tokio::test]
async fn the_index_is_read_for_a_manifest_only_where_that_does_not_say_its_type() {
    let index = |of: &str| format!(r#"{{"schemaVersion":2{of},"manifests":[]}}"#);
    let told = index(r#","mediaType":"application/vnd.oci.image.index.v1+json""#);
    let untold = index("");
    let list = "application/vnd.docker.distribution.manifest.list.v2+json";
    let digest = Digest::from_bytes(untold.as_bytes());
    let entry = format!(r#"{{"mediaType":"{list}","digest":"{digest}","size":1}}"#);
    let (directory, layout) = layout_of(&entry);
    fs::create_dir_all(directory.path().join(BLOB_DIRECTORY)).unwrap();
    for bytes in [&told, &untold] {
        fs::write(
            blob_path(&layout, Digest::from_bytes(bytes.as_bytes())),
            bytes,
        )
        .unwrap();
    }
    let found = layout.get_manifest(digest).await.unwrap().unwrap();
    assert_eq!(found.media_type.as_str(), list);
    fs::write(directory.path().join(INDEX_FILE), "no JSON").unwrap();
    let digest_of_told = Digest::from_bytes(told.as_bytes());
    assert!(layout.get_manifest(digest_of_told).await.unwrap().is_some());
    assert!(layout.get_manifest(digest).await.is_err());
}

#[tokio::test]
async fn several_images_are_listed_by_name_or_digest() {
    let several = "contains several images; select one, such as oci:DIR:NAME or oci:DIR@DIGEST:";
    for (name, list) in [
        ("regctl-nested-index", "leaf1, leaf2, top"),
        ("skopeo-oci-dir", "1.4.2, arm64-only"),
        (
            "crane-pull-oci-layout",
            "@sha256:5fa2be1f8aa9245829066ca38f882155a8c8bf38c722345ef60ebd284c7e3348, \
             @sha256:ddb1ddd3ffb4e17d53151afe7cabc865aeaeb0d993d7e8793a9324864431a745",
        ),
    ] {
        let error = select(name, &ImageSelector::Only).await.unwrap_err();
        assert_eq!(error, format!("{several} {list}"));
    }
}

#[tokio::test]
async fn an_image_is_found_by_any_of_its_names() {
    let named = |text: &str| ImageSelector::Name(text.to_owned());
    for (fixture, name, digest) in [
        ("regctl-nested-index", "top", "ca3a8a325659"),
        ("regctl-nested-index", "leaf2", "7674676db7b2"),
        ("skopeo-oci-dir", "arm64-only", "b4593c79a0ab"),
        ("buildkit-layout-annotated", "1.4", "0f753d996965"),
        (
            "buildkit-layout-annotated",
            "registry.example/team/fixture:1.4",
            "0f753d996965",
        ),
        ("buildkit-multi.tar", "1.4.2", "cc1d754f7abe"),
        (
            "docker29-graphdriver-save-two-tags.tar",
            "1.4",
            "e9a0c321d3ce",
        ),
        (
            "regctl-layout-signed",
            "sha256-7674676db7b2ca40718eec7b581683075644c51c5ecf2e73da443bd00873b4bd.sig",
            "00776ca153a1",
        ),
    ] {
        assert_eq!(
            select(fixture, &named(name)).await.as_deref(),
            Ok(digest),
            "{name}"
        );
    }
    assert_eq!(
        select("skopeo-oci-dir", &named("1.4")).await.unwrap_err(),
        r#"has no image named "1.4"; there are 1.4.2, arm64-only"#
    );
    assert_eq!(
        select("buildkit-single-noname.tar", &named("1.4"))
            .await
            .unwrap_err(),
        r#"has no image named "1.4"; its images have no names"#
    );
}

#[tokio::test]
async fn an_image_is_found_by_the_digest_of_any_manifest() {
    let child = "sha256:b4593c79a0abb80d3e796a5643c03f47fbb8d7eafbfb0410ce9b83f606e0d001";
    let selector = ImageSelector::Digest(child.parse().unwrap());
    assert_eq!(
        select("buildkit-multi.tar", &selector).await.as_deref(),
        Ok("b4593c79a0ab")
    );
    let selector = ImageSelector::Digest(Digest::from_bytes(b"nothing"));
    let error = select("buildkit-multi.tar", &selector).await.unwrap_err();
    assert_eq!(
        error,
        format!("has no manifest {}", Digest::from_bytes(b"nothing"))
    );
}

#[tokio::test]
async fn entries_that_belong_to_others_do_not_count() {
    for annotation in [
        r#""vnd.docker.reference.type":"attestation-manifest""#,
        r#""io.containerd.manifest.subject":"sha256:aa""#,
        &format!(
            r#""org.opencontainers.image.ref.name":"sha256-{}.att""#,
            "a".repeat(64)
        ),
        &format!(
            r#""org.opencontainers.image.ref.name":"x/y:sha256-{}""#,
            "a".repeat(64)
        ),
    ] {
        let (_directory, layout) =
            layout_of(&format!("{},{}", entry("a", ""), entry("b", annotation)));
        let digest = layout.select_image(&ImageSelector::Only).await.unwrap();
        assert_eq!(digest.to_hex(), "a".repeat(64), "{annotation}");
        let (_directory, layout) = layout_of(&entry("b", annotation));
        let error = layout.select_image(&ImageSelector::Only).await.unwrap_err();
        assert!(matches!(error.fault, LayoutFault::NoImage), "{error}");
    }
}

/// oras gives every manifest that it copies an entry of its own.
#[tokio::test]
async fn platforms_and_referrers_without_a_name_do_not_count() {
    let directory = copy("regctl-layout-signed");
    let index = fs::read_to_string(directory.path().join(INDEX_FILE)).unwrap();
    let unnamed = |digest: &str, size: u64| {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{digest}","size":{size}}},"#
        )
    };
    let more = [
        unnamed(
            "d7e20a29fb984726614e20887ab463613b90a2ecb7b4e3ab322a6ec6abbeac7d",
            1382,
        ),
        unnamed(
            "b4593c79a0abb80d3e796a5643c03f47fbb8d7eafbfb0410ce9b83f606e0d001",
            1382,
        ),
        unnamed(
            "3a0afe4932d55d396766d1bc68c3d6534a1880792e9585d7302e25e5990f472f",
            875,
        ),
    ];
    let index = index.replacen('[', &format!("[{}", more.concat()), 1);
    fs::write(directory.path().join(INDEX_FILE), index).unwrap();
    let layout = LayoutDirectory::open(directory.path()).await.unwrap();
    let digest = layout.select_image(&ImageSelector::Only).await.unwrap();
    assert_eq!(&digest.to_hex()[..12], "7674676db7b2");
}

#[tokio::test]
async fn one_name_for_two_images_is_an_error() {
    let name = |text: &str| format!(r#""org.opencontainers.image.ref.name":"{text}""#);
    let (_directory, layout) = layout_of(&format!(
        "{},{}",
        entry("a", &name("x/a:1.4")),
        entry("b", &name("x/b:1.4"))
    ));
    let error = layout
        .select_image(&ImageSelector::Name("1.4".into()))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("several images named \"1.4\""),
        "{error}"
    );
    let whole = layout
        .select_image(&ImageSelector::Name("x/b:1.4".into()))
        .await
        .unwrap();
    assert_eq!(whole.to_hex(), "b".repeat(64));
    let (_directory, layout) = layout_of(&format!(
        "{},{}",
        entry("a", &name("1")),
        entry("b", &name("1"))
    ));
    let error = layout.resolve_tag(&"1".parse().unwrap()).await.unwrap_err();
    assert!(
        matches!(error.fault, LayoutFault::Ambiguous { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn malformed_layouts_are_refused_with_their_reason() {
    let marker = r#"{"imageLayoutVersion":"1.0.0"}"#;
    for (marker, index, message) in [
        (None, Some("{}"), "it has no file oci-layout"),
        (Some(marker), None, "has no index.json"),
        (Some("{"), Some("{}"), "oci-layout is not valid"),
        (
            Some(r#"{"imageLayoutVersion":"2.0"}"#),
            Some("{}"),
            "of version \"2.0\"; only 1.x",
        ),
        (Some(marker), Some("["), "is not a JSON object"),
        (
            Some(marker),
            Some(r#"{"manifests":{}}"#),
            "a member manifests that is not a list",
        ),
        (
            Some(marker),
            Some(r#"{"manifests":[{}]}"#),
            "entry without a digest",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in [(LAYOUT_FILE, marker), (INDEX_FILE, index)] {
            if let Some(content) = content {
                fs::write(directory.path().join(name), content).unwrap();
            }
        }
        let error = LayoutDirectory::open(directory.path())
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{error}");
        assert!(
            error.starts_with(&directory.path().display().to_string()),
            "{error}"
        );
    }
    let error = LayoutDirectory::open(fixture("absent")).await.unwrap_err();
    assert!(matches!(error.fault, LayoutFault::Absent));
    let error = LayoutDirectory::open(fixture("expected.json"))
        .await
        .unwrap_err();
    assert!(matches!(error.fault, LayoutFault::NotADirectory));
    let error = LayoutDirectory::open(fixture("skopeo-dir-docker-list"))
        .await
        .unwrap_err();
    assert!(matches!(error.fault, LayoutFault::NoLayoutFile));
}

#[tokio::test]
async fn an_entry_with_another_digest_algorithm_is_named() {
    let (_directory, layout) = layout_of(r#"{"digest":"sha512:00","size":1}"#);
    let error = layout.select_image(&ImageSelector::Only).await.unwrap_err();
    assert_eq!(
        error.fault.to_string(),
        "its index.json names \"sha512:00\", which uses the digest algorithm sha512; only sha256 is supported"
    );
}

#[tokio::test]
async fn a_layout_without_images_says_so() {
    let (_directory, layout) = layout_of("");
    let error = layout.select_image(&ImageSelector::Only).await.unwrap_err();
    assert_eq!(error.fault.to_string(), "its index.json names no image");
}

#[tokio::test]
async fn a_manifest_over_the_limit_is_not_read() {
    let bytes = vec![b' '; crate::image::MANIFEST_LIMIT + 1];
    let digest = Digest::from_bytes(&bytes);
    let (directory, layout) = layout_of(&entry("a", ""));
    fs::create_dir_all(directory.path().join(BLOB_DIRECTORY)).unwrap();
    fs::write(
        directory.path().join(BLOB_DIRECTORY).join(digest.to_hex()),
        bytes,
    )
    .unwrap();
    let error = layout.get_manifest(digest).await.unwrap_err();
    assert_eq!(
        error.fault.to_string(),
        format!("manifest {digest} is larger than 8 MiB")
    );
}
