//! Signing with a timestamp authority that has a key of RSA, as ordinary certificate authorities run it.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timestamp_authority_with_rsa_proves_the_time_of_what_is_signed() {
    let sigstore = Sigstore::with_rsa_timestamps().await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/team/web", registry.host());
    let keyless = Signer::Keyless(Arc::new(sigstore.signer(Rekor::V2)));
    let logged = Signer::LoggedKey(Arc::new(sigstore.logged(keys::key(), Rekor::V2)));
    for (signer, tag) in [(keyless, "keyless"), (logged, "key")] {
        let unused = Arc::new(sigstore.signer(Rekor::V2));
        let mut options = signing(&unused, BUNDLE);
        options.signer = signer;
        let mut request = signed(&[&place], options);
        request.rules = TagRules::parse([tag]).unwrap();
        let outcome = done(request, &context()).await;
        assert_eq!(made(&outcome), [1, 0], "{tag}");
    }
    assert_eq!(sigstore.counts()[3], 2);

    let files = Place::new();
    std::fs::write(files.path("root.json"), sigstore.trusted_root()).unwrap();
    let mut verify = files.command();
    verify.args([
        "verify",
        "--trusted-root=root.json",
        "--transparency-log=off",
    ]);
    verify.args(["--source", &format!("{place}:keyless")]);
    verify.arg(format!(
        "--certificate-identity=https://github.com/{}",
        sigstore::WORKFLOW
    ));
    verify.arg(format!("--certificate-oidc-issuer={}", sigstore::ISSUER));
    let found = ran(verify).await;
    assert_eq!(found.status, Some(0), "{}{}", found.out, found.log);
}
