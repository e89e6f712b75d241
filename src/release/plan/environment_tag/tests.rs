use super::*;

fn digest(text: &str) -> Digest {
    Digest::from_bytes(text.as_bytes())
}

#[test]
fn promise_4_the_environment_tag_goes_to_the_current_root_of_the_timeline() {
    let written = BTreeSet::from([digest("written")]);
    for (current, at, goal) in [
        (Some("root"), None, EnvironmentTagGoal::OwnRoot),
        (Some("root"), Some("older"), EnvironmentTagGoal::OwnRoot),
        (Some("root"), Some("root"), EnvironmentTagGoal::Right),
        (Some("root"), Some("written"), EnvironmentTagGoal::OwnRoot),
        (Some("newer"), Some("newer"), EnvironmentTagGoal::Right),
        (Some("newer"), Some("older"), EnvironmentTagGoal::Superseded),
        (Some("newer"), None, EnvironmentTagGoal::Superseded),
        (
            Some("newer"),
            Some("root"),
            EnvironmentTagGoal::OtherRoot(digest("newer")),
        ),
        (
            Some("newer"),
            Some("written"),
            EnvironmentTagGoal::OtherRoot(digest("newer")),
        ),
        (None, Some("root"), EnvironmentTagGoal::NoRoot),
        (None, Some("older"), EnvironmentTagGoal::Superseded),
        (None, None, EnvironmentTagGoal::Superseded),
    ] {
        let facts = EnvironmentFacts {
            root: digest("root"),
            current: current.map(digest),
            at: at.map(digest),
            written: &written,
        };
        assert_eq!(environment_tag_goal(facts), goal, "{current:?} {at:?}");
    }
}
