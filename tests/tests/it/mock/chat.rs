//! The default success, in the exact form of each style.

use serde_json::json;

use super::{Mock, ask, chat, hello, in_conversation, streamed};
use kimi_testkit::script::{Step, Usage};

#[tokio::test]
async fn platform_answers_in_its_exact_form() {
    let answer = ask(&Mock::platform(), chat(&hello())).await;

    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"id":"chatcmpl-mock-1","object":"chat.completion","created":1710000000,"#,
            r#""model":"kimi-k3","choices":[{"index":0,"message":{"role":"assistant","#,
            r#""content":"你说：Hello"},"finish_reason":"stop"}],"#,
            r#""usage":{"prompt_tokens":5,"completion_tokens":8,"total_tokens":13}}"#
        )
    );
}

#[tokio::test]
async fn platform_streams_in_its_exact_form() {
    let mock = Mock::platform();
    mock.push(Step::ok().with_content("你好").with_chunks(2)).unwrap();

    let answer = ask(&mock, chat(&streamed())).await;

    assert_eq!(answer.headers["content-type"], "text/event-stream");
    let head = concat!(
        r#"data: {"id":"chatcmpl-mock-1","object":"chat.completion.chunk","#,
        r#""created":1710000000,"model":"kimi-k3","choices":[{"index":0,"delta":"#
    );
    let usage = r#""usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}"#;
    let expected = [
        format!("{head}{{\"role\":\"assistant\",\"content\":\"\"}},\"finish_reason\":null}}]}}"),
        format!("{head}{{\"content\":\"你\"}},\"finish_reason\":null}}]}}"),
        format!("{head}{{\"content\":\"好\"}},\"finish_reason\":null}}]}}"),
        format!("{head}{{}},\"finish_reason\":\"stop\",{usage}}}]}}"),
        "data: [DONE]".to_owned(),
        String::new(),
    ];
    assert_eq!(answer.text(), expected.join("\n\n"));
}

#[tokio::test]
async fn free_api_answers_and_streams_in_its_exact_form() {
    let mock = Mock::free_api();
    mock.push(Step::ok().with_content("你好").with_chunks(1)).unwrap();
    let conversation = "cnndivilnl96vah411dg";

    let answer = ask(&mock, chat(&in_conversation(conversation, streamed()))).await;

    let first = answer.text().split("\n\n").next().unwrap();
    assert_eq!(
        first,
        concat!(
            r#"data: {"id":"cnndivilnl96vah411dg","model":"kimi-k3","#,
            r#""object":"chat.completion.chunk","choices":[{"index":0,"delta":"#,
            r#"{"role":"assistant","content":""},"finish_reason":null}],"#,
            r#""segment_id":"mocksegment000000001","created":1710000000}"#
        )
    );
    let events = answer.events();
    let last = events.last().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["usage"]["total_tokens"], 7);
    assert!(answer.text().ends_with("data: [DONE]\n\n"));

    let unary = ask(&mock, chat(&hello())).await.json();
    assert_eq!(unary["id"], "mockconversation0002");
    assert_eq!(unary["usage"]["total_tokens"], 13);
}

#[tokio::test]
async fn the_answer_quotes_the_last_user_message_in_a_few_chunks() {
    let mock = Mock::platform();
    let mut body = streamed();
    body["messages"] = json!([
        {"role": "user", "content": "first"},
        {"role": "user", "content": [{"type": "text", "text": "二"}, {"type": "text", "text": "号"}]},
        {"role": "assistant", "content": "later"},
    ]);

    let events = ask(&mock, chat(&body)).await.events();

    let content = |event: &serde_json::Value| {
        event["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(events.iter().map(content).collect::<String>(), "你说：二号");
    assert!(events.len() > 4, "{events:?}");
    assert_eq!(events.last().unwrap()["choices"][0]["usage"]["prompt_tokens"], 12);
}

#[tokio::test]
async fn usage_comes_in_an_event_of_its_own_where_it_is_asked_for() {
    let mock = Mock::platform();
    mock.push(Step::ok().with_usage(Usage::new(100, 20)).with_finish_reason("length")).unwrap();
    let mut body = streamed();
    body["stream_options"] = json!({"include_usage": true});

    let events = ask(&mock, chat(&body)).await.events();

    let [.., finish, usage] = &events[..] else { panic!("{events:?}") };
    assert_eq!(finish["choices"][0]["finish_reason"], "length");
    assert_eq!(usage["choices"], json!([]));
    let total = json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120});
    assert_eq!(usage["usage"], total);
}

#[tokio::test]
async fn the_same_requests_get_the_same_answers() {
    let first = ask(&Mock::platform(), chat(&streamed())).await;
    let second = ask(&Mock::platform(), chat(&streamed())).await;
    assert_eq!(first.body, second.body);
}
