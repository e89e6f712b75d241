use super::*;

fn tags(tags: &[&str]) -> BTreeSet<Tag> {
    tags.iter().map(|tag| tag.parse().unwrap()).collect()
}

fn releases(there: &[&str]) -> SeriesReleases {
    releases_of(there, &ReleaseSeries::default(), &[], &[])
}

fn releases_of(
    there: &[&str],
    series: &ReleaseSeries,
    withdrawn: &[&str],
    excluded: &[&str],
) -> SeriesReleases {
    let excluded = ExcludedVersions::parse(excluded.iter().copied()).unwrap();
    SeriesReleases::from_tags(&tags(there), series, &tags(withdrawn), &excluded)
}

fn of(text: &str) -> ReleaseVersion {
    ReleaseVersion::parse(text).unwrap()
}

fn line(name: &str, version: &str) -> VersionLine {
    VersionLine::named(name, &of(version)).unwrap()
}

fn highest(releases: &SeriesReleases, line: &VersionLine) -> Option<String> {
    releases
        .highest(line)
        .map(|release| release.tag.to_string())
}

#[test]
fn promise_4_lines_by_the_form_of_a_version() {
    for (version, lines) in [
        ("0.29", &["latest"][..]),
        ("2025.3", &["2025", "latest"]),
        ("1.4.0", &["1.4", "1", "latest"]),
        ("0.4.0", &["0.4", "latest"]),
        ("2026.02.0", &["2026.02", "2026", "latest"]),
        ("0.9.2.5", &["0.9", "latest"]),
        ("1.9.2.5", &["1.9", "1", "latest"]),
        ("1.28.3+k3s1", &["1.28", "1", "latest"]),
        ("1.4.0-rc.1", &[]),
        ("1.19-rc1", &[]),
    ] {
        let all = VersionLine::lines_of(&of(version));
        let all: Vec<_> = all.iter().map(VersionLine::to_string).collect();
        assert_eq!(all, lines, "{version}");
    }
}

#[test]
fn a_line_is_found_by_its_name() {
    assert_eq!(line("v1.4", "1.4.2").to_string(), "1.4");
    assert_eq!(line("0", "0.4.2").to_string(), "0");
    assert_eq!(line("latest", "1.19").to_string(), "latest");
    assert_eq!(line("rc", "1.4.0-rc.2").to_string(), "rc");
    for (name, version) in [
        ("1.5", "1.4.2"),
        ("1.19", "1.19"),
        ("vlatest", "1.4.2"),
        ("rc", "1.4.0"),
    ] {
        assert_eq!(VersionLine::named(name, &of(version)), None, "{name}");
    }
}

#[test]
fn promise_4_versions_of_every_form_count_as_releases() {
    let none = releases(&[
        "buildcache",
        "git-2b2e927",
        "9",
        "latest",
        "pr-99",
        "9.0.0-rc.1",
        "x-9.0.0",
        "V9.0.0",
        "9-0-0",
        "9.0.0-alpine",
        "9.9-alpine",
        "20251231",
    ]);
    assert_eq!(highest(&none, &VersionLine::Latest), None);
    let some = releases(&["v1.4.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]);
    assert_eq!(
        highest(&some, &VersionLine::Latest).as_deref(),
        Some("1.10.0")
    );
    assert_eq!(
        highest(&some, &line("1.4", "1.4.0")).as_deref(),
        Some("v1.4.0")
    );
    assert_eq!(highest(&some, &line("2", "2.0.0")), None);
    for there in ["1.19", "2026.02.0", "0.9.2.5", "v1.4.0"] {
        assert_eq!(
            highest(&releases(&[there]), &VersionLine::Latest).as_deref(),
            Some(there)
        );
    }
}

#[test]
fn promise_4_a_tag_of_two_numbers_is_a_release_where_its_line_has_none() {
    let latest = |there: &[&str]| highest(&releases(there), &VersionLine::Latest);
    assert_eq!(latest(&["1.4", "1.4.2"]).as_deref(), Some("1.4.2"));
    assert_eq!(latest(&["1.5", "1.4.2"]).as_deref(), Some("1.5"));
    assert_eq!(
        latest(&["1.5", "1.5.0-rc.1", "1.4.2"]).as_deref(),
        Some("1.5")
    );
    assert_eq!(
        latest(&["2026.2", "2026.02.1"]).as_deref(),
        Some("2026.02.1")
    );
}

#[test]
fn of_equal_versions_the_spelling_of_this_run_counts() {
    let both = ["v1.4.0", "1.4.0"];
    let with_v = ReleaseSeries::from_affixes("v", "");
    assert_eq!(
        highest(&releases(&both), &VersionLine::Latest).as_deref(),
        Some("1.4.0")
    );
    let releases = releases_of(&both, &with_v, &[], &[]);
    assert_eq!(
        highest(&releases, &VersionLine::Latest).as_deref(),
        Some("v1.4.0")
    );
}

#[test]
fn each_series_has_its_own_history() {
    let there = [
        "2.0.0",
        "1.4.0-alpine",
        "1.4.1-alpine",
        "web-3.0.0",
        "web-v3.1.0",
        "x-alpine",
    ];
    let highest = |prefix: &str, suffix: &str| {
        let series = ReleaseSeries::from_affixes(prefix, suffix);
        highest(
            &releases_of(&there, &series, &[], &[]),
            &VersionLine::Latest,
        )
    };
    assert_eq!(highest("", "").as_deref(), Some("2.0.0"));
    assert_eq!(highest("", "-alpine").as_deref(), Some("1.4.1-alpine"));
    assert_eq!(highest("web-", "").as_deref(), Some("web-v3.1.0"));
    assert_eq!(highest("web-v", "").as_deref(), Some("web-v3.1.0"));
    assert_eq!(highest("api-", ""), None);
}

#[test]
fn promise_4_withdrawn_and_excluded_versions_never_count() {
    let there = ["1.4.0", "1.4.1", "v1.4.2", "2024.5.1"];
    let releases = releases_of(
        &there,
        &ReleaseSeries::default(),
        &["v1.4.2", "v1.4.1"],
        &["2024.*"],
    );
    assert_eq!(
        highest(&releases, &VersionLine::Latest).as_deref(),
        Some("1.4.1"),
        "another tag of the version is another image"
    );
    let reason = |version: &str| releases.unmovable_reason(&VersionLine::Latest, &of(version));
    assert_eq!(reason("2024.6"), Some("is excluded"));
    assert_eq!(reason("1.5.0-rc.1"), Some("is a pre-release"));
    assert_eq!(reason("1.4.3"), None);
    let minor = line("1.4", "1.4.0");
    assert_eq!(
        releases.unmovable_reason(&minor, &of("1.5.0")),
        Some("is not of that line")
    );
}

#[test]
fn releases_are_told_by_their_rank() {
    let there = releases(&["2.1.0", "1.4.2", "1.4.3", "2.2.0-rc.1"]);
    let names = |list: Vec<&TaggedRelease>| -> Vec<String> {
        list.iter().map(|it| it.tag.to_string()).collect()
    };
    let (latest, ours) = (VersionLine::Latest, of("1.4.2"));
    assert_eq!(
        names(there.higher_than(&latest, &ours).collect()),
        ["2.1.0", "1.4.3"]
    );
    assert_eq!(
        names(there.lower_than(&latest, &of("2.0.0")).collect()),
        ["1.4.3", "1.4.2"]
    );
    assert_eq!(
        there
            .higher_than(&line("1.4", "1.4.3"), &of("1.4.3+build.7"))
            .count(),
        0
    );
}

#[test]
fn promise_4_a_channel_follows_its_prereleases() {
    let there = releases(&["1.4.0-rc.1", "1.4.0-rc.2", "1.5.0-beta.1", "1.4.0"]);
    let rc = line("rc", "1.4.0-rc.3");
    assert_eq!(highest(&there, &rc).as_deref(), Some("1.4.0-rc.2"));
    assert_eq!(there.higher_than(&rc, &of("1.4.0-rc.1")).count(), 1);
    assert_eq!(there.unmovable_reason(&rc, &of("1.4.0-rc.3")), None);
    assert_eq!(
        there.unmovable_reason(&rc, &of("1.4.0")),
        Some("is not of that line")
    );
}
