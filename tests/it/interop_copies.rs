//! Copies between real registries, in every pairing of those with the referrers API and those without:
//! an image arrives with all that cosign, oras and BuildKit put beside it, as an independent client
//! reads it, and cosign verifies the copy. Left out of a plain `cargo test`; scripts/interop.sh starts
//! the servers and runs them.

use std::collections::{BTreeMap, BTreeSet};

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use serde_json::Value;
use shipmark::image::Digest;
use shipmark::referrers::ReferrerSelection;
use shipmark::release::ReleaseRequest;
use shipmark::tagging::TagRules;

use crate::interop_cosign::{Bench, FORMS};
use crate::support::*;

/// A type that travels only where all does.
const COFFEE: &str = "application/vnd.acme.coffee";
const SBOM: &str = "application/spdx+json";

/// The servers by name. zot takes part where there is one.
fn servers() -> Vec<(&'static str, String)> {
    let variables = [
        ("distribution", "SHIPMARK_TEST_REGISTRY"),
        ("distribution-2", "SHIPMARK_TEST_REGISTRY_2"),
        ("refregistry", "SHIPMARK_TEST_REFREGISTRY"),
        ("zot", "SHIPMARK_TEST_ZOT"),
    ];
    let address = |(name, variable)| Some((name, std::env::var(variable).ok()?));
    let servers: Vec<_> = variables.into_iter().filter_map(address).collect();
    assert!(servers.len() >= 3, "run scripts/interop.sh");
    servers
}

/// The images: BuildKit's attestations as artifacts and in their old form, and indexes in an index.
fn images() -> [(&'static str, String); 3] {
    let at = |form, file| format!("{form}:{}", image(file).display());
    let archive = |file| at("oci-archive", file);
    [
        ("artifacts", archive("buildkit-multi-provenance-max.tar")),
        ("old", archive("buildkit-single-provenance-min-slsa02.tar")),
        ("nested", at("oci", "regctl-nested-index") + ":top"),
    ]
}

/// What a repository has of an image, as another client reads it.
#[derive(Debug, Default)]
struct Graph {
    /// The bytes of manifests and blobs by digest.
    content: BTreeMap<String, Vec<u8>>,
    /// What is listed about its manifests and named by no index.
    listed: BTreeSet<Entry>,
    /// What cosign's older tags name.
    tagged: BTreeMap<String, String>,
}

/// An entry of a list of referrers.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    subject: String,
    digest: String,
    kind: String,
}

impl Graph {
    /// The same without what is listed of a type, and the layers that it alone has.
    fn without(mut self, kind: &str) -> Self {
        let (left, listed) = self
            .listed
            .into_iter()
            .partition(|entry| entry.kind == kind);
        self.listed = listed;
        let left: BTreeSet<Entry> = left;
        for entry in left {
            let bytes = self.content.remove(&entry.digest).unwrap();
            let manifest: Value = serde_json::from_slice(&bytes).unwrap();
            for layer in entries(&manifest, "layers") {
                self.content.remove(&word(&layer["digest"])).unwrap();
            }
        }
        self
    }

    /// What one has and the other has not, or has otherwise.
    fn difference(&self, other: &Self) -> Vec<String> {
        let lines = |graph: &Self| -> BTreeSet<String> {
            let content = graph.content.iter();
            let content =
                content.map(|(named, bytes)| format!("{named} {}", Digest::from_bytes(bytes)));
            let listed = graph.listed.iter().map(|entry| format!("{entry:?}"));
            let tagged = graph
                .tagged
                .iter()
                .map(|(tag, digest)| format!("{tag} {digest}"));
            content.chain(listed).chain(tagged).collect()
        };
        let (ours, theirs) = (lines(self), lines(other));
        let differing = ours.symmetric_difference(&theirs).cloned();
        differing.collect()
    }
}

struct Reader {
    client: Client,
    repository: String,
}

impl Reader {
    fn new(repository: &str) -> Self {
        // oci-client takes the process's provider, where shipmark names its own; a second call is no harm.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let config = ClientConfig {
            protocol: ClientProtocol::Http,
            ..Default::default()
        };
        Self {
            client: Client::new(config),
            repository: repository.to_owned(),
        }
    }

    fn reference(&self, target: &str) -> Reference {
        let separator = if target.contains(':') { '@' } else { ':' };
        let reference = format!("{}{separator}{target}", self.repository);
        reference.parse().unwrap()
    }

    /// Reads everything that hangs together with what a tag names.
    async fn graph(&self, tag: &str) -> Graph {
        let mut graph = Graph::default();
        let mut children = BTreeSet::new();
        let tags = self.tags().await;
        let mut next = vec![self.manifest(tag).await];
        while let Some((digest, bytes)) = next.pop() {
            let manifest: Value = serde_json::from_slice(&bytes).unwrap();
            if graph.content.insert(digest.clone(), bytes).is_some() {
                continue;
            }
            for child in entries(&manifest, "manifests") {
                let child = word(&child["digest"]);
                next.push(self.manifest(&child).await);
                children.insert(child);
            }
            for blob in entries(&manifest, "layers")
                .iter()
                .chain(manifest.get("config"))
            {
                let digest = word(&blob["digest"]);
                let bytes = self.blob(&digest).await;
                graph.content.insert(digest, bytes);
            }
            for entry in self.referrers(&digest).await {
                let (digest, bytes) = self.manifest(&word(&entry["digest"])).await;
                let manifest: Value = serde_json::from_slice(&bytes).unwrap();
                // cosign's own lists leave them out.
                let annotations = &entry["annotations"];
                assert!(annotations.is_null() || *annotations == manifest["annotations"]);
                graph.listed.insert(Entry {
                    subject: word(&manifest["subject"]["digest"]),
                    digest: digest.clone(),
                    // refregistry lists the type of the config.
                    kind: word(&manifest["artifactType"]),
                });
                next.push((digest, bytes));
            }
            for ending in [".sig", ".att", ".sbom"] {
                let tag = digest.replace(':', "-") + ending;
                if tags.contains(&tag) {
                    let tagged = self.manifest(&tag).await;
                    graph.tagged.insert(tag, tagged.0.clone());
                    next.push(tagged);
                }
            }
        }
        // A list that a registry keeps by itself has BuildKit's attestations too.
        let listed = &mut graph.listed;
        listed.retain(|entry| !children.contains(&entry.digest));
        graph
    }

    async fn tags(&self) -> Vec<String> {
        let (any, anonymous) = (self.reference("it"), RegistryAuth::Anonymous);
        let list = self.client.list_tags(&any, &anonymous, None, None).await;
        list.unwrap().tags
    }

    /// The digest and the bytes that it is of.
    async fn manifest(&self, target: &str) -> (String, Vec<u8>) {
        let accepted = [
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.oci.image.manifest.v1+json",
        ];
        let (reference, anonymous) = (self.reference(target), RegistryAuth::Anonymous);
        let answer = self
            .client
            .pull_manifest_raw(&reference, &anonymous, &accepted);
        let (bytes, digest) = answer
            .await
            .unwrap_or_else(|error| panic!("{reference}: {error}"));
        assert_eq!(
            Digest::from_bytes(&bytes).to_string(),
            digest,
            "{reference}"
        );
        (digest, bytes.to_vec())
    }

    async fn blob(&self, digest: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let any = self.reference("it");
        let pulled = self.client.pull_blob(&any, digest, &mut bytes).await;
        pulled.unwrap_or_else(|error| panic!("{any}: {digest}: {error}"));
        assert_eq!(Digest::from_bytes(&bytes).to_string(), digest);
        bytes
    }

    async fn referrers(&self, digest: &str) -> Vec<Value> {
        let of = self.reference(digest);
        let list = self.client.pull_referrers(&of, None).await;
        let list = list.unwrap_or_else(|error| panic!("{of}: {error}"));
        entries(&serde_json::to_value(list).unwrap(), "manifests")
    }
}

fn entries(of: &Value, key: &str) -> Vec<Value> {
    of[key].as_array().cloned().unwrap_or_default()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Puts beside the image what others' programs do: cosign's signatures, of each manifest, and its
/// attestations in both forms, and by oras an SBOM, one under the older tag, and what nobody knows.
fn decorate(bench: &Bench, place: &str, root: Digest) {
    let image = format!("{place}:it");
    for form in FORMS {
        bench.sign("ours", form, &image, &["--recursive"]);
        bench.attest("ours", form, &image);
    }
    let older = format!("{place}:{}.sbom", root.to_string().replace(':', "-"));
    for (verb, kind, target) in [
        ("attach", SBOM, &image),
        ("attach", COFFEE, &image),
        ("push", "text/spdx", &older),
    ] {
        let content = bench.file("content", kind);
        bench.oras(&[
            verb,
            "--plain-http",
            "--artifact-type",
            kind,
            target,
            content,
        ]);
    }
}

#[tokio::test]
#[ignore = "needs cosign, oras and registries of two kinds: scripts/interop.sh"]
async fn promise_1_images_arrive_with_all_beside_them_in_every_pairing() {
    let bench = Bench::new("pairs");
    let servers = servers();
    for (image, archive) in images() {
        for (from, host) in &servers {
            let source = bench.repository(host, &format!("{image}-from"));
            let root = released(
                push(&archive, &[&source], "refs/heads/main"),
                ReferrerSelection::None,
            )
            .await;
            decorate(&bench, &source, root);
            let listed = Reader::new(&source).graph("it").await.listed;
            let of_root = listed.iter().filter(|it| it.subject == root.to_string());
            assert_eq!(of_root.count(), 4, "{image} {from}: {listed:#?}");
            for (to, host) in &servers {
                for selection in [ReferrerSelection::Known, ReferrerSelection::All] {
                    let case = format!("{image} {from} {to} {selection:?}").to_lowercase();
                    let copy = bench.repository(host, &case.replace(' ', "-"));
                    let request = promote(&format!("{source}:it"), &[&copy], "refs/heads/main");
                    assert_eq!(released(request, selection).await, root, "{case}");
                    let there = Reader::new(&copy).graph("it").await;
                    let expected = Reader::new(&source).graph("it").await;
                    let expected = match selection {
                        ReferrerSelection::All => expected,
                        _ => expected.without(COFFEE),
                    };
                    assert_eq!(expected.difference(&there), [""; 0], "{case}");
                    for form in FORMS {
                        let image = format!("{copy}:it");
                        assert!(bench.verifies("ours", form, &image), "{case} {form:?}");
                        assert!(!bench.verifies("other", form, &image), "{case} {form:?}");
                        assert!(bench.attested("ours", form, &image), "{case} {form:?}");
                        assert!(!bench.attested("other", form, &image), "{case} {form:?}");
                    }
                }
            }
        }
    }
}

/// Releases the image under the tag `it`, and tells its digest.
async fn released(mut request: ReleaseRequest, selection: ReferrerSelection) -> Digest {
    request.rules = TagRules::parse(["it"]).unwrap();
    request.referrers = selection;
    done(request, &context()).await.root
}
