use super::*;

fn digest(text: &str) -> Digest {
    Digest::from_bytes(text.as_bytes())
}

#[test]
fn promise_4_the_environment_tag_goes_to_the_current_root_of_the_timeline() {
    let own = EnvironmentTagGoal::OwnRoot(digest("root"));
    let written = BTreeSet::from([digest("written")]);
    for (current, at, goal) in [
        (Some("root"), None, own),
        (Some("root"), Some("older"), own),
        (Some("root"), Some("root"), EnvironmentTagGoal::Right),
        (Some("root"), Some("written"), own),
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
            sets: digest("root"),
            is_withdrawn: false,
            current: current.map(digest),
            at: at.map(digest),
            written: &written,
        };
        assert_eq!(environment_tag_goal(facts), goal, "{current:?} {at:?}");
    }
}

#[test]
fn promise_4_a_rollback_puts_the_environment_tag_on_what_it_restores() {
    let written = BTreeSet::new();
    let own = EnvironmentTagGoal::OwnRoot(digest("restored"));
    let newer = EnvironmentTagGoal::OtherRoot(digest("newer"));
    for (current, at, goal) in [
        (Some("restored"), Some("withdrawn"), own),
        (Some("restored"), Some("raced"), own),
        (Some("newer"), Some("withdrawn"), newer),
        (Some("newer"), Some("restored"), newer),
        (Some("newer"), Some("raced"), newer),
        (Some("newer"), None, EnvironmentTagGoal::Superseded),
        (None, Some("withdrawn"), EnvironmentTagGoal::NoRoot),
        (None, Some("raced"), EnvironmentTagGoal::Superseded),
    ] {
        let facts = EnvironmentFacts {
            root: digest("withdrawn"),
            sets: digest("restored"),
            is_withdrawn: true,
            current: current.map(digest),
            at: at.map(digest),
            written: &written,
        };
        assert_eq!(environment_tag_goal(facts), goal, "{current:?} {at:?}");
    }
}
