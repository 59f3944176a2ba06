//! What is promised of every file URL, whatever it is.

use std::net::IpAddr;

use kimi_validate::file_url::{DataUrl, FileUrl, Reason, RemoteUrl, UrlPolicy, judge};

/// Holds the parser to what it promises of this text: a URL, and behind the first line break, where
/// its server sends to.
///
/// # Panics
///
/// If it does not keep it.
pub fn hold_url(text: &str) {
    let (text, reference) = text.split_once('\n').unwrap_or((text, ""));
    let policy = UrlPolicy::new();
    let verdict = FileUrl::parse(text, &policy);
    assert_eq!(verdict.is_ok(), FileUrl::parse(text, &policy).is_ok());
    match verdict {
        Ok(FileUrl::Remote(url)) => {
            is_safe(&url, &policy);
            if let Ok(target) = url.join(reference, &policy) {
                is_safe(&target, &policy);
            }
        }
        Ok(FileUrl::Data(data)) => is_sized(&data, text),
        Ok(other) => panic!("neither remote nor data: {other:?}"),
        Err(reason) => assert_eq!(Reason::from_code(reason.as_str()), Some(reason)),
    }
}

/// Written again, it is read as the same; and another parser finds nothing that we have not judged.
fn is_safe(url: &RemoteUrl, policy: &UrlPolicy) {
    assert_eq!(RemoteUrl::parse(url.as_str(), policy).as_ref(), Ok(url), "it is not stable");
    assert!(
        url.as_str().bytes().all(|byte| byte.is_ascii_graphic()),
        "it has characters of no URL"
    );

    let (scheme, rest) = url.as_str().split_once("://").expect("a scheme and two slashes");
    assert_eq!(scheme == "https", url.is_https());
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    assert!(!authority.contains(['@', '\\', '%']), "an authority that is read in two ways");
    let port = url.port();
    assert!(port == 80 || port == 443, "a port that is not allowed");
    let default = if url.is_https() { 443 } else { 80 };
    let expected =
        if port == default { url.host().to_owned() } else { format!("{}:{port}", url.host()) };
    assert_eq!(authority, expected);

    let bare = url.host().trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => {
            assert_eq!(url.address(), Some(address));
            assert_eq!(judge(address, policy), Ok(()));
            assert!(!address.is_loopback() && !address.is_unspecified() && !address.is_multicast());
        }
        Err(_) => {
            let last = url.host().rsplit('.').next().unwrap_or_default();
            assert!(url.host().contains('.') && !url.host().ends_with('.'));
            assert!(!["localhost", "local", "internal", "arpa", ""].contains(&last));
            let digits = last.bytes().all(|byte| byte.is_ascii_digit());
            assert!(!digits && !last.starts_with("0x"), "an address to some: {}", url.host());
        }
    }
}

/// No more than three bytes come out of four characters.
fn is_sized(data: &DataUrl, text: &str) {
    let (head, digits) = text.split_once(',').expect("there is a comma");
    assert!(head.to_ascii_lowercase().contains(data.media_type()));
    let digits = digits.trim_end_matches('=');
    assert_eq!(data.bytes(), digits.len() as u64 * 3 / 4);
    assert!(
        digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
    );
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_held() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/file_url");
        let mut held = 0;
        for entry in std::fs::read_dir(corpus).unwrap() {
            super::hold_url(&std::fs::read_to_string(entry.unwrap().path()).unwrap());
            held += 1;
        }
        assert!(held > 20, "{held}");
    }
}
