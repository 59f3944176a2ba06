use super::*;

#[test]
fn shows_pointer_rule_and_what_is_expected_in_one_line() {
    let long = "/".to_owned() + &"x".repeat(100);
    let cut = "/".to_owned() + &"x".repeat(60) + "…";
    let cut = format!("{cut} (required): {}… is missing; add it", "x".repeat(61));
    let place = Place { line: 1, column: 2 };
    for (pointer, rule, expected, shown) in [
        ("/n", Rule::Integer, Expected::Nothing, "/n (integer): n must be a whole number"),
        (
            "",
            Rule::TrailingData,
            Expected::Place(place),
            "body (trailing_data): the body goes on after its JSON at line 1, column 2; send one \
             JSON object and nothing else",
        ),
        (
            "/a\nb",
            Rule::Unique,
            Expected::Nothing,
            "/a\u{fffd}b (unique): a\u{fffd}b repeats an earlier one; use another",
        ),
        (&long, Rule::Required, Expected::Nothing, &cut),
    ] {
        assert_eq!(samples::violation(pointer, rule, expected).to_string(), shown);
    }
}
