use std::collections::HashSet;

use proptest::{prop_assert, proptest};

use super::*;
use crate::{ChatRequest, Profile, Violations, violation::samples};

fn refused(body: &[u8], profile: &Profile) -> Violations {
    ChatRequest::parse(body, profile).unwrap_err()
}

/// The second `validateChatParams` of the article, each of its conditions.
#[test]
fn what_the_article_words_is_told_in_its_words() {
    const MODEL: &str = "模型ID(model)不能为空";
    const MESSAGES: &str = "消息列表(messages)必须是非空数组";
    const ROLE: &str = "消息1的角色(role)必须是user、assistant或system";
    const CONTENT: &str = "消息1的内容(content)必须是非空字符串";
    const STREAM: &str = "流式输出(stream)必须是布尔值";
    for (body, expected) in [
        (r#"{"messages":[M]}"#, MODEL),
        (r#"{"model":"","messages":[M]}"#, MODEL),
        (r#"{"model":null,"messages":[M]}"#, MODEL),
        (r#"{"model":"m"}"#, MESSAGES),
        (r#"{"model":"m","messages":null}"#, MESSAGES),
        (r#"{"model":"m","messages":"hi"}"#, MESSAGES),
        (r#"{"model":"m","messages":{}}"#, MESSAGES),
        (r#"{"model":"m","messages":[]}"#, MESSAGES),
        (r#"{"model":"m","messages":[M,{"content":"hi"}]}"#, ROLE),
        (r#"{"model":"m","messages":[M,{"role":"bot","content":"hi"}]}"#, ROLE),
        (r#"{"model":"m","messages":[M,{"role":"","content":"hi"}]}"#, ROLE),
        (r#"{"model":"m","messages":[M,{"role":1,"content":"hi"}]}"#, ROLE),
        (r#"{"model":"m","messages":[M,{"role":null,"content":"hi"}]}"#, ROLE),
        (r#"{"model":"m","messages":[M,{"role":"user"}]}"#, CONTENT),
        (r#"{"model":"m","messages":[M,{"role":"user","content":""}]}"#, CONTENT),
        (r#"{"model":"m","messages":[M,{"role":"user","content":" \n"}]}"#, CONTENT),
        (r#"{"model":"m","messages":[M,{"role":"user","content":null}]}"#, CONTENT),
        (r#"{"model":"m","messages":[M,{"role":"user","content":["hi"]}]}"#, CONTENT),
        (r#"{"model":"m","messages":[M],"stream":"true"}"#, STREAM),
        (r#"{"model":"m","messages":[M],"stream":1}"#, STREAM),
        (r#"{"model":"m","messages":[M],"stream":null}"#, STREAM),
    ] {
        let body = body.replace('M', r#"{"role":"user","content":"hi"}"#);
        let violations = refused(body.as_bytes(), &Profile::article());
        let found: Vec<_> = violations.iter().map(|it| it.message(Lang::Zh)).collect();
        assert_eq!(found, [expected], "{body}");
    }
}

/// One body for each rule, and more where what is expected differs.
#[test]
fn every_rule_has_its_sentence_in_both_languages() {
    let mut told = HashSet::new();
    let profile = Profile::platform().with_max_body_bytes(1 << 10).with_max_messages(3);
    for (body, pointer, zh, en) in TABLE {
        let body = body.replace('M', r#"{"role":"user","content":"hi"}"#);
        let body = body.replace('L', &"l".repeat(257)).replace('B', &" ".repeat(1025));
        let body = body.replace('D', &"[".repeat(128)).replace('A', r#""role":"assistant""#);
        let violations = refused(&bytes(&body), &profile);
        let [only] = violations.as_slice() else { panic!("{body}: {violations:?}") };
        assert_eq!(
            (only.pointer(), &*only.message(Lang::Zh), &*only.message(Lang::En)),
            (*pointer, *zh, *en),
            "{body}"
        );
        told.insert(only.rule());
    }
    let untold: Vec<_> = Rule::ALL.iter().filter(|rule| !told.contains(*rule)).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

/// `\xff` is a byte that no text has.
fn bytes(body: &str) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    if let Some(at) = body.find("\\xff") {
        bytes.splice(at..at + 4, [0xff]);
    }
    bytes
}

/// Body, pointer, Chinese, English. `M` is a message, `A` an assistant's role, `L` 257 letters, `B`
/// 1025 blanks, `D` 128 brackets.
const TABLE: &[(&str, &str, &str, &str)] = &[
    (
        "B",
        "",
        "请求体不能超过1 KiB，请缩短后重发",
        "the body must not be larger than 1 KiB; send less",
    ),
    ("", "", "请求体不能为空，请发送JSON对象", "the body is empty; send a JSON object"),
    (
        "\u{feff}{}",
        "",
        "请求体不能以字节顺序标记(BOM)开头，请去掉",
        "the body begins with a byte order mark; leave it out",
    ),
    (
        "{\n\"é\":\"\\xff\"}",
        "",
        "请求体第2行第6列不是UTF-8，请用UTF-8编码",
        "the body is not UTF-8 at line 2, column 6; encode it as UTF-8",
    ),
    (
        "{\n\"你\" 1}",
        "",
        "请求体第2行第5列不符合JSON语法，请检查引号、逗号和括号",
        "the body is not JSON at line 2, column 5; check quotes, commas and brackets",
    ),
    (
        r#"{"model":"#,
        "/model",
        "请求体的JSON不完整，第1行第10列就结束了，请完整发送",
        "the JSON of the body is cut off at line 1, column 10; send all of it",
    ),
    (
        r#"{"a":"\ud800"}"#,
        "",
        "请求体第1行第7列的转义只有半个代理对，请成对书写或直接写字符",
        "the body has half a surrogate pair at line 1, column 7; escape both halves or write the character",
    ),
    (
        "{} {}",
        "",
        "请求体第1行第4列在JSON之后还有内容，请只发送一个JSON对象",
        "the body goes on after its JSON at line 1, column 4; send one JSON object and nothing else",
    ),
    (
        r#"{"a":1e999}"#,
        "",
        "请求体第1行第6列的数字超出双精度范围，请改小",
        "the body has a number that no double holds at line 1, column 6; send a smaller one",
    ),
    (
        r#"{"a":D"#,
        "",
        "请求体第1行第132列的嵌套超过127层，请减少层数",
        "the body is nested deeper than 127 levels at line 1, column 132; use fewer",
    ),
    (
        r#"{"model":"m","model":"m","messages":[M]}"#,
        "/model",
        "模型ID(model)重复出现，请只保留一个",
        "model stands twice; send it once",
    ),
    (
        r#"{"model":"m","messages":[M],"response_format":{"type":"json_schema"}}"#,
        "/response_format/json_schema",
        "缺少回答格式(response_format)的结构定义(json_schema)，请补上",
        "response_format.json_schema is missing; add it",
    ),
    (
        r#"{"model":"m","messages":[M],"thinking":{}}"#,
        "/thinking/type",
        "缺少思考(thinking)的类型(type)，请填enabled或disabled",
        "thinking.type is missing; set it to enabled or disabled",
    ),
    ("[]", "", "请求体必须是对象，而不是数组", "the body must be an object, not an array"),
    (
        r#"{"model":5,"messages":[M]}"#,
        "/model",
        "模型ID(model)必须是字符串，而不是数字",
        "model must be a string, not a number",
    ),
    (
        r#"{"model":"m","messages":[M],"n":"1"}"#,
        "/n",
        "回答个数(n)必须是整数，而不是字符串",
        "n must be a whole number, not a string",
    ),
    (
        r#"{"model":"m","messages":[M],"stop":true}"#,
        "/stop",
        "停止词(stop)必须是字符串或数组，而不是布尔值",
        "stop must be a string or an array, not a boolean",
    ),
    (
        r#"{"model":"m","messages":[M],"reasoning_effort":{}}"#,
        "/reasoning_effort",
        "思考强度(reasoning_effort)必须是字符串，而不是对象",
        "reasoning_effort must be a string, not an object",
    ),
    (
        r#"{"model":"m","messages":[M,[]]}"#,
        "/messages/1",
        "消息1必须是对象，而不是数组",
        "message 1 must be an object, not an array",
    ),
    (
        r#"{"model":"m","messages":[{"role":"user","content":null}]}"#,
        "/messages/0/content",
        "消息0的内容(content)必须是非空字符串或非空数组",
        "message 0: content must be a non-empty string or a non-empty array, not null",
    ),
    (
        r#"{"model":"m","messages":[M],"conversation_id":"　"}"#,
        "/conversation_id",
        "对话ID(conversation_id)不能为空或只有空白",
        "conversation_id must not be empty or blank",
    ),
    (
        r#"{"model":"m","messages":[{"role":"user","content":[]}]}"#,
        "/messages/0/content",
        "消息0的内容(content)必须是非空字符串或非空数组",
        "message 0: content must be a non-empty string or a non-empty array",
    ),
    (
        r#"{"model":"m","messages":[M],"stop":["a","b","c","d","e","f"]}"#,
        "/stop",
        "停止词(stop)最多5项，请减少",
        "stop must have at most 5 items; send fewer",
    ),
    (
        r#"{"model":"m","messages":[M],"response_format":{"type":"xml"}}"#,
        "/response_format/type",
        "回答格式(response_format)的类型(type)必须是text、json_object或json_schema",
        "response_format.type must be text, json_object or json_schema",
    ),
    (
        r#"{"model":"m","messages":[{"role":"bot","content":"hi"}]}"#,
        "/messages/0/role",
        "消息0的角色(role)必须是user、assistant、system或tool",
        "message 0: role must be user, assistant, system or tool",
    ),
    (
        r#"{"model":"m","messages":[M],"temperature":1.5}"#,
        "/temperature",
        "采样温度(temperature)必须在0到1之间",
        "temperature must be from 0 to 1",
    ),
    (
        r#"{"model":"m","messages":[M],"max_tokens":-1}"#,
        "/max_tokens",
        "最大输出长度(max_tokens)必须在0到1048576之间",
        "max_tokens must be from 0 to 1048576",
    ),
    (
        r#"{"model":"m","messages":[M],"n":1.5}"#,
        "/n",
        "回答个数(n)必须是整数",
        "n must be a whole number",
    ),
    (
        r#"{"model":"L","messages":[M]}"#,
        "/model",
        "模型ID(model)最长256字节(UTF-8)，请缩短",
        "model must have at most 256 bytes of UTF-8; shorten it",
    ),
    (
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x"}}]}]}"#,
        "/messages/0/content/0/image_url/url",
        "消息0的内容片段0的图片(image_url)的地址(url)的格式不正确，应为data:image/ 或 ms:// 开头的地址",
        "message 0, part 0: image_url.url has the wrong form, expected a URL that begins with data:image/ or ms://",
    ),
    (
        r#"{"model":"m","messages":[M],"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"f"}}]}"#,
        "/tools/1/function/name",
        "工具1的函数(function)的名称(name)与前面的重复，请改用不同的值",
        "tool 1: function.name repeats an earlier one; use another",
    ),
    (
        r#"{"model":"m","messages":[M],"top_logprobs":2}"#,
        "/top_logprobs",
        "使用候选对数概率数(top_logprobs)时，要求logprobs 为 true",
        "top_logprobs asks for logprobs to be true",
    ),
    (
        r#"{"model":"m","messages":[{"role":"tool","content":"hi","tool_call_id":"c"}]}"#,
        "/messages/0/tool_call_id",
        "消息0的工具调用ID(tool_call_id)与前一条assistant消息的工具调用都不对应，请填其中一个的id",
        "message 0: tool_call_id is that of no tool call in the assistant message before; use the id of one",
    ),
    (
        r#"{"model":"m","messages":[{A,"tool_calls":[{"id":"c","type":"function","function":{"name":"f"}}]}]}"#,
        "/messages/0/tool_calls/0/id",
        "消息0的工具调用0的标识(id)没有对应的tool消息，请紧随其后为每个工具调用各补一条",
        "message 0, tool call 0: id is answered by no tool message; send one for each tool call right behind",
    ),
    (
        r#"{"model":"m","messages":[{"role":"user","content":"hi","partial":true}]}"#,
        "/messages/0/partial",
        "消息0的续写(partial)只能用在最后一条消息，且须为assistant消息，不能与response_format的json_object同用",
        "message 0: partial may only stand in the last message, which must be the assistant's, and not with response_format json_object",
    ),
];

#[test]
fn every_sentence_is_one_line_without_a_full_stop() {
    for violation in samples::all(&samples::pointers()) {
        for lang in [Lang::Zh, Lang::En] {
            let text = violation.message(lang);
            assert!(!text.contains(char::is_control) && !text.contains("  "), "{text}");
            assert!(!text.ends_with(['.', '。', ' ', '；', '，']), "{text}");
            assert!(!text.starts_with(char::is_uppercase), "{text}");
            assert!(!["规则要求的值", "what the rule asks for"].iter().any(|it| text.contains(it)));
        }
    }
}

/// What a rule usually comes with may change: even so there is a sentence.
#[test]
fn every_rule_takes_whatever_is_expected() {
    for rule in Rule::ALL {
        for other in Rule::ALL {
            for expected in samples::expected(*other) {
                let violation = samples::violation("/tools/0", *rule, expected);
                assert!(violation.message(Lang::Zh).chars().count() > 6, "{violation:?}");
                assert!(violation.message(Lang::En).len() > 12, "{violation:?}");
            }
        }
    }
}

#[test]
fn every_name_of_the_tables_has_a_word_in_chinese() {
    for name in samples::known_names() {
        assert!(names::gloss(name).is_some(), "{name}");
    }
}

#[test]
fn a_name_that_no_table_has_is_shown_as_it_is() {
    let profile = Profile::article().with_required("user/id");
    let violations =
        refused(br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#, &profile);
    assert_eq!(violations.first().message(Lang::Zh), "缺少user/id，请补上");
    assert_eq!(violations.first().message(Lang::En), "user/id is missing; add it");
}

#[test]
fn a_choice_is_joined_in_words_and_bounded() {
    let all = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    for (names, expected) in [
        (&[] as &[&str], ""),
        (&["a"], "a"),
        (&["a", "b"], "a or b"),
        (&["a", "a", "b", "a"], "a or b"),
        (&["tool", "system", "user", "assistant"], "user, assistant, system or tool"),
        (&all[..8], "a, b, c, d, e, f, g or h"),
        (&all, "a, b, c, d, e, f, g, h or …"),
    ] {
        assert_eq!(choice(names.iter().copied(), ", ", " or "), expected);
    }
}

#[test]
fn sizes_are_written_in_the_largest_whole_unit() {
    for (bytes, expected) in [
        (0, "0 bytes"),
        (1_000, "1000 bytes"),
        (1_024, "1 KiB"),
        (1_536, "1536 bytes"),
        (100 << 20, "100 MiB"),
        (u32::MAX as usize, "4294967295 bytes"),
    ] {
        assert_eq!(size(bytes, " bytes"), expected);
    }
}

proptest! {
    /// Whatever stands in the body: nothing of it is said.
    #[test]
    fn prop_nothing_of_the_body_is_said(secret in "[qxz]{6,9}", escape: bool) {
        let secret = if escape { secret.chars().map(escaped).collect() } else { secret };
        let bodies = [
            format!(r#"{{"model":["{secret}"],"{secret}":1,"messages":[{{"role":"{secret}","content":7,"{secret}":1}}]}}"#),
            format!(r#"{{"model":"m","messages":"{secret}","stream":"{secret}"}}"#),
            format!(r#"{{"model":"{secret}", "{secret} }}"#),
            format!(r#""{secret}""#),
            format!(r#"{{}} {secret}"#),
            format!(
                r#"{{"model":"m","stop":["{0}"],"tools":[{{"type":"{secret}","function":{{"name":"{secret}!"}}}}],"messages":[{{"role":"tool","tool_call_id":"{secret}","content":"hi"}}]}}"#,
                secret.repeat(9),
            ),
        ];
        for (body, profile) in bodies.iter().zip([Profile::article(), Profile::platform()].iter().cycle()) {
            let violations = refused(body.as_bytes(), profile);
            let mut said = format!("{violations} {violations:?}");
            for lang in [Lang::Zh, Lang::En] {
                let error = violations.clone().into_error(lang);
                said += &format!("{error} {error:?} {:?} {:?}", error.data(), error.param());
            }
            prop_assert!(!["q", "x", "z"].iter().any(|it| said.contains(&it.repeat(2))), "{}", said);
            prop_assert!(!said.contains("qx") && !said.contains(&secret), "{}", said);
        }
    }
}

fn escaped(character: char) -> String {
    format!("\\u{:04x}", u32::from(character))
}
