//! URLs that are let through, each with the host that is dialed.

use kimi_validate::file_url::{FileUrl, RemoteUrl, UrlPolicy};

const HONEST: &[(&str, &str)] = &[
    ("https://example.com", "example.com"),
    ("http://example.com/", "example.com"),
    ("https://www.example.com/report.pdf", "www.example.com"),
    ("HTTPS://EXAMPLE.COM/A.PDF", "example.com"),
    ("Http://Example.Com/", "example.com"),
    ("https://example.com?x=y", "example.com"),
    ("https://example.com#part", "example.com"),
    ("https://example.com/#", "example.com"),
    ("https://example.com/a/../b/./c", "example.com"),
    ("https://example.com//a//b", "example.com"),
    ("https://example.com/a%20b.pdf", "example.com"),
    ("https://example.com/%E6%8A%A5%E5%91%8A.pdf", "example.com"),
    ("https://example.com/报告.pdf", "example.com"),
    ("https://example.com/👍.png", "example.com"),
    ("https://example.com/a?b=报告&c=d+e", "example.com"),
    ("https://example.com/a@b", "example.com"),
    ("https://example.com/?user=a@b.c", "example.com"),
    ("https://example.com/#@10.0.0.1", "example.com"),
    ("https://example.com/http://127.0.0.1/", "example.com"),
    ("https://example.com/?url=http://169.254.169.254/", "example.com"),
    ("https://example.com/a:b", "example.com"),
    ("https://example.com/a;b=c,d", "example.com"),
    ("https://example.com/(a)[b]{c}|d^e`f'g\"h<i>", "example.com"),
    ("https://example.com/~user/*.pdf!", "example.com"),
    ("https://example.com/%zz", "example.com"),
    ("https://example.com/$a=b&c", "example.com"),
    // Ports.
    ("http://example.com:80/", "example.com"),
    ("https://example.com:443/", "example.com"),
    ("http://example.com:443/", "example.com"),
    ("https://example.com:80/", "example.com"),
    // Names that only look like something else.
    ("https://localhost.example.com/", "localhost.example.com"),
    ("https://metadata.example.com/", "metadata.example.com"),
    ("https://internal.example.com/", "internal.example.com"),
    ("https://local.com/", "local.com"),
    ("https://my-localhost.com/", "my-localhost.com"),
    ("https://127.0.0.1.example.com/", "127.0.0.1.example.com"),
    ("https://10.example.com/", "10.example.com"),
    ("https://1.com/", "1.com"),
    ("https://0x7f.com/", "0x7f.com"),
    ("https://test.example.org/", "test.example.org"),
    ("https://a.b.c.d.e.f.example.com/", "a.b.c.d.e.f.example.com"),
    ("https://my_bucket.s3.amazonaws.com/a", "my_bucket.s3.amazonaws.com"),
    ("https://r3---sn-abc.example.com/", "r3---sn-abc.example.com"),
    (
        "https://bucket.oss-cn-hangzhou.aliyuncs.com/a.pdf?Expires=1&Signature=x%2F",
        "bucket.oss-cn-hangzhou.aliyuncs.com",
    ),
    (
        "https://bucket-1250000000.cos.ap-beijing.myqcloud.com/a.docx",
        "bucket-1250000000.cos.ap-beijing.myqcloud.com",
    ),
    ("https://storage.googleapis.com/b/o?X-Goog-Signature=ab12", "storage.googleapis.com"),
    ("https://raw.githubusercontent.com/a/b/main/README.md", "raw.githubusercontent.com"),
    // International names.
    ("https://例子.中国/", "xn--fsqu00a.xn--fiqs8s"),
    ("https://例子.example.com/", "xn--fsqu00a.example.com"),
    ("https://bücher.example.com/", "xn--bcher-kva.example.com"),
    ("https://BÜCHER.example.com/", "xn--bcher-kva.example.com"),
    ("https://faß.example.com/", "xn--fa-hia.example.com"),
    ("https://пример.рф/", "xn--e1afmkfd.xn--p1ai"),
    ("https://xn--fsqu00a.xn--fiqs8s/", "xn--fsqu00a.xn--fiqs8s"),
    ("https://XN--FSQU00A.com/", "xn--fsqu00a.com"),
    ("https://日本語.jp/", "xn--wgv71a119e.jp"),
    // Addresses of public space.
    ("http://8.8.8.8/", "8.8.8.8"),
    ("https://1.1.1.1/dns-query", "1.1.1.1"),
    ("http://93.184.215.14:80/", "93.184.215.14"),
    ("http://9.255.255.255/", "9.255.255.255"),
    ("http://11.0.0.0/", "11.0.0.0"),
    ("http://100.63.255.255/", "100.63.255.255"),
    ("http://100.128.0.0/", "100.128.0.0"),
    ("http://126.255.255.255/", "126.255.255.255"),
    ("http://128.0.0.0/", "128.0.0.0"),
    ("http://169.253.255.255/", "169.253.255.255"),
    ("http://172.32.0.0/", "172.32.0.0"),
    ("http://192.169.0.0/", "192.169.0.0"),
    ("http://198.20.0.0/", "198.20.0.0"),
    ("http://223.255.255.255/", "223.255.255.255"),
    ("http://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]"),
    ("https://[2606:4700:4700::1111]:443/", "[2606:4700:4700::1111]"),
    ("http://[2400:3200::1]/", "[2400:3200::1]"),
    ("http://[2A00:1450:4001:080F:0000:0000:0000:200E]/", "[2a00:1450:4001:80f::200e]"),
    ("http://[2001:4860:4860::8888]/", "[2001:4860:4860::8888]"),
    ("http://[64:ff9b::8.8.8.8]/", "[64:ff9b::808:808]"),
    ("http://[::ffff:8.8.8.8]/", "[::ffff:808:808]"),
    ("http://[2a10:808:808::1]/", "[2a10:808:808::1]"),
];

const DATA: &[(&str, &str, u64)] = &[
    ("data:image/png;base64,iVBORw0KGgo=", "image/png", 8),
    ("DATA:image/jpeg;base64,/9j/4AA=", "image/jpeg", 5),
    ("data:IMAGE/WebP;base64,UklGRg", "image/webp", 4),
    ("data:video/mp4;base64,AAAA", "video/mp4", 3),
    ("data:application/pdf;base64,JVBERg==", "application/pdf", 4),
    ("data:text/plain;charset=utf-8;base64,5L2g5aW9", "text/plain", 6),
    ("data:text/plain;base64,", "text/plain", 0),
    ("data:image/svg+xml;base64,PHN2Zz4=", "image/svg+xml", 5),
];

#[test]
fn lets_honest_urls_through() {
    let policy = UrlPolicy::new();
    for (text, host) in HONEST {
        match FileUrl::parse(text, &policy) {
            Ok(FileUrl::Remote(url)) => assert_eq!(url.host(), *host, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(HONEST.len() >= 60, "{}", HONEST.len());
}

#[test]
fn lets_honest_data_through() {
    for (text, media_type, bytes) in DATA {
        match FileUrl::parse(text, &UrlPolicy::new()) {
            Ok(FileUrl::Data(data)) => {
                assert_eq!((data.media_type(), data.bytes()), (*media_type, *bytes))
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn what_was_let_through_is_let_through_again_as_it_is_written_now() {
    let policy = UrlPolicy::new();
    for (text, _) in HONEST {
        let first = RemoteUrl::parse(text, &policy).unwrap();
        let second = RemoteUrl::parse(first.as_str(), &policy).unwrap();
        assert_eq!(first, second, "{text}");
        assert!(first.as_str().is_ascii());
    }
}

/// Who sends the request may read the URL by another parser.
#[test]
fn http_reads_the_same_host_and_port() {
    for (text, host) in HONEST {
        let url = RemoteUrl::parse(text, &UrlPolicy::new()).unwrap();
        let uri: http::Uri = url.as_str().parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(uri.host(), Some(*host), "{text}");
        let port =
            uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        assert_eq!(port, url.port(), "{text}");
    }
}
