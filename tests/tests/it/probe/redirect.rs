//! Where redirects may lead.

use kimi_validate::{
    file_url::{Reason, RemoteUrl, UrlPolicy},
    probe::FileProbe,
};

use super::{
    PDF, check,
    server::{Server, answer},
};

/// Sends from `/a` to the location, and has a file everywhere else.
fn sends_to(location: &'static str) -> Server {
    Server::new(move |asked| match asked.uri().path() {
        "/a" => answer(302, &[("location", location)], &[]),
        _ => answer(200, &[PDF, ("content-length", "7")], &[]),
    })
}

#[tokio::test(start_paused = true)]
async fn follows_to_where_the_first_might_be() {
    for (location, expected) in [
        ("https://example.org/b?c", "https://example.org/b?c"),
        ("//example.org/b", "https://example.org/b"),
        ("/b", "https://example.com/b"),
        ("b#part", "https://example.com/b"),
        ("https://8.8.8.8/b", "https://8.8.8.8/b"),
    ] {
        let server = sends_to(location);
        let file = check(&server).await.unwrap();
        assert_eq!((file.url().as_str(), file.redirects()), (expected, 1));
        assert_eq!(server.asked(), ["HEAD https://example.com/a", &format!("HEAD {expected}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn does_not_follow_to_where_the_first_may_not_be() {
    for location in [
        "http://127.0.0.1/b",
        "https://127.0.0.1/b",
        "https://2130706433/b",
        "https://[::1]/b",
        "https://[::ffff:10.0.0.1]/b",
        "https://169.254.169.254/latest/",
        "https://metadata.google.internal/",
        "https://localhost/b",
        "https://minio/b",
        "https://user@example.com/b",
        "https://example.com:6379/b",
        "https:/example.com/b",
        "/\\10.0.0.1/b",
        "//10.0.0.1/b",
        "///10.0.0.1/b",
        "file:///etc/passwd",
        "gopher://example.com/",
        "data:text/plain;base64,YQ==",
        "ftp://example.com/b",
        "b c",
        "",
        // A downgrade.
        "http://example.com/b",
    ] {
        let server = sends_to(location);
        assert_eq!(check(&server).await.unwrap_err(), Reason::Redirect, "{location}");
        assert_eq!(server.asked().len(), 1, "{location}");
    }
}

#[tokio::test(start_paused = true)]
async fn goes_up_from_http_to_https_and_not_back() {
    let server = Server::new(|asked| match asked.uri().to_string().as_str() {
        "http://example.com/a" => answer(301, &[("location", "https://example.com/a")], &[]),
        "https://example.com/a" => answer(301, &[("location", "http://example.com/b")], &[]),
        other => panic!("{other}"),
    });
    let probe = FileProbe::new(server.clone());
    let url = RemoteUrl::parse("http://example.com/a", probe.policy()).unwrap();
    assert_eq!(probe.check(&url).await.unwrap_err().reason(), Reason::Redirect);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn follows_three_times_at_most() {
    let chain = |length: usize| {
        Server::new(move |asked| {
            let at = asked.uri().path().len() - 2;
            if at == length {
                return answer(200, &[PDF, ("content-length", "7")], &[]);
            }
            let next = format!("/a{}", "x".repeat(at + 1));
            answer([301, 302, 303, 307, 308][at % 5], &[("location", &next)], &[])
        })
    };
    for length in 0..=3 {
        assert_eq!(usize::from(check(&chain(length)).await.unwrap().redirects()), length);
    }
    let server = chain(4);
    assert_eq!(check(&server).await.unwrap_err(), Reason::Redirect);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_loop_ends() {
    let server = sends_to("/a");
    assert_eq!(check(&server).await.unwrap_err(), Reason::Redirect);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn follows_none_by_choice() {
    let server = sends_to("/b");
    let probe = FileProbe::new(server.clone()).without_redirects();
    let url = RemoteUrl::parse("https://example.com/a", probe.policy()).unwrap();
    assert_eq!(probe.check(&url).await.unwrap_err().reason(), Reason::Redirect);
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_hop_is_held_to_the_policy() {
    let policy = UrlPolicy::new().with_allowed_hosts(["example.com"]).unwrap();
    let probe = FileProbe::new(sends_to("https://example.org/b")).with_policy(policy);
    let url = RemoteUrl::parse("https://example.com/a", probe.policy()).unwrap();
    assert_eq!(probe.check(&url).await.unwrap_err().reason(), Reason::Redirect);
}

/// Where `HEAD` is refused, `GET` may be the one that is sent elsewhere.
#[tokio::test(start_paused = true)]
async fn get_is_followed_as_head_is() {
    let server = Server::new(|asked| match (asked.method().as_str(), asked.uri().path()) {
        ("HEAD", "/a") => answer(405, &[], &[]),
        (_, "/a") => answer(302, &[("location", "/b")], &[]),
        _ => answer(200, &[PDF, ("content-length", "7")], &[]),
    });
    assert_eq!(check(&server).await.unwrap().url().as_str(), "https://example.com/b");
}
