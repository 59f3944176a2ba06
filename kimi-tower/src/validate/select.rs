use http::{Method, request::Parts};

/// Which requests are checked. Implemented for closures.
pub trait Select {
    /// Returns whether the request with this head is checked; the others pass untouched.
    fn selects(&self, head: &Parts) -> bool;
}

impl<F> Select for F
where
    F: Fn(&Parts) -> bool,
{
    fn selects(&self, head: &Parts) -> bool {
        self(head)
    }
}

/// Selects `POST` to a path that ends in `/chat/completions`: `/v1/chat/completions` of all Kimi
/// endpoints, whatever stands before it. The path is compared as it was written.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ChatCompletions;

impl ChatCompletions {
    /// Creates the default selection.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Select for ChatCompletions {
    #[inline]
    fn selects(&self, head: &Parts) -> bool {
        head.method == Method::POST && head.uri.path().ends_with("/chat/completions")
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn post_to_a_path_that_ends_in_chat_completions_is_selected() {
        for (method, uri, expected) in [
            ("POST", "/v1/chat/completions", true),
            ("POST", "/chat/completions", true),
            ("POST", "/kimi/v1/chat/completions?stream=1", true),
            ("POST", "https://api.moonshot.cn/v1/chat/completions", true),
            ("POST", "/v1/chat/completions/", false),
            ("POST", "/v1/chat/completions/1", false),
            ("POST", "/v1/nochat/completions", false),
            ("POST", "/v1/models?x=/chat/completions", false),
            ("POST", "*", false),
            ("GET", "/v1/chat/completions", false),
            ("HEAD", "/v1/chat/completions", false),
            ("OPTIONS", "/v1/chat/completions", false),
            ("PUT", "/v1/chat/completions", false),
        ] {
            let request = Request::builder().method(method).uri(uri).body(()).unwrap();
            let (head, ()) = request.into_parts();
            assert_eq!(ChatCompletions::new().selects(&head), expected, "{method} {uri}");
        }
    }
}
