//! The requests that `kimi-validate` and its peers are given, and the shapes that are made ten and
//! a hundred times as long. All of the first are well formed.

/// What a person asks, 3 bytes a character but for the names.
const QUESTION: &str = "请分析这个文档，并用三句话概括它的主要内容。如果其中提到了 KIMI API 的错误码，\
                        请逐一列出它们的含义、可能的原因和建议的处理方法。";

/// What is answered to it, with line breaks as they stand in JSON.
const ANSWER: &str = "The document describes how errors of the chat API are told apart.\\n\\n\
                      - -1001: a parameter is missing or wrong.\\n- -2002: the token has expired; \
                      ask for a new one and try again.\\n";

/// A request that is measured.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Body {
    /// One message, 400 bytes in all.
    Message,
    /// 20 messages, 8 KiB in all.
    Conversation,
    /// One message in Chinese without an escape, 1 MiB.
    Chinese,
    /// One message in which every character is a `\uXXXX`, 1 MiB.
    Escapes,
    /// One message with a question and an image in base64, 8 MiB.
    DataUrl,
}

impl Body {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Message, Self::Conversation, Self::Chinese, Self::Escapes, Self::DataUrl];

    /// Returns the name under which its numbers stand.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Conversation => "conversation",
            Self::Chinese => "chinese",
            Self::Escapes => "escapes",
            Self::DataUrl => "data_url",
        }
    }

    /// Returns how long it is, in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Message => 400,
            Self::Conversation => 8 << 10,
            Self::Chinese | Self::Escapes => 1 << 20,
            Self::DataUrl => 8 << 20,
        }
    }

    /// Returns how often a benchmark judges it: a long one drowns what only the first call pays.
    #[must_use]
    pub const fn rounds(self) -> usize {
        match self {
            Self::Message | Self::Conversation => crate::ROUNDS,
            Self::Chinese | Self::Escapes => 4,
            Self::DataUrl => 1,
        }
    }

    /// Returns its text.
    ///
    /// # Panics
    ///
    /// If it is not as long as it is said to be.
    #[must_use]
    pub fn text(self) -> Vec<u8> {
        let bytes = self.bytes();
        let text = match self {
            Self::Message => filled(&[("user", QUESTION)], bytes),
            Self::Conversation => {
                let talk = [("user", QUESTION), ("assistant", ANSWER)];
                let talk: Vec<_> = talk.into_iter().cycle().take(20).collect();
                filled(&talk, bytes)
            }
            Self::Chinese => filled(&[("user", "")], bytes),
            Self::Escapes => {
                let head = r#"{"model":"kimi","messages":[{"role":"user","content":""#;
                let tail = r#""}],"stream":true}"#;
                let room = bytes - head.len() - tail.len();
                let escapes = r"\u8bf7\u5206\u6790\u6587\u6863\uD83D\ude00".repeat(room / 42);
                format!("{head}{escapes}{:.<1$}{tail}", "", room % 42)
            }
            Self::DataUrl => {
                let head = r#"{"model":"kimi","messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,"#;
                let tail = r#""}}]}],"stream":true}"#;
                let room = bytes - head.len() - tail.len();
                format!("{head}{}{tail}", base64(room))
            }
        };
        assert_eq!(text.len(), bytes, "{}", self.name());
        text.into_bytes()
    }
}

/// A shape of request that can be made of any length.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// One long text in Chinese.
    Chinese,
    /// One long text of escapes.
    Escapes,
    /// One long data URL.
    DataUrl,
    /// Many short messages.
    Messages,
    /// Messages of 100 parts each.
    Parts,
    /// Assistants' messages with 100 calls each, and the answers to them.
    Calls,
    /// Many members that no rule names, of as many names.
    Unknown,
    /// Arrays 100 levels deep, side by side, in a member that no rule names.
    Nested,
    /// Numbers, in a member that no rule names.
    Numbers,
    /// Many messages with two faults each.
    Faults,
    /// One name that is judged, again and again.
    Duplicates,
}

impl Shape {
    /// Returns a request of this shape; one of `factor` 10 is ten times as long as one of 1, which
    /// has some 10 kB.
    #[must_use]
    pub fn text(self, factor: usize) -> Vec<u8> {
        let many = |item: &dyn Fn(usize) -> String, count: usize| -> String {
            (0..count * factor).map(item).collect::<Vec<_>>().join(",")
        };
        let spoken = |text: String| format!(r#"{{"role":"user","content":"{text}"}}"#);
        let (messages, rest) = match self {
            Self::Chinese => (spoken("好，".repeat(1_600 * factor)), String::new()),
            Self::Escapes => (spoken(r"\u597d".repeat(1_600 * factor)), String::new()),
            Self::DataUrl => {
                let image = base64(10_000 * factor);
                let part = format!(
                    r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{image}"}}}}"#
                );
                (format!(r#"{{"role":"user","content":[{part}]}}"#), String::new())
            }
            Self::Messages => (many(&|_| spoken("hi".to_owned()), 300), String::new()),
            Self::Parts => {
                let parts = vec![r#"{"type":"text","text":"hi"}"#; 100].join(",");
                (many(&|_| format!(r#"{{"role":"user","content":[{parts}]}}"#), 4), String::new())
            }
            Self::Calls => (many(&|_| called(), 1), String::new()),
            Self::Unknown => {
                let members = many(&|index| format!(r#""name {index:08}":true"#), 400);
                (spoken("hi".to_owned()), format!(",{members}"))
            }
            Self::Nested => {
                let nested = "[".repeat(100) + &"]".repeat(100);
                let arrays = many(&|_| nested.clone(), 50);
                (spoken("hi".to_owned()), format!(r#","unknown":[{arrays}]"#))
            }
            Self::Numbers => {
                let numbers = many(&|_| "-12.5e-3".to_owned(), 1_000);
                (spoken("hi".to_owned()), format!(r#","unknown":[{numbers}]"#))
            }
            Self::Faults => {
                (many(&|_| r#"{"role":"nobody","content":" "}"#.to_owned(), 300), String::new())
            }
            Self::Duplicates => {
                let again = many(&|_| r#""stream":true"#.to_owned(), 800);
                (spoken("hi".to_owned()), format!(",{again}"))
            }
        };
        format!(r#"{{"model":"kimi","messages":[{messages}]{rest}}}"#).into_bytes()
    }
}

/// Returns a request with 4 000 messages of which each has two faults.
#[must_use]
pub fn bad_messages() -> Vec<u8> {
    let message = r#"{"role":"nobody","content":" "}"#;
    let messages = vec![message; 4_000].join(",");
    format!(r#"{{"model":"kimi","messages":[{messages}]}}"#).into_bytes()
}

/// Returns [`Body::DataUrl`] with a fault at each end: a role that nobody has and a stream that is
/// no boolean.
#[must_use]
pub fn two_faults() -> Vec<u8> {
    let text = String::from_utf8(Body::DataUrl.text()).unwrap_or_default();
    let text = text.replacen(r#""role":"user""#, r#""role":"none""#, 1);
    text.replacen(r#""stream":true"#, r#""stream":"no""#, 1).into_bytes()
}

/// A request of these messages; the last is lengthened in Chinese until all have `bytes` bytes.
fn filled(talk: &[(&str, &str)], bytes: usize) -> String {
    let one = |(role, text): &(&str, &str)| format!(r#"{{"role":"{role}","content":"{text}"}}"#);
    let messages: Vec<_> = talk.iter().map(one).collect();
    let mut request = format!(r#"{{"model":"kimi","messages":[{}"#, messages.join(","));
    let tail = r#""}],"stream":true}"#;
    request.truncate(request.len() - 2);
    let room = bytes.saturating_sub(request.len() + tail.len());
    request.extend(QUESTION.chars().filter(|it| it.len_utf8() == 3).cycle().take(room / 3));
    request.extend(std::iter::repeat_n('.', room % 3));
    request + tail
}

/// As many characters of base64, in no order that a predictor learns.
fn base64(count: usize) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 1_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(letters[usize::from(state.to_be_bytes()[0]) % 64])
    };
    (0..count).map(|_| next()).collect()
}

fn called() -> String {
    let function = r#""type":"function","function":{"name":"now","arguments":"{}"}"#;
    let calls: Vec<_> = (0..100).map(|id| format!(r#"{{"id":"call {id}",{function}}}"#)).collect();
    let answers: Vec<_> = (0..100)
        .map(|id| format!(r#"{{"role":"tool","tool_call_id":"call {id}","content":"12:00"}}"#))
        .collect();
    let calls = format!(r#"{{"role":"assistant","tool_calls":[{}]}}"#, calls.join(","));
    calls + "," + &answers.join(",")
}
