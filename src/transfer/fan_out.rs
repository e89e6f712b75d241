//! Splits one stream of bytes for several receivers.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all, ready};
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, stream};
use thiserror::Error;
use tokio::sync::mpsc;

/// The bytes of a blob on their way to a receiver.
pub(super) type BlobBody = BoxStream<'static, Result<Bytes, BodyError>>;

/// Reason why a body ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum BodyError {
    /// The reason is in `VerifiedStream`.
    #[error("the source failed")]
    Source,
    /// The others would have waited for this one.
    #[error("the destination accepted the bytes too slowly")]
    Slow,
}

/// Frames that wait for a receiver.
const BUFFERED_FRAMES: usize = 8;

/// Gives each of so many receivers all of `body`, while the future that comes along runs. They go at
/// the pace of the slowest; one that takes nothing for as long as `patience` is left behind.
pub(super) fn fan_out(
    body: BlobBody,
    receivers: usize,
    patience: Duration,
) -> (BoxFuture<'static, ()>, Vec<BlobBody>) {
    match receivers {
        0 => return (ready(()).boxed(), Vec::new()),
        1 => return (ready(()).boxed(), vec![body]),
        _ => {}
    }
    let (senders, bodies) = (0..receivers).map(|_| body_channel()).unzip();
    (distribute_frames(body, senders, patience).boxed(), bodies)
}

type BodyFrame = Option<Result<Bytes, BodyError>>;

/// The end is said, so that a sender that went away is not taken for it.
fn body_channel() -> (mpsc::Sender<BodyFrame>, BlobBody) {
    let (sender, receiver) = mpsc::channel::<BodyFrame>(BUFFERED_FRAMES);
    let body = stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Some(Ok(frame))) => Some((Ok(frame), Some(receiver))),
            Some(Some(Err(broken))) => Some((Err(broken), None)),
            Some(None) => None,
            None => Some((Err(BodyError::Slow), None)),
        }
    });
    (sender, body.boxed())
}

async fn distribute_frames(
    mut body: BlobBody,
    mut senders: Vec<mpsc::Sender<BodyFrame>>,
    patience: Duration,
) {
    loop {
        let item = body.next().await;
        let ends = !matches!(item, Some(Ok(_)));
        let given = senders.into_iter().map(|sender| {
            let item = item.clone();
            async move {
                let taken = tokio::time::timeout(patience, sender.send(item)).await;
                matches!(taken, Ok(Ok(()))).then_some(sender)
            }
        });
        senders = join_all(given).await.into_iter().flatten().collect();
        if ends || senders.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    fn frames(items: Vec<Result<&'static [u8], BodyError>>) -> BlobBody {
        let items = items.into_iter().map(|item| item.map(Bytes::from_static));
        stream::iter(items.collect::<Vec<_>>()).boxed()
    }

    async fn all(body: BlobBody) -> (Vec<u8>, Option<BodyError>) {
        let items: Vec<_> = body.collect().await;
        let broken = items.iter().find_map(|item| item.as_ref().err().copied());
        let bytes = items.into_iter().flatten().flatten().collect();
        (bytes, broken)
    }

    #[tokio::test]
    async fn each_receiver_gets_all_of_it() {
        for receivers in 1..4 {
            let (sharing, bodies) = fan_out(frames(vec![Ok(b"ab"), Ok(b"c")]), receivers, PATIENCE);
            let ((), got) =
                futures_util::future::join(sharing, join_all(bodies.into_iter().map(all))).await;
            assert_eq!(got, vec![(b"abc".to_vec(), None); receivers]);
        }
    }

    #[tokio::test]
    async fn a_source_that_fails_breaks_all() {
        let body = frames(vec![Ok(b"ab"), Err(BodyError::Source)]);
        let (sharing, bodies) = fan_out(body, 2, PATIENCE);
        let ((), got) =
            futures_util::future::join(sharing, join_all(bodies.into_iter().map(all))).await;
        assert_eq!(got, vec![(b"ab".to_vec(), Some(BodyError::Source)); 2]);
    }

    #[tokio::test]
    async fn one_that_goes_or_stands_still_does_not_hold_up_the_others() {
        let many = (0..100).map(|_| Ok(&b"x"[..])).collect();
        let (sharing, mut bodies) = fan_out(frames(many), 3, PATIENCE);
        drop(bodies.remove(0));
        let still = bodies.remove(0);
        let ((), got) = futures_util::future::join(sharing, all(bodies.remove(0))).await;
        assert_eq!(got, (vec![b'x'; 100], None));
        // It never takes the part that it got for the whole.
        let (bytes, broken) = all(still).await;
        assert!(bytes.len() < 100);
        assert_eq!(broken, Some(BodyError::Slow));
    }
}
