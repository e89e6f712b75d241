use std::fmt;

/// How closely docker/metadata-action is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CompatMode {
    /// Its answers, with a warning wherever [`CompatMode::Strict`] would give another.
    #[default]
    Compatible,
    /// Its traps mended.
    Strict,
}

/// Where docker/metadata-action gives what hardly anybody means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is described by its title")]
pub enum CompatDifference {
    Quotes,
    Comment,
    UnknownAttribute,
    RepeatedAttribute,
    Priority,
    FlavorValue,
    Escape,
    UnknownExpression,
    FalseIsTrue,
    DefaultOnCreate,
    TimeZone,
    CommitDate,
    ShortSha,
    NoMatch,
    MajorZero,
    Lists,
    BadTag,
    LongTag,
    ReservedName,
    MergeQueue,
    MergeCommit,
    OtherRun,
    Deleted,
    Draft,
    LatestOnPrerelease,
    LinesOnPrerelease,
    LatestByFirstRule,
    LatestTemplate,
    LatestTwice,
}

impl CompatDifference {
    /// All of them, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Quotes,
        Self::Comment,
        Self::UnknownAttribute,
        Self::RepeatedAttribute,
        Self::Priority,
        Self::FlavorValue,
        Self::Escape,
        Self::UnknownExpression,
        Self::FalseIsTrue,
        Self::DefaultOnCreate,
        Self::TimeZone,
        Self::CommitDate,
        Self::ShortSha,
        Self::NoMatch,
        Self::MajorZero,
        Self::Lists,
        Self::BadTag,
        Self::LongTag,
        Self::ReservedName,
        Self::MergeQueue,
        Self::MergeCommit,
        Self::OtherRun,
        Self::Deleted,
        Self::Draft,
        Self::LatestOnPrerelease,
        Self::LinesOnPrerelease,
        Self::LatestByFirstRule,
        Self::LatestTemplate,
        Self::LatestTwice,
    ];

    /// What happens there, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Quotes => "quotes that protect a comma are lost, others are an error",
            Self::Comment => "an indented # begins a tag, not a comment",
            Self::UnknownAttribute => "an unknown attribute is ignored",
            Self::RepeatedAttribute => "of a repeated attribute the last counts",
            Self::Priority => "a priority that is not a number leaves the order to chance",
            Self::FlavorValue => "a flavor's value ends at its first =",
            Self::Escape => "{{…}} escapes names for HTML",
            Self::UnknownExpression => "an unknown expression is empty",
            Self::FalseIsTrue => "{{#if is_default_branch}} holds for false as well",
            Self::DefaultOnCreate => "create makes {{is_default_branch}} true for any ref",
            Self::TimeZone => "an unknown time zone means UTC",
            Self::CommitDate => "an unknown commit date is the time of the run",
            Self::ShortSha => "any number is taken as the length of a short SHA",
            Self::NoMatch => "a match that fails leaves the whole name to be the version",
            Self::MajorZero => "0 is a line of versions",
            Self::Lists => "lists in versions are joined with commas",
            Self::BadTag => "a tag may begin with a dot or dash",
            Self::LongTag => "a tag may be longer than 128 characters",
            Self::ReservedName => "a branch can take the name of a version, of latest, of a commit",
            Self::MergeQueue => "a merge queue's branch is an ordinary branch",
            Self::MergeCommit => "a pull request's SHA is that of a merge commit",
            Self::OtherRun => "workflow_run is about the default branch",
            Self::Deleted => "a branch or tag that is gone is tagged",
            Self::Draft => "a release that is not published is tagged",
            Self::LatestOnPrerelease => "latest goes to a pre-release",
            Self::LinesOnPrerelease => "a release marked as pre-release moves version lines",
            Self::LatestByFirstRule => "the first rule alone decides on latest",
            Self::LatestTemplate => "flavor expressions are not expanded for latest",
            Self::LatestTwice => "latest is listed twice",
        }
    }
}

impl CompatDifference {
    /// Returns what strict mode does instead.
    fn strict_title(self) -> &'static str {
        match self {
            Self::Quotes => "quotes protect a comma",
            Self::Comment => "an indented # begins a comment",
            Self::UnknownAttribute => "an unknown attribute is an error",
            Self::RepeatedAttribute => "a repeated attribute is an error",
            Self::Priority => "a priority that is not a number is an error",
            Self::FlavorValue => "a flavor's value is kept as a whole",
            Self::Escape => "{{…}} does not escape names for HTML",
            Self::UnknownExpression => "an unknown expression is an error",
            Self::FalseIsTrue => "{{#if is_default_branch}} does not hold for false",
            Self::DefaultOnCreate => {
                "create makes {{is_default_branch}} true for the default branch only"
            }
            Self::TimeZone => "an unknown time zone is an error",
            Self::CommitDate => "an unknown commit date is an error",
            Self::ShortSha => "a length of a short SHA is a whole number from 4 to 64",
            Self::NoMatch => "a match that fails gives no tag",
            Self::MajorZero => "0 is no version line, so no tag is given",
            Self::Lists => "lists in versions are joined with dots",
            Self::BadTag => "dots and dashes at the start of a tag are removed",
            Self::LongTag => "a tag of more than 128 characters is shortened",
            Self::ReservedName => {
                "a branch does not take the name of a version, of latest or of a commit"
            }
            Self::MergeQueue => "a merge queue's branch gives no tag",
            Self::MergeCommit => "the SHA of a pull request's head is used",
            Self::OtherRun => "the branch and commit that workflow_run is about are used",
            Self::Deleted => "a branch or tag that is gone is not tagged",
            Self::Draft => "a release that is not published is not tagged",
            Self::LatestOnPrerelease => "no latest is given for a pre-release",
            Self::LinesOnPrerelease => "a release marked as pre-release gives its version only",
            Self::LatestByFirstRule => "latest is given, whichever rule is the first",
            Self::LatestTemplate => "flavor expressions are expanded for latest",
            Self::LatestTwice => "latest is listed once",
        }
    }
}

/// Something that a person should know of how the rules were taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The trap that was stepped into, where it was one: then the other mode answers otherwise.
    pub difference: Option<CompatDifference>,
    /// What happened. May hold text from outside, made printable.
    pub text: String,
    /// Whether it only tells what strict mode has done, which is no reason for a warning.
    pub is_note: bool,
}

impl Finding {
    /// Returns a finding that is about no difference between the modes.
    pub fn from_note(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            difference: None,
            text,
            is_note: false,
        }
    }

    /// Returns the finding as strict mode tells it: what was done instead, as a note.
    pub(super) fn into_strict(self) -> Self {
        let Some(difference) = self.difference else {
            return self;
        };
        Self {
            difference: None,
            text: self
                .text
                .replacen(difference.title(), difference.strict_title(), 1),
            is_note: true,
        }
    }

    pub(super) fn from_difference(difference: CompatDifference, text: impl Into<String>) -> Self {
        Self {
            difference: Some(difference),
            text: text.into(),
            is_note: false,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
