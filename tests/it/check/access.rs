//! What a check needs: access that reads, and no signer.

use super::*;
use crate::registry::{Auth, Profile, Registry, TokenRules};
use crate::support::process::Place;

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_check_needs_no_signer() {
    let keyless = "sign: keyless, signers: [{identity: 'https://github.com/acme/web/.github/workflows/x.yml@refs/heads/main'}]";
    let key = "sign: key, signers: [{key: dev.pub}], vsa: true";
    for (more, cause) in [(keyless, "needs the identity token"), (key, "needs a key")] {
        let stage = start(ONE, more).await;
        build(&stage, None, 1, COMMIT);
        let log = passed(&stage, &[("offline", "true")]);
        assert!(
            log.contains("would be recorded in prod as promote"),
            "{log}"
        );
        let refusal = stage.failed(stage.promote(DISPATCH, "prod", &[("offline", "true")]), 2);
        assert!(refusal.contains(cause), "{refusal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_check_asks_for_access_that_reads_alone() {
    let rules = TokenRules::new("registry.example")
        .user("reader", "pass")
        .grant("reader", "dev", &["pull"])
        .grant("reader", "prod", &["pull"]);
    let registry = Registry::start(Profile::plain().auth(Auth::TokenHost(rules))).await;
    MadeImage::new(1, &[("revision", COMMIT)]).put(&registry, "dev", &["git-9f3c2a1"]);
    let host = registry.host();
    let place = Place::new();
    let ran = place.run(&[
        "check",
        &format!("--source={host}/dev:git-9f3c2a1"),
        &format!("--images={host}/prod"),
        "--environment=prod",
        &format!("--credentials={host}=reader:pass"),
    ]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let tokens = registry.token_server().requests();
    assert!(
        !tokens.is_empty() && tokens.iter().all(|it| !it.contains("push")),
        "{tokens:?}"
    );
    assert!(
        ran.out.contains("a promotion to prod would be released"),
        "{}",
        ran.out
    );
}
