//! What a policy changes.

use kimi_validate::file_url::{FileUrl, MediaTypes, Reason, UrlPolicy};

fn reason(url: &str, policy: &UrlPolicy) -> Option<Reason> {
    FileUrl::parse(url, policy).err()
}

#[test]
fn allows_unprivileged_ports_by_choice() {
    let policy = UrlPolicy::new().with_unprivileged_ports();
    for port in [80, 443, 1024, 8080, 8443, 65535] {
        assert_eq!(reason(&format!("http://example.com:{port}/"), &policy), None, "{port}");
    }
    for port in [0, 1, 22, 79, 81, 1023] {
        let found = reason(&format!("http://example.com:{port}/"), &policy);
        assert_eq!(found, Some(Reason::Port), "{port}");
    }
}

#[test]
fn allows_https_alone_by_choice() {
    let policy = UrlPolicy::new().with_https_only();
    assert_eq!(reason("http://example.com/", &policy), Some(Reason::Scheme));
    assert_eq!(reason("https://example.com/", &policy), None);
    assert_eq!(reason("data:text/plain;base64,", &policy), None);
}

#[test]
fn refuses_data_by_choice() {
    let policy = UrlPolicy::new().without_data_urls();
    assert_eq!(reason("data:text/plain;base64,", &policy), Some(Reason::Scheme));
    let policy = UrlPolicy::new().with_data_types(MediaTypes::article());
    assert_eq!(reason("data:image/png;base64,", &policy), Some(Reason::MediaType));
    let policy = UrlPolicy::new().with_max_data_bytes(3);
    assert_eq!(reason("data:image/png;base64,AAAA", &policy), None);
    assert_eq!(reason("data:image/png;base64,AAAAAA==", &policy), Some(Reason::TooLarge));
}

#[test]
fn lists_of_hosts_hold_in_every_form_of_a_host() {
    let policy = UrlPolicy::new()
        .with_denied_hosts(["bad.example.com", "*.bad.example.com", "8.8.8.8", "例子.中国"])
        .unwrap();
    for url in [
        "http://bad.example.com/",
        "http://BAD.example.com/",
        "http://a.bad.example.com/",
        "http://8.8.8.8/",
        "http://[::ffff:8.8.8.8]/",
        "http://[64:ff9b::808:808]/",
        "http://例子.中国/",
        "http://xn--fsqu00a.xn--fiqs8s/",
    ] {
        assert_eq!(reason(url, &policy), Some(Reason::HostDenied), "{url}");
    }
    assert_eq!(reason("http://notbad.example.com/", &policy), None);

    let policy = policy.with_allowed_hosts(["*.example.com"]).unwrap();
    assert_eq!(reason("http://good.example.com/", &policy), None);
    assert_eq!(reason("http://bad.example.com/", &policy), Some(Reason::HostDenied));
    assert_eq!(reason("http://example.com/", &policy), Some(Reason::HostNotAllowed));
    assert_eq!(reason("http://8.8.4.4/", &policy), Some(Reason::HostNotAllowed));
}

#[test]
fn a_local_name_that_is_listed_in_full_is_meant() {
    let hosts = ["minio", "*.internal", "metadata.google.internal", "10.0.0.1", "localhost"];
    let policy = UrlPolicy::new().with_allowed_hosts(hosts).unwrap();
    assert_eq!(reason("http://minio/", &policy), None);
    assert_eq!(reason("http://localhost/", &policy), None);
    // Not by a pattern, not a metadata service, and not an address.
    assert_eq!(reason("http://db.internal/", &policy), Some(Reason::LocalName));
    assert_eq!(reason("http://metadata.google.internal/", &policy), Some(Reason::Metadata));
    assert_eq!(reason("http://10.0.0.1/", &policy), Some(Reason::Address));
}

#[test]
fn an_allowed_range_opens_addresses_and_no_names() {
    let range = "127.0.0.0/8".parse().unwrap();
    let policy = UrlPolicy::new().with_allowed_ranges([range]);
    assert_eq!(reason("http://127.0.0.1/", &policy), None);
    assert_eq!(reason("http://127.1/", &policy), Some(Reason::HostForm));
    assert_eq!(reason("http://localhost/", &policy), Some(Reason::LocalName));
    assert_eq!(reason("http://10.0.0.1/", &policy), Some(Reason::Address));
}
