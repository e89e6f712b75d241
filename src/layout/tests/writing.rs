use std::io;

use futures_util::StreamExt;
use proptest::prelude::*;

use super::*;
use crate::image::{ImageSelector, Tag};

const CONFIG: &[u8] = b"{}";

fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// A new layout that has the config of [`image`]s.
async fn with_config() -> (tempfile::TempDir, LayoutDirectory) {
    let directory = tempfile::tempdir().unwrap();
    let layout = LayoutDirectory::new(directory.path().join("new/layout"));
    layout
        .write_blob(&descriptor(CONFIG), pieces(CONFIG, 1))
        .await
        .unwrap();
    (directory, layout)
}

/// The files of our own that are left, the lock aside.
fn leftovers(layout: &LayoutDirectory) -> Vec<String> {
    let corner = fs::read_dir(layout.path().join(".shipmark")).unwrap();
    let names = corner.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "lock").collect()
}

#[tokio::test]
async fn an_absent_layout_has_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let layout = LayoutDirectory::new(directory.path().join("absent"));
    assert_eq!(layout.resolve_tag(&tag("1")).await.unwrap(), None);
    assert_eq!(layout.tags().await.unwrap(), []);
    assert!(
        layout
            .get_manifest(Digest::from_bytes(b""))
            .await
            .unwrap()
            .is_none()
    );
    assert!(!layout.has_blob(&descriptor(b"")).await.unwrap());
    assert!(!layout.path().exists());
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    let (_directory, layout) = with_config().await;
    let manifest = image(CONFIG, "one");
    let written = layout
        .write_tag(&tag("1.4.0"), &manifest, TagPrecondition::AbsentOrSame)
        .await;
    assert_eq!(written.unwrap(), TagWriteResult::Written { previous: None });
    let layout = LayoutDirectory::open(layout.path()).await.unwrap();
    assert_eq!(
        layout.resolve_tag(&tag("1.4.0")).await.unwrap(),
        Some(manifest.digest)
    );
    assert_eq!(
        layout.select_image(&ImageSelector::Only).await.unwrap(),
        manifest.digest
    );
    let read = layout.get_manifest(manifest.digest).await.unwrap().unwrap();
    assert_eq!(read.bytes, manifest.bytes);
    assert_eq!(layout.check(manifest.digest).await.unwrap().blobs, 1);
    let chunks: Vec<_> = layout
        .open_blob(&descriptor(CONFIG))
        .await
        .unwrap()
        .collect()
        .await;
    assert_eq!(
        chunks
            .into_iter()
            .map(Result::unwrap)
            .collect::<Vec<_>>()
            .concat(),
        CONFIG
    );
    assert_eq!(leftovers(&layout), Vec::<String>::new());
}

#[tokio::test]
async fn a_wrong_blob_is_named_and_leaves_nothing() {
    let (_directory, layout) = with_config().await;
    let good = vec![7; 300_000];
    let wanted = descriptor(&good);
    let mut flipped = good.clone();
    flipped[299_999] ^= 1;
    let long = [&good[..], b"x"].concat();
    for (bytes, message) in [
        (
            &flipped[..],
            "is damaged: its content has the digest sha256:",
        ),
        (&good[1..], "has 299999 bytes, expected 300000"),
        (&long, "has 300001 bytes, expected 300000"),
    ] {
        let error = layout
            .write_blob(&wanted, pieces(bytes, 10_000))
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(&format!("blob {} {message}", wanted.digest)),
            "{text}"
        );
        assert!(!layout.has_blob(&wanted).await.unwrap());
        assert_eq!(leftovers(&layout), Vec::<String>::new());
    }
}

/// As in the caches that BuildKit once exported.
#[tokio::test]
async fn an_index_of_blobs_needs_them_too() {
    let (_directory, layout) = with_config().await;
    let index = |blob: &[u8]| {
        let blob = descriptor(blob);
        let json = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{}","size":{}}}]}}"#,
            blob.media_type, blob.digest, blob.size
        );
        Manifest::parse(json.into(), None).unwrap()
    };
    let cache = index(CONFIG);
    layout.write_manifest(&cache).await.unwrap();
    assert_eq!(layout.check(cache.digest).await.unwrap().blobs, 1);
    fs::remove_file(blob_path(&layout, Digest::from_bytes(CONFIG))).unwrap();
    let error = layout.check(cache.digest).await.unwrap_err().to_string();
    let message = format!(
        "blob {} of manifest {} is missing",
        Digest::from_bytes(CONFIG),
        cache.digest
    );
    assert!(error.contains(&message), "{error}");
}

#[tokio::test]
async fn an_untagged_image_is_found_by_its_digest() {
    let (_directory, layout) = with_config().await;
    let manifest = image(CONFIG, "one");
    layout.write_manifest(&manifest).await.unwrap();
    let layout = LayoutDirectory::open(layout.path()).await.unwrap();
    let by_digest = layout
        .select_image(&ImageSelector::Digest(manifest.digest))
        .await;
    assert_eq!(by_digest.unwrap(), manifest.digest);
    let error = layout
        .select_image(&ImageSelector::Name("1".into()))
        .await
        .unwrap_err();
    assert!(matches!(error.fault, LayoutFault::NoImage), "{error}");
}

#[tokio::test]
async fn an_endless_stream_is_given_up() {
    let (_directory, layout) = with_config().await;
    let endless = stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[0; 4096])));
    let error = layout
        .write_blob(&descriptor(b"short"), endless)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("expected 5"), "{error}");
}

#[tokio::test]
async fn a_failing_source_is_told_from_a_failing_layout() {
    let (_directory, layout) = with_config().await;
    let reset = stream::iter([Ok(Bytes::from_static(b"a")), Err(io::Error::other("reset"))]);
    let error = layout
        .write_blob(&descriptor(b"ab"), reset)
        .await
        .unwrap_err();
    assert!(matches!(error, BlobWriteError::Source(_)), "{error}");
    assert_eq!(leftovers(&layout), Vec::<String>::new());
}

#[tokio::test]
async fn a_blob_that_is_there_is_not_read_again_but_a_broken_one_is_mended() {
    let (_directory, layout) = with_config().await;
    let unread = stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, io::Error>>> {
        panic!("the stream was read")
    });
    layout
        .write_blob(&descriptor(CONFIG), unread)
        .await
        .unwrap();
    let place = blob_path(&layout, Digest::from_bytes(CONFIG));
    fs::write(&place, "{").unwrap();
    layout
        .write_blob(&descriptor(CONFIG), pieces(CONFIG, 8))
        .await
        .unwrap();
    assert_eq!(fs::read(place).unwrap(), CONFIG);
}

#[tokio::test]
async fn a_manifest_needs_what_it_names() {
    let directory = tempfile::tempdir().unwrap();
    let layout = LayoutDirectory::new(directory.path());
    let manifest = image(b"absent", "one");
    for result in [
        layout.write_manifest(&manifest).await,
        layout
            .write_tag(&tag("1"), &manifest, TagPrecondition::Any)
            .await
            .map(|_| true),
    ] {
        let error = result.unwrap_err().to_string();
        let config = Digest::from_bytes(b"absent");
        let message = format!(
            "{config}, which manifest {} names, is missing",
            manifest.digest
        );
        assert!(error.contains(&message), "{error}");
    }
    assert_eq!(layout.tags().await.unwrap(), []);
}

#[tokio::test]
async fn an_immutable_tag_stays_and_a_moving_one_moves() {
    let (_directory, layout) = with_config().await;
    let (one, two) = (image(CONFIG, "one"), image(CONFIG, "two"));
    let write = |manifest, expect| {
        let layout = layout.clone();
        async move { layout.write_tag(&tag("1.4.0"), manifest, expect).await }
    };
    write(&one, TagPrecondition::AbsentOrSame).await.unwrap();
    for expect in [TagPrecondition::AbsentOrSame, TagPrecondition::Any] {
        assert_eq!(
            write(&one, expect).await.unwrap(),
            TagWriteResult::Unchanged
        );
    }
    let error = write(&two, TagPrecondition::AbsentOrSame)
        .await
        .unwrap_err();
    let LayoutFault::TagConflict { there, wanted, .. } = &error.fault else {
        panic!("{error}");
    };
    assert_eq!((*there, *wanted), (one.digest, two.digest));
    assert_eq!(
        layout.resolve_tag(&tag("1.4.0")).await.unwrap(),
        Some(one.digest)
    );
    let moved = write(&two, TagPrecondition::Any).await.unwrap();
    assert_eq!(
        moved,
        TagWriteResult::Written {
            previous: Some(one.digest)
        }
    );
    assert_eq!(
        layout.resolve_tag(&tag("1.4.0")).await.unwrap(),
        Some(two.digest)
    );
    assert!(layout.get_manifest(one.digest).await.unwrap().is_some());
}

#[tokio::test]
async fn what_others_wrote_into_the_index_stays() {
    let (_directory, layout) = with_config().await;
    let mut foreign: serde_json::Value = serde_json::from_str(
        r#"{"schemaVersion":2,"x-own":{"a":[1]},"annotations":{"k":"v"},"manifests":[
            {"digest":"sha512:00","size":1,"x-entry":true},
            {"mediaType":"m","digest":"sha256:aa","size":1,"annotations":{"org.opencontainers.image.ref.name":"old","other":"2"},"platform":{"os":"linux"}}]}"#,
    )
    .unwrap();
    fs::write(layout.path().join(INDEX_FILE), foreign.to_string()).unwrap();
    let manifest = image(CONFIG, "one");
    for name in ["1", "2"] {
        layout
            .write_tag(&tag(name), &manifest, TagPrecondition::Any)
            .await
            .unwrap();
    }
    let text = fs::read(layout.path().join(INDEX_FILE)).unwrap();
    let mut now: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let added = now["manifests"].as_array_mut().unwrap().split_off(2);
    assert_eq!(now, foreign.take());
    assert_eq!(added.len(), 2);
    assert_eq!(
        added[0]["annotations"]["org.opencontainers.image.ref.name"],
        "1"
    );
    let old = layout
        .write_tag(&tag("old"), &manifest, TagPrecondition::Any)
        .await
        .unwrap_err();
    assert!(
        old.to_string()
            .contains("names \"sha256:aa\", which needs 64"),
        "{old}"
    );
}

#[tokio::test]
async fn a_directory_of_something_else_is_not_written_to() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("Cargo.toml"), "").unwrap();
    let layout = LayoutDirectory::new(directory.path());
    let error = layout
        .write_blob(&descriptor(CONFIG), pieces(CONFIG, 1))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("contains \"Cargo.toml\""),
        "{error}"
    );
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn new_files_can_be_read_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, layout) = with_config().await;
    layout
        .write_tag(&tag("1"), &image(CONFIG, "one"), TagPrecondition::Any)
        .await
        .unwrap();
    fs::write(directory.path().join("plain"), "").unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
    let plain = mode(&directory.path().join("plain"));
    for path in [
        layout.path().join(INDEX_FILE),
        layout.path().join(LAYOUT_FILE),
        blob_path(&layout, Digest::from_bytes(CONFIG)),
    ] {
        assert_eq!(mode(&path), plain, "{}", path.display());
    }
}

#[tokio::test]
async fn what_dead_runs_left_is_removed_and_what_live_ones_write_is_not() {
    let (_directory, layout) = with_config().await;
    let corner = layout.path().join(".shipmark");
    let dead = format!("tmp-{}", "0a".repeat(16));
    fs::write(corner.join(dead), "half a blob").unwrap();
    let live = layout.create_temporary().unwrap();
    layout
        .write_tag(&tag("1"), &image(CONFIG, "one"), TagPrecondition::Any)
        .await
        .unwrap();
    assert_eq!(leftovers(&layout), [live.name()]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the pieces, a blob comes back as it went in.
    #[test]
    fn blobs_survive_any_cut(bytes in prop::collection::vec(any::<u8>(), 0..400_000), size in 1_usize..300_000) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let layout = LayoutDirectory::new(directory.path());
            let blob = descriptor(&bytes);
            layout.write_blob(&blob, pieces(&bytes, size)).await.unwrap();
            let chunks: Vec<_> = layout.open_blob(&blob).await.unwrap().collect().await;
            let chunks: Vec<Bytes> = chunks.into_iter().map(Result::unwrap).collect();
            assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK_SIZE));
            assert_eq!(chunks.concat(), bytes);
        });
    }

    #[test]
    fn any_index_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = LayoutIndex::parse(&bytes);
    }

    /// The index of a real layout with something in it replaced.
    #[test]
    fn any_mutated_index_is_read_or_refused(at in 0_usize..700, with in "[\\[\\]{}:,\"a0-]{0,4}") {
        let mut text = fs::read_to_string(fixture("buildkit-layout-annotated/index.json")).unwrap();
        let end = (at + with.len()).min(text.len());
        text.replace_range(at.min(end)..end, &with);
        if let Ok(mut index) = LayoutIndex::parse(text.as_bytes()) {
            let manifest = image(CONFIG, "one");
            index.set_tag(&tag("1.4.2"), &manifest);
            let again = LayoutIndex::parse(&index.to_bytes()).unwrap();
            assert_eq!(again.digests_of_tag(&tag("1.4.2")).unwrap(), [manifest.digest]);
        }
    }
}
