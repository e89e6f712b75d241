//! Running until a signal arrives.

use crate::release::Failure;

/// Runs `work` until it ends or `cancelled` completes, and drops it then.
///
/// # Errors
/// Returns the failure of `work`, or [`Failure::Cancelled`].
pub(super) async fn until_cancelled<T>(
    work: impl Future<Output = Result<T, Failure>>,
    cancelled: impl Future<Output = ()>,
) -> Result<T, Failure> {
    // On the heap: the future of a verb is large, and a thread's stack is not.
    let work = Box::pin(work);
    tokio::select! {
        result = work => result,
        () = cancelled => Err(Failure::Cancelled),
    }
}
