use super::*;
use proptest::prelude::*;

fn of(text: &str) -> ReleaseVersion {
    ReleaseVersion::parse(text).unwrap()
}

#[test]
fn promise_4_each_form_of_a_version_is_known() {
    for text in [
        "0.29",
        "2025.3",
        "1.19-rc1",
        "1.4.0",
        "1.4.0-rc.1",
        "1.4.0-alpine",
        "2026.02.0",
        "09.0.0",
        "0.9.2.5",
        "0.9.2.5-beta.2",
        "1.28.3+k3s1",
        "1.28.3-rc1+k3s2",
        "1.4.99999999999999999999",
    ] {
        assert_eq!(of(text).to_string(), text);
        assert_eq!(of(&format!("v{text}")), of(text));
    }
    for text in [
        "",
        "1",
        "v1",
        "V1.4.0",
        "vv1.4.0",
        "1.2.3.4.5",
        "1..2",
        "1.4.",
        ".1.4",
        "1.4-alpine",
        "1.4-bookworm-slim",
        "2025-03-10",
        "1.4.0-",
        "1.4.0+",
        "1.4.0-a..b",
        "1.4.x",
        "latest",
        "1.0rc1",
        "1.4.0 ",
        "1.4.0-ä",
    ] {
        assert_eq!(ReleaseVersion::parse(text), None, "{text}");
    }
}

#[test]
fn promise_4_versions_of_all_forms_have_one_order() {
    let ascending = [
        "0.9",
        "0.9.1.9",
        "0.9.2",
        "0.9.2.5",
        "0.29",
        "1.4.0-1",
        "1.4.0-beta.2",
        "1.4.0-rc",
        "1.4.0-rc.2",
        "1.4.0-rc.10",
        "1.4.0-rc9",
        "1.4.0-rc10",
        "1.4.0",
        "1.4.0+k3s1",
        "1.4.0+k3s10",
        "1.4.1",
        "1.18",
        "1.19-rc1",
        "1.19",
        "1.19.1",
        "2025.3",
        "2025.11.1",
        "2026.02.0",
        "99999999999999999999.0",
    ];
    for (at, one) in ascending.iter().enumerate() {
        for (other_at, other) in ascending.iter().enumerate() {
            let order = of(one).cmp_precedence(&of(other));
            assert_eq!(order, at.cmp(&other_at), "{one} {other}");
        }
    }
    for [one, other] in [
        ["1.4", "1.4.0"],
        ["1.4.0", "1.4.0.0"],
        ["2026.02.0", "2026.2.0"],
    ] {
        assert!(of(one).cmp_precedence(&of(other)).is_eq(), "{one} {other}");
    }
}

#[test]
fn a_build_part_is_ordered_by_its_number() {
    let build = |text: &str| ReleaseVersion::parse_build(text, "k3s").map(|it| it.to_string());
    assert_eq!(build("1.28.3-k3s12").as_deref(), Some("1.28.3+k3s12"));
    assert_eq!(
        build("v1.28.3-rc1-k3s1").as_deref(),
        Some("1.28.3-rc1+k3s1")
    );
    assert_eq!(build("1.28.3-rke2r1"), None);
    assert_eq!(build("1.28.3"), None);
    assert_eq!(of("1.28.3+k3s1").build_word(), Some("k3s"));
    assert_eq!(of("1.4.0+build.7").build_word(), Some("build."));
    assert_eq!(of("1.28.3+k3s1").to_tag_text(), "1.28.3-k3s1");
}

#[test]
fn a_channel_is_the_first_word_of_a_prerelease() {
    for (version, channel) in [
        ("1.4.0-rc.2", Some("rc")),
        ("1.4.0-beta2", Some("beta")),
        ("1.4.0-alpha-3.1", Some("alpha")),
        ("1.4.0-0", Some("next")),
        ("1.4.0", None),
        ("1.4.0-latest.1", None),
        ("1.4.0-main.1", None),
        ("1.4.0-prod1", None),
    ] {
        assert_eq!(of(version).channel(), channel, "{version}");
    }
}

fn any_version() -> impl Strategy<Value = String> {
    let numbers = prop::collection::vec("0{0,2}[0-9]{1,2}", 2..=4);
    let prerelease = "(-(rc|beta|a|next)[.]?[0-9]{0,2})?";
    (numbers, prerelease, "([+](k3s|build[.])[0-9]{1,2})?")
        .prop_map(|(numbers, pre, build)| format!("{}{pre}{build}", numbers.join(".")))
        .prop_filter("no version", |text| ReleaseVersion::parse(text).is_some())
}

proptest! {
    #[test]
    fn promise_4_the_order_of_versions_is_total(one in any_version(), other in any_version(), third in any_version()) {
        let [one, other, third] = [one, other, third].map(|text| of(&text));
        prop_assert_eq!(one.cmp_precedence(&other), other.cmp_precedence(&one).reverse());
        let mut sorted = [&one, &other, &third];
        sorted.sort_by(|a, b| a.cmp_precedence(b));
        prop_assert!(sorted[0].cmp_precedence(sorted[2]).is_le());
        if one.cmp_precedence(&other).is_eq() {
            prop_assert_eq!(one.cmp_precedence(&third), other.cmp_precedence(&third));
        }
    }

    #[test]
    fn promise_4_a_version_that_is_written_reads_as_itself(text in any_version()) {
        let version = of(&text);
        prop_assert_eq!(version.to_string(), text);
        if let Some(word) = version.build_word() {
            prop_assert_eq!(ReleaseVersion::parse_build(&version.to_tag_text(), word), Some(version.clone()));
        } else {
            prop_assert_eq!(of(&version.to_tag_text()), version);
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,40}") {
        if let Some(version) = ReleaseVersion::parse(&text) {
            prop_assert_eq!(of(&version.to_string()), version);
        }
    }
}
