//! Release pipeline: what push and promote share, from the source to the tags.
//!
//! Start in `pipeline.rs`. `request`, `context`, `destination`, `outcome` and `failure` hold data and
//! are used by all stages: `resolve`, `plan`, `execute`, `sign` and `tags`, in this order. `batch` runs
//! the pipeline for several images, `verify` checks signatures alone, `verify_environment` what an
//! environment is on. Nothing here reads the environment of the process or prints.

mod adopt;
mod batch;
mod check;
mod context;
mod destination;
mod execute;
mod failure;
mod gates;
mod github_deployment;
mod hand_rollback;
mod history;
mod hold;
mod inspect;
mod mark;
mod named_root;
mod naming_checks;
mod outcome;
mod pipeline;
mod plan;
mod plan_terms;
mod platform_contents;
mod prepared_release;
mod previous_image;
mod record_batch;
mod records;
mod refusal_list;
mod release_facts;
mod release_plan;
mod request;
mod resolve;
mod resolve_and_observe;
mod resolve_release;
mod rollback;
mod sign;
mod source_lookup;
mod source_search;
mod tags;
mod timeline_verb;
mod verify;
mod verify_environment;

pub use adopt::{AdoptOutcome, AdoptRequest, AdoptedRelease, adopt};
pub use batch::{BatchOutcome, ReleaseBatch, ServiceOutcome};
pub use check::{
    CheckOutcome, CheckRequest, CheckedDestination, CheckedRelease, CheckedService, CheckedTag,
    CurrentImage, LabelChange, TagMutability, check,
};
pub use context::ReleaseContext;
pub(crate) use destination::open_to_write;
pub(crate) use failure::signing_failure;
pub use failure::{Diagnostic, Failure};
pub use gates::gate_request::{
    AttestationGateRequest, GateRequest, GateSignerList, ScanGateRequest,
};
pub use gates::github_facts::{GithubFactReader, GithubRun};
pub use gates::given_documents::{FileIdentity, GivenReport, GivenReports, GivenVex};
pub use github_deployment::accompany::GithubDeployment;
pub use github_deployment::options::{DeploymentOptions, GithubEnvironment, GithubLeftOut};
pub use github_deployment::report::{GithubDeploymentStatus, GithubReport};
pub(crate) use history::whole_timeline::read_whole_timeline;
pub use history::{HistoryOutcome, HistoryRequest, RecordedCurrent, TimelineSigning, history};
pub use hold::{HoldChange, HoldOutcome, HoldRequest, HoldTagChange, change_hold};
pub use inspect::{
    CarriedRecord, EnvironmentAccount, InspectOutcome, InspectRequest, InspectSubject,
    InspectedEvidence, KnownImage, inspect,
};
pub use mark::{MarkOutcome, MarkRequest, mark};
pub use named_root::NamedRoot;
pub use naming_checks::refuse_excluded_version;
pub use outcome::{
    DestinationOutcome, PlatformSelection, RecordResult, ReleaseOutcome, SignatureResult,
    TagChange, TagResult,
};
pub use pipeline::{announce_repositories, run};
pub use plan::rollback_tags::{RollbackTag, RollbackTagChange};
pub use plan_terms::PlanTerms;
pub use record_batch::{RecordBatch, RecordBatchOutcome, mark_services, rollback_services};
pub(crate) use records::deletion_record::record_deletions;
pub use records::location::TimelineLocation;
pub use records::options::{RecordOptions, RunAccount};
pub use records::record_rejection::{RECORD_BLOB_LIMIT, RecordRejection};
pub use records::release_name::ReleaseName;
pub use records::timeline_request::TimelineRequest;
pub use records::trust::{RecordSigner, RecordTrust, read_record};
pub use records::unfinished::ReleaseAccount;
pub use records::verified_record::VerifiedRecord;
pub use release_facts::{PlatformContent, PreviousImage, PromotionPath, SignerCheck, SignerName};
pub use release_plan::ReleasePlan;
pub use request::{
    ExistingTagPolicy, ImageCheck, ReleaseNaming, ReleaseRequest, ReleaseVerb, RequestedPlatforms,
    RequiredEvidence, SignatureFormat, SigningOptions,
};
pub(crate) use resolve::image_store::open_to_read;
pub use rollback::{RollbackOutcome, RollbackRequest, rollback};
pub use source_lookup::SourceLookup;
pub use source_search::{CommitSearch, MergedCommit, SoughtImage, SourceOrigin, SourceSearch};
pub use verify::check::{CheckedImage, MissingEvidence, Verification, VerifyRequest, verify};
pub use verify::evidence::{CheckedAttestation, CheckedSignature};
pub use verify::graph::ManifestContent;
pub use verify_environment::{
    EnvironmentFinding, EnvironmentRequest, EnvironmentVerification, FindingKind, ServiceEnd,
    ServiceVerification, VerifiedPlace, verify_environment,
};
