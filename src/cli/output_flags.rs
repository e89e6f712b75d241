//! Flags of the command line that say what is printed, and how. They are no inputs of a workflow, where
//! outputs, summary and log have their own places.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches};

use super::verb::Verb;

/// What is printed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutputFlags {
    /// Value that standard output gets; `None` if the user did not choose one.
    pub format: Option<OutputFormat>,
    /// How much the log says.
    pub verbosity: Verbosity,
    /// Whether text has colours.
    pub color: ColorChoice,
}

/// Value that standard output gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Report for a person.
    Text,
    /// Object of the step output `json`, as one line.
    Json,
    /// Digest of the image or file.
    Digest,
    /// Full references of the tags, one per line.
    Tags,
    /// `repository@digest` of the image, one per line for several destinations.
    Image,
}

/// How much the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Warnings and errors.
    Quiet,
    /// What is done and decided too.
    #[default]
    Normal,
    /// Each request too.
    Verbose,
}

/// Whether text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// Where the terminal has them, or as `NO_COLOR` and `CLICOLOR_FORCE` say.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// Title of the flags in the help.
const HEADING: &str = "Output";

const COLORS: [(&str, ColorChoice); 3] = [
    ("auto", ColorChoice::Auto),
    ("always", ColorChoice::Always),
    ("never", ColorChoice::Never),
];

impl OutputFormat {
    /// Returns the word of the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Digest => "digest",
            Self::Tags => "tags",
            Self::Image => "image",
        }
    }

    /// Returns the formats that have a meaning for a verb.
    pub fn of_verb(verb: Verb) -> &'static [Self] {
        match verb {
            Verb::Push | Verb::Promote => &[
                Self::Text,
                Self::Json,
                Self::Digest,
                Self::Tags,
                Self::Image,
            ],
            Verb::Verify
            | Verb::History
            | Verb::Inspect
            | Verb::Rollback
            | Verb::Mark
            | Verb::Hold
            | Verb::Unhold => &[Self::Text, Self::Json, Self::Digest, Self::Image],
            Verb::Check => &[Self::Text, Self::Json, Self::Digest, Self::Tags],
            Verb::Tags => &[Self::Text, Self::Json, Self::Tags],
            Verb::SignBundle | Verb::Restore => &[Self::Text, Self::Json, Self::Digest],
            Verb::VerifyBundle | Verb::Policy | Verb::Adopt | Verb::Prune => {
                &[Self::Text, Self::Json]
            }
        }
    }
}

/// Returns the flags of a verb.
pub(super) fn build_flags(verb: Verb) -> [Arg; 4] {
    let formats = OutputFormat::of_verb(verb).iter().map(|one| one.name());
    let colors = COLORS.map(|(name, _)| name);
    let flags = [
        Arg::new("output")
            .long("output")
            .value_name("FORMAT")
            .value_parser(PossibleValuesParser::new(formats))
            .help("Print only this on standard output"),
        Arg::new("quiet")
            .long("quiet")
            .short('q')
            .action(ArgAction::SetTrue)
            .conflicts_with("verbose")
            .help("Log only warnings and errors"),
        Arg::new("verbose")
            .long("verbose")
            .short('v')
            .action(ArgAction::SetTrue)
            .help("Log each request too"),
        Arg::new("color")
            .long("color")
            .value_name("WHEN")
            .value_parser(PossibleValuesParser::new(colors))
            .help("Colour text by what happened: auto follows NO_COLOR and CLICOLOR_FORCE"),
    ];
    flags.map(|flag| flag.help_heading(HEADING))
}

/// Returns what the flags say.
pub(super) fn read_flags(verb: Verb, matches: &ArgMatches) -> OutputFlags {
    let word = |name| matches.get_one::<String>(name).map(String::as_str);
    let format = word("output").and_then(|word| {
        let formats = OutputFormat::of_verb(verb).iter();
        formats.copied().find(|format| format.name() == word)
    });
    let verbosity = match (matches.get_flag("quiet"), matches.get_flag("verbose")) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let color = COLORS.iter().find(|(name, _)| word("color") == Some(*name));
    OutputFlags {
        format,
        verbosity,
        color: color.map_or_else(ColorChoice::default, |(_, choice)| *choice),
    }
}
