//! A run of any verb that writes to a timeline, and its repetition.

use shipmark::record::RecordTime;
use shipmark::release::{
    AdoptRequest, Failure, MarkRequest, ReleaseContext, ReleaseRequest, RollbackRequest,
    RunAccount, adopt, mark, rollback, run,
};

/// What a run does.
pub enum RecordJob {
    Release(Box<ReleaseRequest>),
    Adopt(AdoptRequest),
    Mark(MarkRequest),
    RollBack(RollbackRequest),
}

impl RecordJob {
    pub async fn run(&self, context: &ReleaseContext) -> Result<(), Failure> {
        match self {
            Self::Release(request) => Box::pin(run(request, context)).await.map(drop),
            Self::Adopt(request) => Box::pin(adopt(request, context)).await.map(drop),
            Self::Mark(request) => Box::pin(mark(request, context)).await.map(drop),
            Self::RollBack(request) => Box::pin(rollback(request, context)).await.map(drop),
        }
    }

    /// Makes it the same run, repeated later.
    pub fn repeat_at(&mut self, now: RecordTime) {
        let account = self.account();
        account.now = now;
        account.run.as_mut().unwrap().attempt = Some(2);
    }

    fn account(&mut self) -> &mut RunAccount {
        match self {
            Self::Release(request) => &mut request.record.as_mut().unwrap().account,
            Self::Adopt(request) => &mut request.timeline.account,
            Self::Mark(request) => &mut request.timeline.account,
            Self::RollBack(request) => &mut request.timeline.account,
        }
    }
}
