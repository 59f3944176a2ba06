use proptest::prelude::*;

use super::{generate, is_json, walk};
use crate::{
    json::{Fault, Scanner, number::Number},
    violation::Rule,
};

fn value(text: &str) -> Option<f64> {
    let mut scanner = Scanner::new(text.as_bytes(), 0);
    let number = scanner.number().ok()?;
    assert_eq!(number, Number { start: 0, end: text.len() }, "{text}");
    Some(number.value(text.as_bytes()))
}

#[test]
fn numbers_have_the_value_that_a_handler_reads() {
    let cases = [
        ("0", 0.0),
        ("-0", 0.0),
        ("-12.5", -12.5),
        ("1e2", 100.0),
        ("1E-2", 0.01),
        ("0.3", 0.3),
        ("18446744073709551616", 18_446_744_073_709_551_616.0),
        ("1e-400", 0.0),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), Some(expected), "{text}");
    }
}

#[test]
fn what_no_double_holds_is_refused_whatever_its_form() {
    let digits = |count: usize| "9".repeat(count);
    let cases = [
        (digits(308), true),
        (digits(309), false),
        (digits(308) + ".9", true),
        (digits(308) + "e0", true),
        (digits(308) + "e1", false),
        (digits(309) + "e-1", true),
        (digits(208) + "e99", true),
        (digits(209) + "e99", true),
        (digits(210) + "e99", false),
        ("0e999999999999".to_owned(), true),
        ("1e-999999999999".to_owned(), true),
        ("1e999999999999".to_owned(), false),
        ("1.7976931348623157e308".to_owned(), true),
        ("1.7976931348623159e308".to_owned(), false),
        (format!("0.{}1e1000", "0".repeat(999)), true),
    ];
    for (text, is_number) in cases {
        assert_eq!(is_json(text.as_bytes()), is_number, "{text}");
        let fault = Fault { at: 0, rule: Rule::NumberOverflow };
        let expected = if is_number { Ok(()) } else { Err(fault) };
        assert_eq!(walk(text.as_bytes()), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn prop_numbers_are_those_of_serde_json(text in generate::number()) {
        let expected = serde_json::from_str::<f64>(&text).ok();
        prop_assert_eq!(value(&text), expected);
        prop_assert_eq!(walk(text.as_bytes()).is_ok(), is_json(text.as_bytes()));
    }
}
