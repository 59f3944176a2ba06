//! One turn at a time for each conversation, and what is in flight.

use std::time::Duration;

use http::StatusCode;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use kimi_testkit::{mock::Mock, script::Step};
use tower::{Service as _, ServiceExt as _};

use super::{ask, chat, errcode, hello, in_conversation, send, streamed};

#[tokio::test]
async fn a_conversation_is_busy_until_its_stream_has_ended() {
    let mock = Mock::platform();
    let request = || chat(&in_conversation("c1", streamed()));
    let mut running = send(&mock, request()).await.into_body();
    running.frame().await.unwrap().unwrap();

    let refused = ask(&mock, request()).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.text(), r#"{"errcode":-2005,"errmsg":"已有对话流正在输出","data":null}"#);
    // By the head field, too; another conversation is free.
    let mut by_field = chat(&hello());
    by_field.headers_mut().insert("x-conversation-id", "c1".parse().unwrap());
    assert_eq!(errcode(&ask(&mock, by_field).await), (429, -2005));
    assert_eq!(ask(&mock, chat(&in_conversation("c2", hello()))).await.status, StatusCode::OK);

    while !running.is_end_stream() {
        running.frame().await.unwrap().unwrap();
    }
    // The body is still there; its end is what counts.
    assert_eq!(ask(&mock, request()).await.status, StatusCode::OK);
    drop(running);
    assert_eq!((mock.max_overlap("c1"), mock.max_overlap("c2")), (2, 1));
}

#[tokio::test]
async fn a_refused_request_that_lingers_holds_nothing() {
    let mock = Mock::platform();
    let request = || chat(&in_conversation("c1", streamed()));
    let running = send(&mock, request()).await;
    mock.push(Step::ok().with_split(1)).unwrap();
    let refused = send(&mock, request()).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);

    drop(running);

    assert_eq!(mock.in_flight(), 1);
    assert_eq!(ask(&mock, request()).await.status, StatusCode::OK);
    drop(refused);
}

#[tokio::test]
async fn dropping_a_stream_frees_its_conversation() {
    let mock = Mock::platform();
    let request = || chat(&in_conversation("c1", streamed()));
    let running = send(&mock, request()).await;
    assert_eq!(errcode(&ask(&mock, request()).await), (429, -2005));

    drop(running);

    assert_eq!(ask(&mock, request()).await.status, StatusCode::OK);
    assert_eq!((mock.in_flight(), mock.max_in_flight()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_slow_unary_answer_holds_its_conversation_and_dropping_its_future_frees_it() {
    let mock = Mock::platform();
    mock.push(Step::ok().with_head_delay(Duration::from_secs(5))).unwrap();
    let request = || chat(&in_conversation("c1", hello()));

    let mut slow = Box::pin(mock.clone().oneshot(request()));
    assert!(tokio::time::timeout(Duration::from_secs(4), &mut slow).await.is_err());
    assert_eq!(errcode(&ask(&mock, request()).await), (429, -2005));
    assert_eq!(mock.in_flight(), 1);

    drop(slow);
    assert_eq!(mock.in_flight(), 0);
    assert_eq!(ask(&mock, request()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_is_in_flight_from_its_call() {
    let mut mock = Mock::platform();
    let call = mock.call(chat(&hello()));
    assert_eq!(mock.in_flight(), 1);
    drop(call);
    mock.idle().await;
    assert_eq!((mock.in_flight(), mock.request_count()), (0, 0));
}
