//! What a request is taken to cost in tokens, before the answer says what it did cost.

use http::{Method, request::Parts};
#[cfg(feature = "validate")]
use kimi_validate::ChatRequest;

use crate::body::described::Described;

/// Says how many tokens are to be reserved for a request. Closures of the same shape do.
///
/// ```
/// use http::{Request, request::Parts};
/// use kimi_tower::rate_limit::EstimateTokens;
///
/// let flat = |head: &Parts| if head.uri.path().ends_with("/chat/completions") { 4096 } else { 0 };
/// let (head, ()) = Request::post("/v1/chat/completions").body(())?.into_parts();
/// assert_eq!(flat.estimate(&head), 4096);
/// # Ok::<_, http::Error>(())
/// ```
pub trait EstimateTokens {
    /// Returns what is to be reserved, prompt and answer together.
    fn estimate(&self, head: &Parts) -> u32;
}

impl<F> EstimateTokens for F
where
    F: Fn(&Parts) -> u32,
{
    fn estimate(&self, head: &Parts) -> u32 {
        self(head)
    }
}

/// What a chat request costs, by the length of its body and of the answer it asks for.
///
/// Kimi's platform itself decides by the tokens of the prompt and the most that the answer may have,
/// before there is an answer: <https://platform.moonshot.cn/docs/intro>.
///
/// | | [`upper_bound`](Self::upper_bound) | [`typical`](Self::typical) |
/// |---|---|---|
/// | prompt | a token a byte | a token every 3 bytes |
/// | each choice | what the request allows, or 131 072 | the same, but at most 1 024 |
/// | for | an upstream's limit, which is not to be hit | one's own, of which a few may take more |
///
/// The body is that of the `ChatRequest` that the layer `validate` leaves in the request's
/// extensions, so that it must stand outside. Where there is none, the prompt is taken from the
/// `content-length`, or for nothing if there is no such field either, and the answer for one of the
/// default length. A request that is no POST is no chat, and costs nothing.
///
#[cfg_attr(feature = "validate", doc = "```")]
#[cfg_attr(not(feature = "validate"), doc = "```ignore")]
/// use http::Request;
/// use kimi_tower::rate_limit::{ChatTokens, EstimateTokens};
/// use kimi_validate::{ChatRequest, Profile};
///
/// let body = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"你好"}],"max_tokens":9000}"#;
/// let chat = ChatRequest::parse(bytes::Bytes::from(body), &Profile::platform())?;
/// let (head, ()) = Request::post("/").extension(chat).body(())?.into_parts();
///
/// assert_eq!(body.len(), 85);
/// assert_eq!(ChatTokens::upper_bound().estimate(&head), 85 + 9000);
/// assert_eq!(ChatTokens::typical().estimate(&head), 29 + 1024);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Caveats
///
/// - What no byte of the body shows is not counted: an image or a file by its id (`ms://…`), pages
///   that a tool of the upstream fetches, messages that it remembers of a conversation, and a prompt
///   of its own. [`with_prompt_surcharge`](Self::with_prompt_surcharge) adds for them.
/// - An image in the body, as a `data:` URL, counts as so many bytes of text: nearly always far more
///   than it costs, but a very large one of a single color may cost more.
/// - Compressed, a `content-length` bounds nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub struct ChatTokens {
    aim: Aim,
    default_completion: u32,
    prompt_surcharge: u32,
}

/// What an estimate is to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Aim {
    Bound,
    Typical,
}

impl ChatTokens {
    /// Creates one that is never less than what a text can cost. The default.
    ///
    /// Each of Kimi's tokens stands for a byte of the text or more, since it is made of bytes
    /// (`tiktoken.model` of moonshotai/Kimi-K2-Instruct); no character takes fewer bytes in JSON than
    /// in the text; and what JSON has around a message, 28 bytes at least, is more than the few
    /// tokens that the model's template has there.
    ///
    /// An answer has at most what the request says. If it says nothing, or 0, of which the platform
    /// does not say what it means, the bound is [the default](Self::with_default_completion).
    pub const fn upper_bound() -> Self {
        Self { aim: Aim::Bound, default_completion: 131_072, prompt_surcharge: 0 }
    }

    /// Creates one that is what most requests cost, or rather more.
    ///
    /// A token is 1.5 to 2 Chinese characters, which are 4.5 to 6 bytes, or 3 to 4 English ones:
    /// <https://platform.moonshot.cn/docs/intro>. The fewest of these bytes, 3, are taken. That an
    /// answer has 1 024 tokens is ours.
    pub const fn typical() -> Self {
        Self { aim: Aim::Typical, default_completion: 1024, prompt_surcharge: 0 }
    }

    /// Sets what each choice of an answer is taken to have if the request does not limit it, in
    /// tokens.
    ///
    /// By default 131 072 for a bound: that of kimi-k3, <https://platform.kimi.ai/docs/api/chat>,
    /// whose most is 1 048 576. It bounds nothing if the default of the upstream is greater. By
    /// default 1 024 for a typical cost, where no more is taken if the request allows more.
    pub const fn with_default_completion(mut self, tokens: u32) -> Self {
        self.default_completion = tokens;
        self
    }

    /// Sets what is added to each prompt for what its bytes do not show, in tokens. By default 0.
    pub const fn with_prompt_surcharge(mut self, tokens: u32) -> Self {
        self.prompt_surcharge = tokens;
        self
    }

    fn tokens(self, body: u64, max_tokens: Option<u64>, choices: u64) -> u32 {
        let default = u64::from(self.default_completion);
        let allowed = max_tokens.filter(|tokens| *tokens > 0).unwrap_or(default);
        let (prompt, completion) = match self.aim {
            Aim::Bound => (body, allowed),
            Aim::Typical => (body.div_ceil(3), allowed.min(default)),
        };
        let prompt = prompt.saturating_add(u64::from(self.prompt_surcharge));
        let tokens = prompt.saturating_add(completion.saturating_mul(choices));
        u32::try_from(tokens).unwrap_or(u32::MAX)
    }
}

impl EstimateTokens for ChatTokens {
    fn estimate(&self, head: &Parts) -> u32 {
        #[cfg(feature = "validate")]
        if let Some(chat) = head.extensions.get::<ChatRequest>() {
            let limits = chat.answer_limits();
            let body = chat.as_bytes().len() as u64;
            return self.tokens(body, limits.max_tokens(), limits.choices().max(1));
        }
        if head.method != Method::POST {
            return 0;
        }
        self.tokens(Described::by(&head.headers).length.unwrap_or(0), None, 1)
    }
}

impl Default for ChatTokens {
    fn default() -> Self {
        Self::upper_bound()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const BOUND: ChatTokens = ChatTokens::upper_bound();
    const TYPICAL: ChatTokens = ChatTokens::typical();

    #[cfg(feature = "validate")]
    fn chat(members: &str) -> (Parts, u32) {
        let body = format!(
            r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":"你好"}}]{members}}}"#
        );
        let bytes = u32::try_from(body.len()).unwrap();
        let profile = kimi_validate::Profile::article();
        let chat = ChatRequest::parse(bytes::Bytes::from(body), &profile).unwrap();
        let request = Request::post("/").header("content-length", "7").extension(chat);
        (request.body(()).unwrap().into_parts().0, bytes)
    }

    fn announced(length: Option<&str>) -> Parts {
        let mut request = Request::post("/");
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[cfg(feature = "validate")]
    #[test]
    fn a_bound_is_every_byte_and_all_that_the_answer_may_have() {
        for (members, completion) in [
            ("", 131_072),
            (r#","max_completion_tokens":9000"#, 9000),
            (r#","max_tokens":9000"#, 9000),
            (r#","max_tokens":0"#, 131_072),
            (r#","max_tokens":10,"n":3"#, 30),
            (r#","n":2"#, 262_144),
            (r#","n":0"#, 131_072),
        ] {
            let (head, bytes) = chat(members);
            assert_eq!(BOUND.estimate(&head), bytes + completion, "{members}");
        }
    }

    #[cfg(feature = "validate")]
    #[test]
    fn a_typical_cost_is_a_third_of_the_bytes_and_no_more_than_a_common_answer() {
        for (members, completion) in [
            ("", 1024),
            (r#","max_tokens":9000"#, 1024),
            (r#","max_tokens":9"#, 9),
            (r#","max_tokens":9,"n":3"#, 27),
        ] {
            let (head, bytes) = chat(members);
            assert_eq!(TYPICAL.estimate(&head), bytes.div_ceil(3) + completion, "{members}");
        }
    }

    #[cfg(feature = "validate")]
    #[test]
    fn a_cost_past_all_numbers_is_the_greatest() {
        for members in [
            r#","max_tokens":1e300"#,
            r#","max_tokens":4294967295"#,
            r#","max_tokens":1e18,"n":1e18"#,
        ] {
            let (head, _) = chat(members);
            assert_eq!(BOUND.with_prompt_surcharge(u32::MAX).estimate(&head), u32::MAX);
            assert_eq!(BOUND.estimate(&head), u32::MAX, "{members}");
        }
    }

    #[test]
    fn without_a_chat_request_the_announced_length_counts() {
        for (length, bytes) in [(None, 0), (Some("100"), 100), (Some("-1"), 0), (Some(""), 0)] {
            let head = announced(length);
            assert_eq!(BOUND.estimate(&head), bytes + 131_072, "{length:?}");
            assert_eq!(TYPICAL.estimate(&head), bytes.div_ceil(3) + 1024, "{length:?}");
        }
        let longest = announced(Some("18446744073709551615"));
        assert_eq!(BOUND.with_prompt_surcharge(1).estimate(&longest), u32::MAX);
    }

    #[test]
    fn defaults_and_surcharge_are_ones_own() {
        let head = announced(Some("9"));
        let own = |tokens: ChatTokens| tokens.with_default_completion(50).with_prompt_surcharge(7);
        assert_eq!(own(BOUND).estimate(&head), 9 + 7 + 50);
        assert_eq!(own(TYPICAL).estimate(&head), 3 + 7 + 50);
        assert_eq!(ChatTokens::default(), BOUND);
    }
}
