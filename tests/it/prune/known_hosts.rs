//! Registries that are known by their host to delete in another way.

use std::collections::BTreeMap;

use shipmark::image::{RegistryVendor, Tag};
use shipmark::prune::{PlanFile, PruneOutcome, PrunePlan, apply_prune, plan_prune};
use shipmark::release::{Failure, ReleaseContext};
use shipmark::retention::{KeepReason, RetentionRules, TagFate};

use super::stage::*;
use crate::support::far_registry::far_registry;
use crate::support::*;

const ECR: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const REFUSAL: &str = "GHCR deletes by its own API alone";

/// A registry under another name. The rules condemn the image `old`, and the tag `pr-1` of an image that stays.
struct FarStage {
    stage: PruneStage,
    context: ReleaseContext,
    place: String,
    _authority: tempfile::TempDir,
}

impl FarStage {
    async fn new(host: &str) -> Self {
        let (registry, settings, authority) = far_registry(host).await;
        let names = BTreeMap::new();
        let mut stage = PruneStage {
            registry: registry.into(),
            names,
        };
        stage.image("a", 30);
        stage.image("b", 30);
        stage.index("I", &["a", "b"]);
        stage.image("old", 30);
        for (tag, name) in [("1.0.0", "I"), ("pr-1", "a"), ("pr-2", "old")] {
            stage.tag(tag, name);
        }
        Self {
            stage,
            context: context_with(settings).0,
            place: format!("{host}/{WEB}"),
            _authority: authority,
        }
    }

    async fn plan(&self, rules: RetentionRules) -> PrunePlan {
        let request = request_for(&self.place, rules);
        plan_prune(&request, &self.context).await.unwrap()
    }

    async fn apply(&self, rules: RetentionRules, file: &PlanFile) -> Result<PruneOutcome, Failure> {
        let request = request_for(&self.place, rules);
        apply_prune(&request, file, &self.context).await
    }

    fn deletions(&self) -> Vec<String> {
        let requests = self.stage.requests().into_iter();
        requests.filter(|it| it.contains("DELETE")).collect()
    }
}

fn pull_requests() -> RetentionRules {
    rules([tagged("pr-*", Some(14))])
}

fn notes(plan: &PrunePlan) -> &[String] {
    &plan.groups[0].repositories[0].notes
}

#[tokio::test]
async fn a_tag_goes_alone_where_the_host_is_not_known() {
    let far = FarStage::new("elsewhere.example").await;
    let plan = far.plan(pull_requests()).await;
    assert_eq!(far.stage.steps(&plan), ["pr-2", "old", "pr-1"]);
    assert_eq!(notes(&plan), <[String; 0]>::default());
}

#[tokio::test]
async fn no_tag_goes_alone_at_amazon_ecr() {
    let far = FarStage::new(ECR).await;
    let plan = far.plan(pull_requests()).await;
    assert_eq!(far.stage.steps(&plan), ["old"]);
    let [note] = notes(&plan) else {
        panic!("{:?}", notes(&plan));
    };
    assert!(note.contains("ecr:DescribeImages"), "{note}");
    let fate = &plan.groups[0].plan.repositories[0].tags[&"pr-1".parse::<Tag>().unwrap()];
    assert_eq!(*fate, TagFate::Stays(KeepReason::TagWithManifest));
    let outcome = far.apply(pull_requests(), &to_file(&plan)).await.unwrap();
    assert_eq!(far.stage.deleted(&outcome), ["old"]);
    let deletions = far.deletions();
    assert!(
        deletions.len() == 1 && deletions[0].contains("old"),
        "{deletions:?}"
    );
    assert!(far.stage.there().contains("a"));
    assert!(far.stage.registry.tags(WEB).contains_key("pr-1"));
}

#[tokio::test]
async fn a_plan_file_of_an_earlier_version_unties_no_tag_at_amazon_ecr() {
    let (near, far) = (
        FarStage::new("elsewhere.example").await,
        FarStage::new(ECR).await,
    );
    let mut file = to_file(&near.plan(pull_requests()).await);
    let planned = file.deletions.0.remove(&near.place).unwrap();
    assert_eq!(planned.tags.len(), 2);
    file.deletions.0.insert(far.place.clone(), planned);
    let outcome = far.apply(pull_requests(), &file).await.unwrap();
    assert_eq!(far.stage.deleted(&outcome), ["old"]);
    assert!(far.stage.registry.tags(WEB).contains_key("pr-1"));
}

#[tokio::test]
async fn deletions_at_ghcr_are_shown_and_refused_before_any_request() {
    let far = FarStage::new("ghcr.io").await;
    let plan = far.plan(pull_requests()).await;
    assert_eq!(far.stage.steps(&plan), ["old"]);
    let [unused, note] = notes(&plan) else {
        panic!("{:?}", notes(&plan));
    };
    assert!(unused.contains("packages: write"), "{unused}");
    assert!(note.contains(REFUSAL) && !note.contains('\n'), "{note}");
    let before = far.stage.requests().len();
    let failure = far.apply(pull_requests(), &to_file(&plan)).await;
    let failure = failure.unwrap_err();
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
    let text = format!("{failure:?}");
    for part in ["ghcr.io/team/web", REFUSAL, "packages: write"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(far.stage.requests().len(), before);
}

#[tokio::test]
async fn the_last_tagged_image_stays_at_ghcr_and_a_plan_without_deletions_applies() {
    let far = FarStage::new("ghcr.io").await;
    let plan = far.plan(rules([tagged("*", Some(14))])).await;
    // The third tagged image is the last one, and stays with the child that it shares.
    assert_eq!(far.stage.steps(&plan), ["I", "b", "old"]);
    let nothing = || rules([tagged("none-*", Some(14))]);
    let plan = far.plan(nothing()).await;
    assert_eq!(notes(&plan).len(), 1);
    let outcome = far.apply(nothing(), &to_file(&plan)).await.unwrap();
    assert_eq!(far.stage.deleted(&outcome), <[String; 0]>::default());
    assert_eq!(far.deletions(), <[String; 0]>::default());
}

#[test]
fn a_host_tells_the_vendor_of_its_registry() {
    let ecr = Some(RegistryVendor::Ecr);
    for (host, expected) in [
        (ECR, ecr),
        ("123456789012.DKR.ECR.us-east-1.AmazonAWS.com:443", ecr),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", ecr),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", ecr),
        ("123456789012.dkr-ecr-fips.us-east-1.on.aws", ecr),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", ecr),
        (
            "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            ecr,
        ),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", ecr),
        ("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", ecr),
        ("123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", ecr),
        ("123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", ecr),
        ("123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", ecr),
        ("x.dkr.ecr.us-east-1.amazonaws.com.evil.example", None),
        ("x.dkr.ecr.us-east-1.amazonaws.com.cn.evil.example", None),
        ("x.dkr.ecr.us-east-1.notamazonaws.com", None),
        ("x.y.dkr.ecr.us-east-1.amazonaws.com", None),
        ("dkr.ecr.us-east-1.amazonaws.com", None),
        ("x.dkr.ecr.amazonaws.com", None),
        ("x.dkr.ecrs.us-east-1.amazonaws.com", None),
        ("public.ecr.aws", None),
        ("ghcr.io", Some(RegistryVendor::Ghcr)),
        ("GHCR.io:443", Some(RegistryVendor::Ghcr)),
        ("ghcr.io.evil.example", None),
        ("x.ghcr.io", None),
        ("docker.io", Some(RegistryVendor::DockerHub)),
        ("index.docker.io", Some(RegistryVendor::DockerHub)),
        ("quay.io", Some(RegistryVendor::Quay)),
        ("x.quay.io", None),
        ("registry.gitlab.com", Some(RegistryVendor::Gitlab)),
        ("acme.azurecr.io", Some(RegistryVendor::Acr)),
        ("acme.azurecr.us", Some(RegistryVendor::Acr)),
        ("a.b.azurecr.io", None),
        ("azurecr.io", None),
        ("acme.azurecr.io.evil.example", None),
        ("europe-west3-docker.pkg.dev", Some(RegistryVendor::Gar)),
        ("docker.europe-west3.rep.pkg.dev", Some(RegistryVendor::Gar)),
        ("x.europe-docker.pkg.dev", None),
        ("acme.jfrog.io", Some(RegistryVendor::Artifactory)),
        ("harbor.example.com", None),
        ("127.0.0.1:5000", None),
    ] {
        let name = host.parse().unwrap();
        assert_eq!(RegistryVendor::from_registry(&name), expected, "{host}");
    }
}
