//! What a run is asked to do, as far as it is known when the run fails.

/// What a run is asked to do. Texts as given, or as the policy completes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunAttempt {
    /// Source.
    pub source: Option<String>,
    /// Destinations.
    pub destinations: Vec<String>,
    /// Services, if the run releases several.
    pub services: Vec<String>,
    /// Environment that is released to.
    pub environment: Option<String>,
    /// Environment that the images come from.
    pub from: Option<String>,
    /// Whether the run is a dry run.
    pub dry_run: bool,
}

impl RunAttempt {
    /// Returns the attempt with all texts changed by `clean`.
    pub(in crate::report) fn map_texts(self, clean: &dyn Fn(&str) -> String) -> Self {
        let each = |texts: Vec<String>| texts.iter().map(|text| clean(text)).collect();
        Self {
            source: self.source.as_deref().map(clean),
            destinations: each(self.destinations),
            services: each(self.services),
            environment: self.environment.as_deref().map(clean),
            from: self.from.as_deref().map(clean),
            dry_run: self.dry_run,
        }
    }
}
