//! Requests of an inspection that verifies what it shows.

use shipmark::release::{InspectOutcome, InspectRequest, InspectSubject, SignatureFormat, inspect};
use shipmark::signing::{PrivateKey, Requirement};

use super::kinds;
use crate::registry::{Profile, Registry};
use crate::support::recorded_chain::{promotion_to_prod, recorded_chain};
use crate::support::records::minute;
use crate::support::*;

/// Inspects the release of 1.4.0 in prod.
async fn inspected(registry: &Registry, key: &PrivateKey) -> InspectOutcome {
    let image = format!("{}/prod:1.4.0", registry.host());
    let request = InspectRequest {
        subject: InspectSubject::Image(image.parse().unwrap()),
        timelines: Vec::new(),
        finds_environments: true,
        signer: Some(Requirement::Key {
            key: key.public().clone(),
            log: None,
        }),
        is_offline: false,
        clock: minute(60),
    };
    inspect(&request, &context()).await.unwrap()
}

#[tokio::test]
async fn an_inspection_with_a_signer() {
    let key = keys::key();
    let bundle = vec![SignatureFormat::Bundle];
    let both = vec![SignatureFormat::Bundle, SignatureFormat::Legacy];
    for profile in [Profile::plain(), Profile::plain().referrers(false)] {
        for formats in [&bundle, &both] {
            let registry = recorded_chain(profile.clone(), Some(&key)).await;
            let mut request = promotion_to_prod(&registry, Some(&key));
            request.signing.as_mut().unwrap().formats = formats.clone();
            done(request, &context()).await;
            registry.clear_log();
            let shown = inspected(&registry, &key).await;
            assert!(shown.verification.unwrap().passed());
            assert_eq!(shown.evidence.len(), formats.len());
            let [prod] = shown.environments.as_slice() else {
                panic!("{:?}", shown.environments);
            };
            assert_eq!(prod.carried.len(), 2);
            let limit = 8 + (1 + prod.carried.len()) + 2 * formats.len();
            let requests = registry.requests().len();
            assert!(requests <= limit, "{requests}: {}", kinds(&registry));
        }
    }
}
