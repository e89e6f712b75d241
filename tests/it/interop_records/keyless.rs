//! Records that are signed with the identity of a job, by a real Sigstore.

use super::RECORD_TYPE;
use crate::interop_sigstore::{Bench, WAYS};
use crate::support::example_root;

#[test]
#[ignore = "needs a Sigstore, cosign, sigstore-python and two registries: scripts/interop.sh"]
fn our_records_are_verified_by_others_and_refused_of_another_signer() {
    let bench = Bench::new("recorded");
    let root = example_root().to_string();
    for way in WAYS {
        for (_, base) in &bench.repositories {
            let repository = format!("{base}/{}", way.name.replace([' ', ','], ""));
            let repository = repository.to_lowercase();
            bench.sign(way, "bundle", &repository, &[("environment", "prod")]);
            assert!(bench.place.output("record").starts_with("sha256:"));
            let image = format!("{repository}@{root}");
            let about = format!("{image}, {}", way.name);
            assert!(
                bench.cosign_finds(way, "bundle", RECORD_TYPE, &image),
                "{about}"
            );
            assert!(bench.cosign_verifies(way, "bundle", &image), "{about}");
            for (environment, passes) in [("prod", true), ("stage", false)] {
                let policy = format!("predicate: environment: \"{environment}\"\n");
                std::fs::write(bench.place.path("policy.cue"), policy).unwrap();
                let arguments = ["verify-attestation", "--type", RECORD_TYPE, &image];
                let arguments = [&arguments[..], &["--policy=policy.cue"]].concat();
                let found = bench.cosign_says(way, "bundle", &arguments);
                assert_eq!(found, passes, "{about}: {environment}");
            }
            let mut flags = bench.trust(way, "bundle");
            flags[0] = match way.keyless {
                true => "--certificate-identity=https://github.com/octo-org/other".to_owned(),
                false => "--key=other.pub".to_owned(),
            };
            let mut arguments = vec!["verify-attestation", "--type", RECORD_TYPE, &image];
            arguments.extend(flags.iter().map(String::as_str));
            assert!(!bench.cosign(&arguments).status.success(), "{about}");
            if way.keyless {
                assert!(
                    bench.python_verifies(&repository, &root, RECORD_TYPE),
                    "{about}"
                );
            }
        }
    }
}
