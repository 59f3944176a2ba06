//! The page of a gateway, and what is behind it.

use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use kimi_errors::Dialect;
use kimi_examples::gateway::{Board, Log, Settings, Status, Upstream};
use kimi_testkit::{mock::Mock, script::Script, server::MockServer};
use kimi_tower::request_log::{MetricsObserver, RequestLogLayer};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::Value;

use super::wire::{CHAT, Gateway, QUESTION};

async fn watched() -> (Gateway, MockServer) {
    let server = MockServer::start(Mock::platform()).await.unwrap();
    let upstream: Upstream = server.url().parse().unwrap();
    let board = Board::new();
    let log: Log = Some(std::sync::Arc::new(board.clone()));
    let settings = Settings {
        log: RequestLogLayer::new().with_observer(log),
        status: Some(Status { board, metrics: None }),
        dialect: Dialect::Errcode,
        ..Settings::default()
    };
    (Gateway::serving(upstream, settings).await, server)
}

fn get(path: &str) -> Request<Full<bytes::Bytes>> {
    Request::get(path).body(Full::default()).unwrap()
}

fn chat(key: &str, body: &'static str) -> Request<Full<bytes::Bytes>> {
    Request::post(format!("{CHAT}?secret=CaNaRy0"))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {key}"))
        .body(Full::from(body))
        .unwrap()
}

#[tokio::test]
async fn the_numbers_are_those_of_the_requests() {
    let (gateway, _server) = watched().await;
    assert_eq!(gateway.send(chat("sk-CaNaRy1", QUESTION)).await.status, StatusCode::OK);
    assert_eq!(gateway.send(chat("sk-1", "{}")).await.status, StatusCode::BAD_REQUEST);
    // What no route takes goes through the layers, too.
    let lost = gateway.send(get("/other")).await;
    assert!(lost.status == StatusCode::NOT_FOUND && lost.body.contains("-1002"), "{}", lost.body);
    let said = gateway.send(get("/status.json")).await.body;
    assert!(!said.contains("CaNaRy"), "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["under_way"], 0);
    assert_eq!(said["requests"], serde_json::json!({ "success": 1, "client_error": 2 }));
    let errors = serde_json::json!({ "validation": 1, "client_error": 1 });
    assert_eq!(said["errors"], errors);
    assert_eq!((&said["sessions"]["active"], &said["concurrency"]["held"]), (&0.into(), &0.into()));
    let recent = said["recent"].as_array().unwrap();
    assert_eq!(
        (recent.len(), &recent[1]["status"], &recent[2]["status"]),
        (3, &400.into(), &200.into())
    );
    assert_eq!(recent[2]["path"], CHAT);
    // What is asked of the page is no request.
    let again: Value = serde_json::from_str(&gateway.send(get("/status.json")).await.body).unwrap();
    assert_eq!(again["requests"], said["requests"]);
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let (gateway, _server) = watched().await;
    let page = gateway.send(get("/")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'")
    );
    assert!(!page.body.contains("http://") && !page.body.contains("https://"));
    assert_eq!(gateway.send(get("/status.js")).await.status, StatusCode::OK);
    assert_eq!(gateway.send(get("/healthz")).await.body, "ok");
    assert_eq!(gateway.send(get("/metrics")).await.status, StatusCode::NOT_FOUND);
}

/// The first answer does not end.
const ENDLESS: &str = r#"{"steps": [{"endless": true}]}"#;
const IN_CONVERSATION: &str = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}],"stream":true,"conversation_id":"c-1"}"#;

#[tokio::test]
async fn metrics_have_what_is_under_way_and_what_has_been() {
    // Of this thread, on which the gateway is, too.
    let recorder = PrometheusBuilder::new().build_recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let mock = Mock::platform().with_script(Script::from_json(ENDLESS).unwrap());
    let server = MockServer::start(mock).await.unwrap();
    let log: Log = Some(std::sync::Arc::new(MetricsObserver::new()));
    let settings = Settings {
        log: RequestLogLayer::new().with_observer(log),
        status: Some(Status { board: Board::new(), metrics: Some(recorder.handle()) }),
        ..Settings::default()
    };
    let gateway = Gateway::serving(server.url().parse().unwrap(), settings).await;
    let scrape = async || {
        let said = gateway.send(get("/metrics")).await.body;
        move |name: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.map(str::to_owned)
        }
    };
    let mut answer = gateway.open(chat("sk-1", IN_CONVERSATION)).await.into_body();
    answer.frame().await.unwrap().unwrap();
    let said = scrape().await;
    for (name, value) in [
        ("kimi_sessions_active", "1"),
        ("kimi_sessions_waiting", "0"),
        ("kimi_concurrency_held", "1"),
        ("kimi_concurrency_waiting", "0"),
        ("kimi_concurrency_callers", "1"),
    ] {
        assert_eq!(said(name).as_deref(), Some(value), "{name}");
    }
    // Nobody reads it any more: as soon as that is known it has a record, and holds nothing.
    drop(answer);
    let gone = r#"kimi_requests{kimi_outcome="client_gone"}"#;
    let said = loop {
        let said = scrape().await;
        if said(gone).is_some() {
            break said;
        }
    };
    assert_eq!(said(gone).as_deref(), Some("1"));
    let granted = r#"kimi_session_decisions{kimi_session_decision="granted"}"#;
    assert_eq!(said(granted).as_deref(), Some("1"));
    assert_eq!(said("kimi_sessions_active").as_deref(), Some("0"));
    assert_eq!(said("kimi_concurrency_held").as_deref(), Some("0"));
}

#[tokio::test]
async fn there_is_none_of_it_unless_it_is_wanted() {
    let gateway = Gateway::scripted(Dialect::Errcode, super::wire::NO_SCRIPT).await;
    for path in ["/", "/status.json", "/metrics", "/healthz"] {
        assert_eq!(gateway.send(get(path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
