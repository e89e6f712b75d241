//! Reads what gates judge, before the time of the release is known: at the same time as the destinations are observed.

use futures_util::future::{join, try_join5};

use super::gate_request::GateRequest;
use super::gated_release::GatedRelease;
use super::image_facts::read_judged_image;
use super::source_commit::{labelled_source_commit, recorded_source_commit};
use super::statement_facts::{ReadStatements, StatementFacts};
use super::unsigned_statements::{UnsignedStatement, read_unsigned_statements};
use crate::gate::{ApprovalFacts, CheckFacts, GithubFact, JudgedImage};
use crate::image::Digest;
use crate::record::RecordTime;
use crate::release::Failure;
use crate::release::records::since_release::SinceRelease;

/// What was read for the gates of a release.
pub(crate) struct GateReading {
    image: Option<JudgedImage>,
    statements: ReadStatements,
    unsigned: Vec<UnsignedStatement>,
    since_release: SinceRelease,
    github: GithubGateFacts,
    /// Whether the statements about images below the root were read.
    is_read_below: bool,
}

/// What the gates judge.
pub(super) struct GateFacts {
    /// The image; `None` if no gate judges it.
    pub(super) image: Option<JudgedImage>,
    pub(super) statements: StatementFacts,
    pub(super) unsigned: Vec<UnsignedStatement>,
    pub(super) since_release: SinceRelease,
    pub(super) github: GithubGateFacts,
}

/// What GitHub says for the gates; `None` if no gate judges it.
#[derive(Default)]
pub(super) struct GithubGateFacts {
    /// Checks of the source commit; or why the commit is not known.
    pub(super) checks: Option<GithubFact<CheckFacts>>,
    pub(super) approvals: Option<ApprovalFacts>,
}

impl GateReading {
    /// Reads what the gates of a request judge, at once.
    ///
    /// # Errors
    /// Facts that cannot be read: what a store cannot tell is not nothing.
    pub(crate) async fn read(
        request: &GateRequest,
        release: &GatedRelease<'_>,
    ) -> Result<Self, Failure> {
        let GatedRelease { image, source } = release;
        let root = image.source_digest();
        let judged = async {
            match request.needs_image() {
                true => {
                    let read = read_judged_image(image, request.needs_configs());
                    read.await.map(Some)
                }
                false => Ok(None),
            }
        };
        let since = async {
            match (request.soak.as_ref(), source) {
                (Some(_), Some(source)) => source.read_since_release(root).await,
                _ => Ok(SinceRelease::default()),
            }
        };
        let rules = request.unsigned_rules();
        let unsigned = read_unsigned_statements(image, &rules);
        let roots = [root];
        let statements = ReadStatements::read(request, release, &roots);
        let github = async {
            match request.needs_source_commit() {
                true => match recorded_source_commit(request, release).await? {
                    Some(commit) => Ok(Some(read_github(request, &Ok(commit)).await)),
                    None => Ok(None),
                },
                // The commit is not judged.
                false => Ok(Some(read_github(request, &Ok(String::new())).await)),
            }
        };
        let reads = try_join5(judged, statements, unsigned, since, Box::pin(github));
        let (judged, statements, unsigned, since_release, github) = Box::pin(reads).await?;
        let github = match github {
            Some(github) => github,
            None => {
                let commit = labelled_source_commit(request, judged.as_ref());
                Box::pin(read_github(request, &commit)).await
            }
        };
        let mut reading = Self {
            image: judged,
            statements,
            unsigned,
            since_release,
            github,
            is_read_below: false,
        };
        reading.read_below(request, release, request.now).await?;
        Ok(reading)
    }

    /// Returns what the gates judge at a time: what must have been signed before a time has been so by then.
    ///
    /// # Errors
    /// As [`Self::read`]: what was enough by this machine's clock can be too little by another.
    pub(super) async fn finish(
        mut self,
        request: &GateRequest,
        release: &GatedRelease<'_>,
        now: RecordTime,
    ) -> Result<GateFacts, Failure> {
        self.read_below(request, release, now).await?;
        Ok(GateFacts {
            image: self.image,
            statements: self.statements.at(now),
            unsigned: self.unsigned,
            since_release: self.since_release,
            github: self.github,
        })
    }

    /// Reads the statements about images below the root, once: where those of the root are not enough, and always for
    /// attested reports, each of which must pass.
    async fn read_below(
        &mut self,
        request: &GateRequest,
        release: &GatedRelease<'_>,
        now: RecordTime,
    ) -> Result<(), Failure> {
        let Some(judged) = self.image.as_ref().filter(|_| !self.is_read_below) else {
            return Ok(());
        };
        let below = judged.released_platforms().map(|it| it.manifest);
        let below: Vec<Digest> = below.filter(|digest| *digest != judged.root).collect();
        let are_needed = || {
            let scan = request.scan.as_ref();
            let mut signed = request.attestations.iter();
            scan.is_some_and(|scan| scan.attested.is_some())
                || signed.any(|gate| !self.statements.meet(gate, judged.root, now))
        };
        if below.is_empty() || !are_needed() {
            return Ok(());
        }
        let more = ReadStatements::read(request, release, &below).await?;
        self.statements.extend(more);
        self.is_read_below = true;
        Ok(())
    }
}

/// Reads what GitHub says for the gates about a commit. A failure is an unknown fact.
async fn read_github(request: &GateRequest, commit: &GithubFact<String>) -> GithubGateFacts {
    let Some(reader) = &request.github else {
        return GithubGateFacts::default();
    };
    let checks = async {
        match (request.checks.as_slice(), commit) {
            ([], _) => None,
            (rules, Ok(commit)) => Some(Ok(reader.read_checks(commit, rules).await)),
            (_, Err(unknown)) => Some(Err(unknown.clone())),
        }
    };
    let approvals = async {
        let rule = request.approvals.as_ref()?;
        Some(reader.read_approvals(rule, commit).await)
    };
    let (checks, approvals) = join(checks, approvals).await;
    GithubGateFacts { checks, approvals }
}
