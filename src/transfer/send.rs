//! The bytes of one blob, read once and sent to all that want them.

use std::sync::Arc;

use futures_util::future::{join, join_all};

use super::blob::Lacking;
use super::share::{Body, Broken, share};
use super::verified::{Failure, verified};
use super::{Copy, Error, Store, StoreError};
use crate::image::Descriptor;
use crate::layout::{Layout, WriteError};
use crate::registry::{Remote, Slot, Timing, Upload};

/// Who wants a blob, with the session that it has opened already.
pub(super) enum Receiver {
    Registry(Remote, Option<Upload>),
    Layout(Layout),
}

/// One that can take the bytes now.
enum Ready {
    Registry(Remote, Upload),
    Layout(Layout),
}

/// Sends the blob to all of them at once. One that fails, or is too slow, fails by itself.
pub(super) async fn send<'a>(
    copy: &Copy<'_>,
    blob: &Descriptor,
    wanting: Vec<(Lacking<'a>, Receiver)>,
) -> Vec<(Lacking<'a>, Result<(), Error>)> {
    if wanting.is_empty() {
        return Vec::new();
    }
    let (lacking, receivers): (Vec<_>, Vec<_>) = wanting.into_iter().unzip();
    let _slots = slots(copy, &receivers, blob).await;
    let opening = join_all(receivers.into_iter().map(|receiver| receiver.open(blob)));
    // Neither waits for the other.
    let (source, ready) = join(copy.source.open_blob(blob), opening).await;
    let sent = match source {
        Ok(source) => {
            let failure = Failure::default();
            let body = verified(source.stream, blob, &failure);
            let sent = pass_on(copy, blob, ready, body, &failure).await;
            let resumed = source.resumed.bytes();
            if resumed > 0 {
                for lacking in &lacking {
                    lacking.target.count(|content| content.resumed.add(resumed));
                }
            }
            sent
        }
        Err(error) => {
            let error = Arc::new(error);
            let unused = ready.into_iter().map(|ready| async {
                if let Ok(Ready::Registry(remote, upload)) = ready {
                    remote.cancel(upload).await;
                }
                Err(Error::source(error.clone()))
            });
            join_all(unused).await
        }
    };
    lacking.into_iter().zip(sent).collect()
}

/// Leave to move bulk, of all registries that take part. They are asked in order, so that no two
/// transfers ever wait for each other.
async fn slots(copy: &Copy<'_>, receivers: &[Receiver], blob: &Descriptor) -> Vec<Slot> {
    let at_destinations = receivers.iter().filter_map(|receiver| match receiver {
        Receiver::Registry(remote, _) => Some(remote),
        Receiver::Layout(_) => None,
    });
    let mut remotes: Vec<&Remote> = at_destinations.chain(copy.source.remote()).collect();
    remotes.sort_by_key(|remote| remote.repository().registry().clone());
    remotes.dedup_by_key(|remote| remote.repository().registry().clone());
    let mut slots = Vec::new();
    for remote in remotes {
        slots.extend(remote.slot(blob.size).await);
    }
    slots
}

async fn pass_on(
    copy: &Copy<'_>,
    blob: &Descriptor,
    ready: Vec<Result<Ready, Error>>,
    body: Body,
    failure: &Failure,
) -> Vec<Result<(), Error>> {
    let takers = ready.iter().filter(|ready| ready.is_ok()).count();
    let (sharing, mut bodies) = share(body, takers, copy.source.timing().stall / 2);
    let receiving = ready.into_iter().map(|ready| {
        let body = ready.is_ok().then(|| bodies.pop()).flatten();
        async move {
            match (ready?, body) {
                (ready, Some(body)) => ready.receive(copy, blob, body, failure).await,
                (_, None) => unreachable!("there is a body for each that is ready"),
            }
        }
    });
    let receiving = join_all(receiving.collect::<Vec<_>>());
    join(sharing, receiving).await.1
}

impl Receiver {
    async fn open(self, blob: &Descriptor) -> Result<Ready, Error> {
        match self {
            Self::Registry(remote, Some(upload)) => Ok(Ready::Registry(remote, upload)),
            Self::Registry(remote, None) => match remote.start_upload(blob.size).await {
                Ok(upload) => Ok(Ready::Registry(remote, upload)),
                Err(error) => Err(StoreError::Registry(error).at_destination()),
            },
            Self::Layout(layout) => Ok(Ready::Layout(layout)),
        }
    }
}

impl Ready {
    async fn receive(
        self,
        copy: &Copy<'_>,
        blob: &Descriptor,
        body: Body,
        failure: &Failure,
    ) -> Result<(), Error> {
        let passage = copy.meter.passage();
        let body = passage.count(body);
        let outcome = match self {
            Self::Registry(remote, upload) => {
                let outcome = remote.upload(&upload, blob, body).await;
                if outcome.is_err() {
                    remote.cancel(upload).await;
                }
                outcome.map_err(|error| blame(failure, StoreError::Registry(error)))
            }
            Self::Layout(layout) => match layout.write_blob(blob, body).await {
                Ok(()) => Ok(()),
                Err(WriteError::Layout(error)) => Err(StoreError::Layout(error).at_destination()),
                Err(WriteError::Source(broken)) => Err(blame(failure, unexplained(blob, &broken))),
            },
        };
        match outcome {
            Ok(()) => passage.complete(blob.size),
            Err(_) => passage.undo(),
        }
        outcome
    }
}

/// A source that fails breaks the upload: then it is the one to blame.
fn blame(failure: &Failure, error: StoreError) -> Error {
    match failure.reason() {
        Some(reason) => Error::source(reason),
        None => error.at_destination(),
    }
}

fn unexplained(blob: &Descriptor, broken: &Broken) -> StoreError {
    StoreError::WrongBlob {
        expected: blob.digest,
        problem: broken.to_string(),
    }
}

impl Copy<'_> {
    /// How long to wait for a destination, and how often to try. A disk is as patient as its source.
    pub(super) fn timing(&self, store: &Store) -> Timing {
        match store {
            Store::Registry(remote) => remote.timing(),
            Store::Layout(_) => self.source.timing(),
        }
    }
}
