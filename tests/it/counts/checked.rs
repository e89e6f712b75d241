//! How many requests a check takes, against the dry run of the same promotion.

use shipmark::release::{CheckRequest, check};

use super::kinds;
use crate::registry::Profile;
use crate::support::recorded_chain::{promotion_to_prod, recorded_chain};
use crate::support::*;

/// The requests of the dry run of a promotion, and of its check.
async fn counted(services: usize) -> (usize, usize, String) {
    let dry = recorded_chain(Profile::plain(), None).await;
    let mut request = promotion_to_prod(&dry, None);
    request.dry_run = true;
    done(request, &context()).await;
    let checked = recorded_chain(Profile::plain(), None).await;
    let mut request = promotion_to_prod(&checked, None);
    request.dry_run = true;
    request.is_check = true;
    let names = (0..services).map(|number| format!("s{number}").parse().ok());
    let request = CheckRequest {
        services: names.map(|service| (service, request.clone())).collect(),
        refused_run: None,
    };
    let outcome = check(&request, &context()).await;
    assert_eq!(outcome.failures().count(), 0, "{outcome:?}");
    assert!(outcome.would_write());
    (dry.count(), checked.count(), kinds(&checked))
}

#[tokio::test]
async fn a_check_costs_its_dry_run_and_the_labels_of_two_images() {
    let (dry, checked, kinds) = counted(1).await;
    assert!(
        kinds
            .lines()
            .all(|line| line.contains("GET") || line.contains("HEAD")),
        "{kinds}"
    );
    // Manifest and config of the current image, and the config of the proposed one.
    assert_eq!(checked, dry + 3, "{kinds}");
    let (_, three, kinds) = counted(3).await;
    assert_eq!(three, 3 * checked, "{kinds}");
}
