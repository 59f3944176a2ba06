use super::{assert_fault, is_json, walk};
use crate::{
    json::{Fault, JsonType, Scanner},
    violation::Rule,
};

#[test]
fn takes_every_kind_of_value() {
    let texts = [
        "null",
        " true ",
        "\t\r\n false",
        "\"\"",
        "0",
        "-0.5e+7",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        r#"[1,[2,{"a":[]}],{}]"#,
        r#"{"a" : {"a":1,"a":2}, "":[null]}"#,
    ];
    for text in texts {
        assert_eq!(walk(text.as_bytes()), Ok(()), "{text}");
        assert!(is_json(text.as_bytes()), "{text}");
    }
}

#[test]
fn the_first_wrong_byte_is_named() {
    let cases: &[(&str, usize)] = &[
        ("", 0),
        ("  ", 2),
        ("x", 0),
        ("'a'", 0),
        ("\u{a0}1", 0),
        ("\x0b1", 0),
        // Words.
        ("nul", 3),
        ("nulx", 3),
        ("tru ", 3),
        ("fALSE", 1),
        ("None", 0),
        ("NaN", 0),
        // Numbers.
        ("-", 1),
        ("-x", 1),
        ("+1", 0),
        (".5", 0),
        ("1.", 2),
        ("1.e5", 2),
        ("1e", 2),
        ("1e+", 3),
        ("1E-x", 3),
        ("-Infinity", 1),
        // Arrays.
        ("[", 1),
        ("[1", 2),
        ("[,1]", 1),
        ("[1,]", 3),
        ("[1,,2]", 3),
        ("[1 2]", 3),
        ("[1}", 2),
        ("[01]", 2),
        ("[0x1]", 2),
        ("[1.2.3]", 4),
        ("[truefalse]", 5),
        // Objects.
        ("{", 1),
        ("{,", 1),
        ("{a:1}", 1),
        ("{1:1}", 1),
        (r#"{"a"}"#, 4),
        (r#"{"a" 1}"#, 5),
        (r#"{"a":}"#, 5),
        (r#"{"a":1"#, 6),
        (r#"{"a":1]"#, 6),
        (r#"{"a":1,}"#, 7),
        (r#"{"a":1 "b":2}"#, 7),
        (r#"{"a":1,"b"}"#, 10),
        (r#"{"a":/**/1}"#, 5),
        // Strings.
        ("\"", 1),
        ("\"ab", 3),
        ("\"a\nb\"", 2),
        ("\"\u{0}\"", 1),
        (r#""\x""#, 2),
        (r#""\"#, 2),
        (r#""\U0041""#, 2),
        (r#""\u""#, 3),
        (r#""\u12""#, 5),
        (r#""\u12g4""#, 5),
        (r#""\u+123""#, 3),
        (r#""\u004"#, 6),
        (r#""\ud83d\u12""#, 11),
    ];
    for (text, at) in cases {
        assert_fault(text, *at, Rule::Syntax);
    }
}

#[test]
fn what_follows_the_value_is_named() {
    for (text, at) in [("1 2", 2), ("{}}", 2), ("null,", 4), ("01", 1), ("\"a\"\u{feff}", 3)] {
        assert_fault(text, at, Rule::TrailingData);
    }
}

#[test]
fn a_lone_surrogate_is_named_where_its_escape_begins() {
    let cases = [
        (r#""\ud800""#, 1),
        (r#""a\uDFFF""#, 2),
        (r#""\udbff\n""#, 1),
        (r#""\ud800\ud800""#, 1),
        (r#""\ud800\u0041""#, 1),
        (r#""\ud83d\ude00\ud83d""#, 13),
        (r#"{"\udc00":1}"#, 2),
        (r#""\udc00\u12g4""#, 1),
    ];
    for (text, at) in cases {
        assert_fault(text, at, Rule::LoneSurrogate);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_named_where_their_character_begins() {
    let cases: &[(&[u8], usize)] = &[
        (b"\"\x80\"", 1),
        (b"\"a\xFF\"", 2),
        (b"\"\xC0\xAF\"", 1),
        (b"\"\xE4\xB8\"", 1),
        (b"\"\xE4\xB8\xAD\xE4\"", 4),
        (b"\"\xED\xA0\x80\"", 1),
        (b"\"\xF4\x90\x80\x80\"", 1),
        (b"\"\xF0\x9F\x98", 1),
        (b"{\"\xFF\":1}", 2),
    ];
    for (text, at) in cases {
        assert_fault(text, *at, Rule::Utf8);
    }
    // Outside of strings nothing but ASCII can stand, so that it is the syntax that is broken.
    assert_fault(b"[\xFF]", 1, Rule::Syntax);
}

#[test]
fn the_first_fault_in_input_order_wins() {
    // The fillers put the faults into one word, into different words, chunks and blocks.
    for filler in [0, 1, 7, 8, 9, 15, 17, 63, 64, 65, 511, 513, 8_191, 8_192, 8_193, 20_000] {
        let fill = |first: &[u8], then: &[u8]| {
            [b"\"".as_slice(), first, &b"a".repeat(filler), then, b"\""].concat()
        };
        assert_fault(fill(b"\n", b"\xFF"), 1, Rule::Syntax);
        assert_fault(fill(b"\xFF", b"\n"), 1, Rule::Utf8);
        assert_fault(fill(b"\xFF", b"\\x"), 1, Rule::Utf8);
        assert_fault(fill(b"\\x", b"\xFF"), 2, Rule::Syntax);
        assert_fault(fill(b"\xFF", b"\\ud800"), 1, Rule::Utf8);
        assert_fault(fill(b"\\ud800", b"\xFF"), 1, Rule::LoneSurrogate);
        assert_fault(fill("\\u4e2d\u{4e2d}".as_bytes(), b"\n"), 10 + filler, Rule::Syntax);
    }
}

#[test]
fn a_number_beyond_a_double_is_named_where_it_begins() {
    for text in ["1e309", "[-1e999]", "[1, 1e400]"] {
        let at = text.find(['1', '-']).unwrap();
        let at = if text.starts_with("[1,") { 4 } else { at };
        assert_fault(text, at, Rule::NumberOverflow);
    }
    assert_fault("9".repeat(309), 0, Rule::NumberOverflow);
}

#[test]
fn nesting_is_as_deep_as_serde_json_reads_and_costs_no_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |levels: usize| {
            let inner = if open == "[" { "" } else { "1" };
            format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
        };
        assert_eq!(walk(nested(127).as_bytes()), Ok(()));
        assert!(is_json(nested(127).as_bytes()));
        assert_fault(nested(128), 127 * open.len(), Rule::Depth);
        assert_fault(open.repeat(40_000), 127 * open.len(), Rule::Depth);
    }
    // What was closed does not count, and each level remembers of which kind it is.
    let mixed = "[{\"a\":".repeat(63) + "[]" + &"}]".repeat(63);
    assert_eq!(walk(mixed.as_bytes()), Ok(()));
    assert_eq!(walk(format!("[{mixed},{{}},[[]]]").as_bytes()), Err(depth(1 + 63 * 6)));
    assert_fault(mixed.replace("[]}", "[]]"), 63 * 6 + 2, Rule::Syntax);
}

fn depth(at: usize) -> Fault {
    Fault { at, rule: Rule::Depth }
}

#[test]
fn no_scanner_goes_deeper_than_it_can_remember() {
    let text = "[".repeat(200);
    let mut scanner = Scanner::new(text.as_bytes(), u32::MAX);
    assert_eq!(scanner.value(), Ok(JsonType::Array));
    assert_eq!(scanner.skip(), Err(depth(127)));
}
