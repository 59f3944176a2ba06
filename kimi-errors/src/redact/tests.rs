//! What is hidden, what is not, and that hiding twice changes nothing.

use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> String {
    public(Cow::Owned(text.to_owned())).into_owned()
}

#[test]
fn credentials_are_hidden() {
    let table = [
        ("Bearer x", "Bearer ***"),
        ("bearer  T1,T2,T3.", "bearer  ***."),
        ("got Basic dXNlcjpwYXNz here", "got Basic *** here"),
        ("Incorrect API key provided: sk-aBcD1234efgh", "Incorrect API key provided: ***"),
        ("Incorrect API key provided: hunter2.", "Incorrect API key provided: ***."),
        ("令牌sk-abcdefgh无效", "令牌***无效"),
        ("(rk-live_0123456789)", "(***)"),
        ("org org-0123456789abcdef0123", "org ***"),
        ("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln b", "a *** b"),
        ("token=abc&x=1", "token=***&x=1"),
        ("key=abc, next", "key=***, next"),
        ("password = 'correct horse'", "password = '***'"),
        ("secret=s", "secret=***"),
        (r#"{"access_token":"abc","n":1}"#, r#"{"access_token":"***","n":1}"#),
        (r#"{\"refreshToken\":\"a\\\"b\",\"n\":1}"#, r#"{\"refreshToken\":\"***\",\"n\":1}"#),
        (r#"{"token":"a\"b"}"#, r#"{"token":"***"}"#),
        ("api_key is: no, api_key: abc", "api_key is: no, api_key: ***"),
        ("X-Api-Key: abc", "X-Api-Key: ***"),
        ("API key: abc", "API key: ***"),
        ("密码：hunter2，请重试", "密码：***，请重试"),
        ("Cookie: a=b; kimi-auth=c", "Cookie: ***"),
        (r#"{"authorization": "Bearer abc"}"#, r#"{"authorization": "***"}"#),
        ("Authorization: Digest username=\"u\"\r\nHost: h", "Authorization: ***"),
        ("invalid user token: anything at all", "invalid user token: ***"),
        (
            "Your account org-xyz<ak-abc> request reached organization max RPM: 3",
            "Your account *** request reached organization max RPM: 3",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn urls_keep_host_and_path_only() {
    let table = [
        ("https://u:p@host/path?q#f", "https://host/path"),
        ("see <https://host/a#f>, then", "see <https://host/a>, then"),
        ("\"postgres://me:p@ss@db:5432/x\"", "\"postgres://db:5432/x\""),
        ("POST -> /v1/x?token=abc 请纠正", "POST -> /v1/x 请纠正"),
        ("File https://host/a.pdf?sign=1，请检查", "File https://host/a.pdf，请检查"),
        ("host.example?code=abc", "host.example"),
        ("https://host/v1/sk-abcdefgh/x?y", "https://host/v1/***/x"),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn prose_stays() {
    for text in [
        "a Bearer token is required",
        "basic information",
        "Bearer ***",
        "token=***",
        "locale sk-SK, task-force-alpha, scikit sk-learn, org-wide, org-specific-limits",
        "unexpected token: }",
        "missing key: model",
        "\"token\":null",
        "max_tokens: 5, prompt_tokens=7",
        "Token：已失效",
        "Did you mean /v1/models?",
        "请求/v1/chat失败?请重试",
        "Your account {org}<{ak}> is suspended",
        "token={token}",
        "moonshotai/kimi#338",
        "为什么？因为 1/2 > 0.3",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn clean_text_is_neither_copied_nor_allocated_again() {
    assert!(matches!(public(Cow::Borrowed("请求失败")), Cow::Borrowed("请求失败")));
    let owned = "请求失败".to_owned();
    let address = owned.as_ptr();
    assert_eq!(public(Cow::Owned(owned)).as_ptr(), address);
}

#[test]
fn control_and_invisible_characters_cannot_forge_or_hide() {
    assert_eq!(shown("a\r\nb\tc\0"), "a b c");
    assert_eq!(shown("\n[stopped]"), "[stopped]");
    assert_eq!(shown("a\u{202e}b\u{2066}c\u{200b}d\u{feff}"), "abcd");
    assert_eq!(shown("Bea\u{200b}rer abc"), "Bearer ***");
    assert_eq!(shown("\u{1b}[31mred"), "[31mred");
    assert_eq!(shown("a\u{2028}b\u{85}c"), "a b c");
}

#[test]
fn long_text_is_cut_between_characters() {
    assert_eq!(shown(&"a".repeat(5000)).len(), MAX_BYTES);
    let cut = shown(&"错".repeat(5000));
    assert_eq!(cut, "错".repeat(MAX_BYTES / 3));
}

#[test]
fn a_secret_at_the_cut_does_not_show_its_start() {
    for start in 4060..4100 {
        let text = format!("{} Bearer abcdefghijkl", "x".repeat(start));
        assert!(!shown(&text).contains("abc"), "{start}");
    }
}

#[test]
fn ids_and_names_are_plain_and_no_credentials() {
    assert!(is_plain_id("0198c0de-7e57-7000-8000-000000000000"));
    assert!(is_plain_id("chatcmpl-abc/1:2+3=4@5"));
    assert!(is_plain_name("auth.token.invalid"));
    assert!(is_plain_name("common.error.v1.ErrorDetail"));
    for text in ["", "a b", "a\nb", "错", "sk-abcdefgh", "token=abc", "https://u:p@h"] {
        assert!(!is_plain_id(text), "{text}");
        assert!(!is_plain_name(text), "{text}");
    }
    assert!(!is_plain_name(&"a".repeat(65)));
    assert!(!is_plain_name("a=b"));
}

/// The worst texts for rules that read ahead: each would take minutes if a rule were quadratic.
#[test]
fn takes_linear_time() {
    for unit in [
        "token={",
        "token:",
        "org-",
        "sk-",
        "?",
        "/?",
        "a://",
        "a-",
        "token ",
        "token\\",
        "Bearer ",
        "account <",
        "account x",
        "cookie",
        "\"token\":\"\\",
        "密码：",
        "://@",
        "ey",
        "key=***",
    ] {
        let text = unit.repeat(500_000 / unit.len());
        assert!(shown(&text).len() <= MAX_BYTES, "{unit}");
    }
}

/// Pieces that rules look for, so that random texts meet them.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "Bearer ",
        "Basic ",
        "sk-",
        "org-",
        "eyJ",
        "token",
        "key",
        "password",
        "cookie",
        "=",
        ":",
        "：",
        "://",
        "/",
        "?",
        "#",
        "@",
        "\"",
        "\\",
        "'",
        "***",
        "*",
        "{",
        "}",
        "<",
        ">",
        " ",
        "\n",
        "\u{200b}",
        "account ",
        "invalid user ",
        "API key provided: ",
        "密码",
        "，",
        "-",
        "_",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => "[a-z0-9]{1,9}", 1 => "\\PC{0,4}"]
}

proptest! {
    #[test]
    fn prop_is_idempotent(pieces in prop::collection::vec(piece(), 0..24)) {
        let once = shown(&pieces.concat());
        prop_assert_eq!(shown(&once), once);
    }

    #[test]
    fn prop_is_idempotent_at_the_cut(pieces in prop::collection::vec(piece(), 8..32)) {
        let tail = pieces.concat();
        let text = format!("{}{tail}", "我 ".repeat((MAX_BYTES.saturating_sub(tail.len() / 2)) / 4));
        let once = shown(&text);
        prop_assert!(once.len() <= MAX_BYTES);
        prop_assert_eq!(shown(&once), once);
    }

    #[test]
    fn prop_a_text_that_passes_for_clean_has_nothing_to_hide(
        pieces in prop::collection::vec(piece(), 0..12),
    ) {
        let text = pieces.concat();
        prop_assert!(!clean::is_clean(&text) || scan::hide(&text).is_none(), "{text}");
    }

    #[test]
    fn prop_leaves_no_control_character(text in any::<String>()) {
        prop_assert!(!shown(&text).contains(char::is_control));
    }

    #[test]
    fn prop_hides_a_key_wherever_it_stands(
        before in "\\PC{0,20}[ ：(]", key in "sk-[A-Za-z0-9]{20,48}", after in "\\PC{0,20}",
    ) {
        let text = [before, key.clone(), after].concat();
        prop_assert!(!shown(&text).contains(&key));
    }
}
