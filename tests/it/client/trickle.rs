//! Answers that keep coming and are never complete.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use serde_json::Value;
use shipmark::http::{HttpSettings, RetryTiming};
use shipmark::image::{Descriptor, Repository, TagOrDigest};
use shipmark::registry::{RegistryClient, RegistrySettings, RepositoryAccess, RepositoryClient};

use super::Wire;
use crate::support::*;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// A repository of a host that begins each answer so, and patience of a moment.
async fn trickling(head: &str, attempts: u32) -> (Wire, RepositoryClient) {
    let head = format!("{HEAD}{head}\r\n");
    let host = Wire::trickling(head, Duration::from_millis(20)).await;
    let timing = RetryTiming {
        stall: Duration::from_secs(1),
        whole: Duration::from_millis(400),
        attempts,
        ..timing()
    };
    let settings = RegistrySettings {
        http: HttpSettings {
            timing,
            ..settings().http
        },
        ..settings()
    };
    let client = RegistryClient::new(settings, Said::default().notices()).unwrap();
    let repository: Repository = format!("{}/web", host.host).parse().unwrap();
    let remote = client.open_repository(&repository, RepositoryAccess::Pull, &[]);
    (host, remote)
}

/// A small answer has a time to be complete in, however its bytes come. It is asked for once: the next
/// one would take as long.
#[tokio::test]
async fn promise_3_an_answer_that_trickles_is_given_up() {
    for head in [
        "",
        "content-length: 4096\r\n",
        "transfer-encoding: identity\r\n",
    ] {
        for what in ["manifest", "tag list", "referrers"] {
            let (host, remote) = trickling(head, 4).await;
            let begin = Instant::now();
            let error = match what {
                "manifest" => {
                    let target = TagOrDigest::Tag("1".parse().unwrap());
                    remote.get_manifest(&target).await.map(drop).unwrap_err()
                }
                "tag list" => remote.tags().await.map(drop).unwrap_err(),
                _ => {
                    let listed = remote.referrers::<Value>(example_root()).await;
                    listed.map(drop).unwrap_err()
                }
            };
            let text = error.to_string();
            assert!(text.contains(what), "{text}");
            assert!(
                text.contains("was not complete after 0.4 s"),
                "{what}: {text}"
            );
            assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
            assert_eq!(host.answered(), 1, "{what}");
        }
    }
}

/// A blob has as long as it takes, as long as it gets on; each further try is as long as the first.
#[tokio::test]
async fn promise_3_a_blob_that_trickles_is_given_up() {
    for attempts in [1, 3] {
        let (host, remote) = trickling("", attempts).await;
        let blob = Descriptor::new("", example_root(), 1 << 30);
        let begin = Instant::now();
        let download = remote.open_blob(&blob, 0).await.unwrap();
        let bytes: Result<Vec<_>, _> = download.into_stream().try_collect().await;
        let text = bytes.unwrap_err().to_string();
        // What came before has to come again first, at a host that knows no ranges.
        let reason = if attempts == 1 {
            "was not complete after 1 s"
        } else {
            "GET blob"
        };
        assert!(text.contains(reason), "{text}");
        assert!(begin.elapsed() < Duration::from_secs(60));
        assert_eq!(host.answered(), attempts as usize);
    }
}
