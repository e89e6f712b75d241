use proptest::prelude::*;

use super::*;
use crate::tagging::CompatMode;

fn read(tags: &str, mode: CompatMode) -> Result<TagRuleSet, RuleError> {
    TagRuleSet::parse(tags, "", mode)
}

#[test]
fn no_rules_mean_the_default_ones() {
    for tags in ["", "\n  \n# type=semver\n"] {
        let rules = read(tags, CompatMode::Compatible).unwrap();
        assert!(rules.is_default() && rules.rules.len() == 4);
    }
    assert!(!read("a", CompatMode::Compatible).unwrap().is_default());
}

#[test]
fn rules_go_by_priority_then_as_written() {
    let order = |tags: &str| {
        let rules = read(tags, CompatMode::Compatible).unwrap().rules;
        rules.into_iter().map(|rule| rule.line).collect::<Vec<_>>()
    };
    assert_eq!(
        order("a\nb\ntype=sha\ntype=ref,event=tag\nc"),
        [4, 1, 2, 5, 3]
    );
    assert_eq!(
        order("a,priority=1\nb,priority=1e3\nc,priority="),
        [2, 1, 3]
    );
    assert_eq!(order("a,priority=x\nb,priority=900"), [1, 2]);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let error = |tags| read(tags, CompatMode::Strict).unwrap_err().to_string();
    for (tags, message) in [
        (
            "type=rwa,value=x",
            r#"the type "rwa" is not known; did you mean raw? (column 6 of "type=rwa,value=x")"#,
        ),
        (
            "type=raw, vlaue=x",
            r#"the attribute "vlaue" is not known; did you mean value? (column 11 of "type=raw, vlaue=x")"#,
        ),
        (
            "x,pattern=y",
            r#"the attribute pattern does not belong to type=raw, which takes value (column 3 of "x,pattern=y")"#,
        ),
        (
            "x,immutable=treu",
            r#"the value of immutable "treu" is not known; did you mean true? (column 13 of "x,immutable=treu")"#,
        ),
        (
            "1.4.0,latest",
            r#"the attribute value is there twice; a line holds one tag (column 7 of "1.4.0,latest")"#,
        ),
        (
            "type=raw",
            r#"the attribute value is missing, which type=raw needs (column 1 of "type=raw")"#,
        ),
        (
            "type=ref,event=tags",
            r#"the value of event "tags" is not known; did you mean tag? (column 16 of "type=ref,event=tags")"#,
        ),
        (
            "x,immutable=perhaps",
            r#"the value of immutable "perhaps" is not known; expected one of true, false (column 13 of "x,immutable=perhaps")"#,
        ),
        (
            "type=match,pattern=x,group=one",
            r#"the value of group "one" is not a number (column 28 of "type=match,pattern=x,group=one")"#,
        ),
    ] {
        assert_eq!(error(tags), message);
    }
    let error = read("a\n\n\"b", CompatMode::Compatible).unwrap_err();
    assert_eq!((error.input, error.line, error.column), ("tags", 3, 2));
}

#[test]
fn flavors_and_images_are_read_or_refused() {
    for flavor in [
        "latest",
        "latest=foo",
        "prefx=a",
        "prefix=a,onlatest=yes",
        "a=b",
    ] {
        let error = TagRuleSet::parse("", flavor, CompatMode::Compatible).unwrap_err();
        assert_eq!(error.input, "flavor", "{flavor}");
    }
    let names = |images: &str| parse_image_names(images).map_err(|error| error.to_string());
    assert_eq!(names("A/b, c").unwrap(), ["a/b", "c"]);
    assert_eq!(names("a\nname=b,enable=false\nname=C").unwrap(), ["a", "c"]);
    assert_eq!(names("").unwrap(), [""; 0]);
    for images in ["name=", "a,bar=baz", "a,enable=bar", "name=,enable=true"] {
        assert!(names(images).is_err(), "{images}");
    }
}

proptest! {
    #[test]
    fn any_text_is_rules_or_an_error_within_it(
        text in "(type|raw|semver|match|pattern|value|event|priority|=|,|\"|#|\n|\\{\\{|[ -~]|\\PC){0,40}"
    ) {
        for mode in [CompatMode::Compatible, CompatMode::Strict] {
            if let Err(error) = read(&text, mode) {
                let lines: Vec<&str> = text.split(['\n', '\r']).collect();
                prop_assert!((1..=lines.len()).contains(&error.line), "{error:?}");
                prop_assert!((1..=text.chars().count() + 2).contains(&error.column));
            }
            let _ = TagRuleSet::parse("", &text, mode);
        }
        let _ = parse_image_names(&text);
    }

    #[test]
    fn priorities_order_rules_and_equal_ones_stay(priorities in prop::collection::vec(0..4u8, 1..12)) {
        let text: Vec<_> =
            priorities.iter().map(|priority| format!("x,priority={priority}")).collect();
        let rules = read(&text.join("\n"), CompatMode::Strict).unwrap().rules;
        let keys: Vec<_> =
            rules.iter().map(|rule| (-rule.priority.unwrap(), rule.line)).collect();
        prop_assert!(keys.is_sorted_by(|a, b| a <= b), "{keys:?}");
    }
}
