//! Verifies the size and digest of a blob while its bytes are transferred.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};

use super::fan_out::{BlobBody, BodyError};
use super::{SourceStream, StoreError};
use crate::image::{Descriptor, DigestHasher};

/// Failure of the source, kept for a task that finds its upload broken.
#[derive(Clone, Default)]
pub(super) struct SourceFailure(Arc<OnceLock<Arc<StoreError>>>);

impl SourceFailure {
    pub(super) fn reason(&self) -> Option<Arc<StoreError>> {
        self.0.get().cloned()
    }
}

/// The hash of a blob at some places on its way, so that one that breaks off can go on near where it
/// was. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct HashCheckpoints(Arc<Mutex<Vec<HashCheckpoint>>>);

/// The hash of so many bytes.
#[derive(Clone, Default)]
pub(super) struct HashCheckpoint {
    offset: u64,
    hasher: DigestHasher,
}

/// As many bytes are between two marks: two hundred bytes of memory, and the most that are read for
/// a second time.
const CHECKPOINT_INTERVAL: u64 = 4 << 20;

impl HashCheckpoint {
    /// Returns the offset in the blob, in bytes.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }
}

impl HashCheckpoints {
    /// Returns the last checkpoint at or before `place`; discards those after it.
    pub(super) fn rewind_to(&self, place: u64) -> HashCheckpoint {
        let mut marks = self.lock();
        marks.retain(|mark| mark.offset <= place);
        marks.last().cloned().unwrap_or_default()
    }

    fn record(&self, at: u64, hasher: &DigestHasher) {
        let mut marks = self.lock();
        if at >= marks.last().map_or(0, |mark| mark.offset) + CHECKPOINT_INTERVAL {
            let hasher = hasher.clone();
            marks.push(HashCheckpoint { offset: at, hasher });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<HashCheckpoint>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct VerifyingStream {
    source: SourceStream,
    blob: Descriptor,
    hasher: DigestHasher,
    seen: u64,
    checkpoints: HashCheckpoints,
    /// The last frame, held back until what follows it is known.
    withheld: Option<Bytes>,
    done: bool,
}

/// Returns the bytes of `source`, which begins at a `mark` of the blob, with the last frame only
/// once size and digest are right: a receiver that waits for all bytes can never take wrong ones
/// for the blob.
pub(super) fn verify_stream(
    source: SourceStream,
    blob: &Descriptor,
    mark: HashCheckpoint,
    trail: &HashCheckpoints,
    failure: &SourceFailure,
) -> BlobBody {
    let state = VerifyingStream {
        source,
        blob: blob.clone(),
        hasher: mark.hasher,
        seen: mark.offset,
        checkpoints: trail.clone(),
        withheld: None,
        done: false,
    };
    let failure = failure.clone();
    checked_frames(state)
        .map(move |item| {
            item.map_err(|error| {
                let _ = failure.0.set(Arc::new(error));
                BodyError::Source
            })
        })
        .boxed()
}

fn checked_frames(state: VerifyingStream) -> impl Stream<Item = Result<Bytes, StoreError>> {
    stream::unfold(state, |mut state| async move {
        while !state.done {
            match state.next_frame().await {
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

impl VerifyingStream {
    /// Takes in the next frame and gives out the one before.
    async fn next_frame(&mut self) -> Result<Option<Bytes>, StoreError> {
        let Some(frame) = self.source.next().await.transpose()? else {
            self.done = true;
            self.check_end()?;
            return Ok(self.withheld.take());
        };
        if self.seen + frame.len() as u64 > self.blob.size {
            return Err(self.wrong_blob(format!("it has more than {} bytes", self.blob.size)));
        }
        self.seen += frame.len() as u64;
        self.hasher.update(&frame);
        self.checkpoints.record(self.seen, &self.hasher);
        Ok(self.withheld.replace(frame))
    }

    fn check_end(&mut self) -> Result<(), StoreError> {
        if self.seen != self.blob.size {
            return Err(self.wrong_blob(format!(
                "it ends after {} of {} bytes",
                self.seen, self.blob.size
            )));
        }
        match std::mem::take(&mut self.hasher).finish() {
            actual if actual == self.blob.digest => Ok(()),
            actual => Err(self.wrong_blob(format!("its bytes have the digest {actual}"))),
        }
    }

    fn wrong_blob(&self, problem: String) -> StoreError {
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
        let blob = Descriptor::new("", Digest::from_bytes(promised), promised.len() as u64);
        let frames: Vec<_> = frames
            .iter()
            .map(|frame| Ok(Bytes::from_static(frame)))
            .collect();
        let failure = SourceFailure::default();
        let (mark, trail) = (HashCheckpoint::default(), HashCheckpoints::default());
        let source = stream::iter(frames).boxed();
        let passed: Vec<_> = verify_stream(source, &blob, mark, &trail, &failure)
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

    /// The bytes before the place where it goes on are not read again, and still count.
    #[tokio::test]
    async fn promise_1_what_goes_on_is_checked_as_a_whole() {
        let whole: Vec<u8> = (0..3 * CHECKPOINT_INTERVAL + 7)
            .map(|at| (at % 251) as u8)
            .collect();
        let blob = Descriptor::new("", Digest::from_bytes(&whole), whole.len() as u64);
        let frames = |bytes: &[u8]| {
            let frames = bytes.chunks(1 << 20).map(Bytes::copy_from_slice).map(Ok);
            stream::iter(frames.collect::<Vec<_>>()).boxed()
        };
        let trail = HashCheckpoints::default();
        let failure = SourceFailure::default();
        let first = verify_stream(
            frames(&whole),
            &blob,
            HashCheckpoint::default(),
            &trail,
            &failure,
        );
        let _: Vec<_> = first.take(11).collect().await;
        for (place, mark) in [
            (2 * CHECKPOINT_INTERVAL + 1, 2 * CHECKPOINT_INTERVAL),
            (CHECKPOINT_INTERVAL + 1, CHECKPOINT_INTERVAL),
            (5, 0),
        ] {
            let found = trail.rewind_to(place);
            assert_eq!(found.offset(), mark);
            let at = usize::try_from(mark).unwrap();
            let mut rest = whole[at..].to_vec();
            for wrong in [true, false] {
                *rest.last_mut().unwrap() ^= u8::from(wrong);
                let failure = SourceFailure::default();
                let body = verify_stream(frames(&rest), &blob, found.clone(), &trail, &failure);
                let passed: Vec<_> = body.collect().await;
                assert_eq!(passed.iter().any(Result::is_err), wrong);
                *rest.last_mut().unwrap() ^= u8::from(wrong);
            }
        }
    }
}
