//! The real distribution registry after `prune` and its own garbage collection: what stays is whole for other clients,
//! and what went is gone from its disk. Left out of a plain `cargo test`; scripts/interop.sh runs it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::real_repository::RealRepository;
use super::stage::*;
use crate::interop_cosign::{Bench, FORMS, pushed};
use crate::registry::Profile;

/// A distribution registry with storage of its own, until it is dropped.
struct RealRegistry {
    folder: PathBuf,
    process: Child,
    address: String,
}

impl RealRegistry {
    fn start(folder: &Path) -> Self {
        let config = folder.join("config.yml");
        let storage = folder.join("storage");
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nhttp: {{addr: '127.0.0.1:0'}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}, delete: {{enabled: true}}}}\n",
            storage.display()
        );
        std::fs::write(&config, text).unwrap();
        let log = folder.join("log");
        let process = Command::new("registry")
            .arg("serve")
            .arg(&config)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("registry: {error}"));
        let address = wait_for_address(&log);
        Self {
            folder: folder.to_owned(),
            process,
            address,
        }
    }

    /// Stops it, lets it collect its garbage, and starts it again.
    fn collect_garbage(mut self, options: &[&str]) -> Self {
        self.stop();
        let output = Command::new("registry")
            .arg("garbage-collect")
            .args(options)
            .arg(self.folder.join("config.yml"))
            .env("OTEL_TRACES_EXPORTER", "none")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{options:?}: {errors}");
        Self::start(&self.folder)
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn has_blob(&self, digest: &str) -> bool {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let blobs = "storage/docker/registry/v2/blobs/sha256";
        let path = self.folder.join(blobs).join(&hex[..2]).join(hex);
        path.join("data").exists()
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until the log says which port the kernel chose.
fn wait_for_address(log: &Path) -> String {
    const MARK: &str = "listening on ";
    for _ in 0..200 {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        if let Some((_, rest)) = text.split_once(MARK) {
            let end = rest.find(|it: char| !it.is_ascii_digit() && !matches!(it, '.' | ':'));
            return rest[..end.unwrap_or(rest.len())].to_owned();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the registry did not come up: {}", log.display());
}

#[tokio::test]
#[ignore = "needs the distribution registry, crane and cosign: scripts/interop.sh"]
async fn what_stays_is_whole_after_the_registrys_own_garbage_collection() {
    let folder = tempfile::tempdir().unwrap();
    let mut registry = RealRegistry::start(folder.path());
    // An image of a pull request with signatures, and one that stays, by other clients.
    let stage = PruneStage::signed_pull_request(Profile::plain().referrers(false), true).await;
    let repository = RealRepository::fill_at(&stage, &registry.address, "collected").await;
    let (_, path) = repository.place.split_once('/').unwrap();
    // The example with attestations of BuildKit, signed and attested by cosign in both forms.
    let bench = Bench::new("collected");
    let image = pushed(&repository.place, None).await;
    for form in FORMS {
        bench.sign("ours", form, &image, &["--recursive"]);
        bench.attest("ours", form, &image);
    }
    let rules = rules([tagged("pr-*", Some(14)), untagged(Some(7))]);
    repository.apply(&rules).await;
    let (left, _) = repository.left().await;
    assert_eq!(left.into_iter().collect::<Vec<_>>(), ["other"]);
    for options in [&[][..], &["--delete-untagged"]] {
        registry = registry.collect_garbage(options);
        let place = format!("{}/{path}", registry.address);
        // The layers of the second one are no archives, so it is pulled and not validated.
        let whole = format!("{place}:it");
        bench.must_run("crane", &["validate", "--insecure", "--remote", &whole]);
        let (plain, pulled) = (format!("{place}:1.0.0"), format!("pulled{}", options.len()));
        let arguments = ["pull", "--insecure", "--format=oci", &plain, &pulled];
        bench.must_run("crane", &arguments);
        let image = format!("{place}:it");
        for form in FORMS {
            assert!(
                bench.verifies("ours", form, &image),
                "{options:?}: {form:?}"
            );
            assert!(
                bench.attested("ours", form, &image),
                "{options:?}: {form:?}"
            );
        }
        for name in ["I", "a", "b", "S(I)", "S(a)", "L(I)", "L(a)"] {
            assert!(
                !registry.has_blob(&stage.names[name]),
                "{options:?}: {name}"
            );
        }
        assert!(registry.has_blob(&stage.names["other"]));
        let layer = |name: &str| crate::registry::digest(format!("layer of {name}").as_bytes());
        assert!(!registry.has_blob(&layer("a")) && registry.has_blob(&layer("other")));
    }
}

/// The distribution registry, and zot where one is named.
const SERVERS: [&str; 2] = ["SHIPMARK_TEST_REGISTRY", "SHIPMARK_TEST_ZOT"];

#[tokio::test]
#[ignore = "needs real registries: scripts/interop.sh"]
async fn every_real_registry_deletes_an_image_with_all_that_belongs_to_it() {
    let rules = rules([tagged("pr-*", Some(14)), untagged(Some(7))]);
    let named = SERVERS
        .into_iter()
        .filter_map(|name| std::env::var(name).ok());
    let mut count = 0;
    for address in named {
        let stage = PruneStage::signed_pull_request(Profile::plain().referrers(false), true).await;
        stage.tag("pr-2", "other");
        let repository = RealRepository::fill_at(&stage, &address, "each").await;
        repository.apply(&rules).await;
        let (left, tags) = repository.left().await;
        assert_eq!(left.into_iter().collect::<Vec<_>>(), ["other"], "{address}");
        assert_eq!(tags.into_keys().collect::<Vec<_>>(), ["1.0.0"], "{address}");
        count += 1;
    }
    assert!(count >= 1, "run scripts/interop.sh");
}
