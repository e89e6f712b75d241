//! Bytes on their way, checked.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

use super::share::{Body, Broken};
use super::{ReadStream, StoreError};
use crate::image::{Descriptor, Hasher};

/// Why a source failed, kept for whoever finds an upload broken.
#[derive(Clone, Default)]
pub(super) struct Failure(Arc<OnceLock<Arc<StoreError>>>);

impl Failure {
    pub(super) fn reason(&self) -> Option<Arc<StoreError>> {
        self.0.get().cloned()
    }
}

struct State {
    source: ReadStream,
    blob: Descriptor,
    hasher: Hasher,
    seen: u64,
    /// The last frame, held back until what follows it is known.
    held: Option<Bytes>,
    done: bool,
}

/// The bytes of `source`, the last frame only once size and digest are right: a receiver that waits
/// for all bytes can never take wrong ones for the blob.
pub(super) fn verified(source: ReadStream, blob: &Descriptor, failure: &Failure) -> Body {
    let state = State {
        source,
        blob: blob.clone(),
        hasher: Hasher::new(),
        seen: 0,
        held: None,
        done: false,
    };
    let failure = failure.clone();
    checked(state)
        .map(move |item| {
            item.map_err(|error| {
                let _ = failure.0.set(Arc::new(error));
                Broken::Source
            })
        })
        .boxed()
}

fn checked(state: State) -> impl Stream<Item = Result<Bytes, StoreError>> {
    stream::unfold(state, |mut state| async move {
        while !state.done {
            match state.step().await {
                Ok(Some(frame)) => return Some((Ok(frame), state)),
                Ok(None) => {}
                Err(error) => {
                    state.done = true;
                    return Some((Err(error), state));
                }
            }
        }
        None
    })
}

impl State {
    /// Takes in the next frame and gives out the one before.
    async fn step(&mut self) -> Result<Option<Bytes>, StoreError> {
        let Some(frame) = self.source.next().await.transpose()? else {
            self.done = true;
            self.check_end()?;
            return Ok(self.held.take());
        };
        if self.seen + frame.len() as u64 > self.blob.size {
            return Err(self.wrong(format!("it has more than {} bytes", self.blob.size)));
        }
        self.seen += frame.len() as u64;
        self.hasher.update(&frame);
        Ok(self.held.replace(frame))
    }

    fn check_end(&mut self) -> Result<(), StoreError> {
        if self.seen != self.blob.size {
            return Err(self.wrong(format!(
                "it ends after {} of {} bytes",
                self.seen, self.blob.size
            )));
        }
        match std::mem::take(&mut self.hasher).finish() {
            actual if actual == self.blob.digest => Ok(()),
            actual => Err(self.wrong(format!("its bytes have the digest {actual}"))),
        }
    }

    fn wrong(&self, problem: String) -> StoreError {
        StoreError::WrongBlob {
            expected: self.blob.digest,
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Digest;

    async fn pass(frames: &[&'static [u8]], promised: &[u8]) -> (Vec<u8>, Option<String>) {
        let blob = Descriptor::plain("", Digest::of(promised), promised.len() as u64);
        let frames: Vec<_> = frames
            .iter()
            .map(|frame| Ok(Bytes::from_static(frame)))
            .collect();
        let failure = Failure::default();
        let passed: Vec<_> = verified(stream::iter(frames).boxed(), &blob, &failure)
            .collect()
            .await;
        let bytes = passed.into_iter().flatten().flatten().collect();
        (bytes, failure.reason().map(|error| error.to_string()))
    }

    #[tokio::test]
    async fn promise_1_wrong_bytes_never_arrive_whole() {
        assert_eq!(
            pass(&[b"ab", b"cd"], b"abcd").await,
            (b"abcd".to_vec(), None)
        );
        assert_eq!(pass(&[], b"").await, (Vec::new(), None));
        for (frames, promised, part) in [
            (&[&b"ab"[..], b"cX"][..], &b"abcd"[..], "have the digest"),
            (&[b"ab", b"c"], b"abcd", "ends after 3 of 4"),
            (&[b"ab", b"cd", b"e"], b"abcd", "more than 4"),
            (&[], b"abcd", "ends after 0 of 4"),
        ] {
            let (bytes, error) = pass(frames, promised).await;
            assert!(bytes.len() < promised.len(), "{frames:?}");
            assert!(
                error.as_ref().is_some_and(|error| error.contains(part)),
                "{frames:?}: {error:?}"
            );
        }
    }
}
