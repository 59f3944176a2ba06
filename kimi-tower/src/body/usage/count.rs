//! The counts of tokens that an answer tells.

/// What an answer says it has used, in tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Usage {
    /// All that was asked, whether it came from a cache or not.
    pub(crate) prompt: Option<u64>,
    /// All that was answered, of all choices, with what was thought before.
    pub(crate) completion: Option<u64>,
    total: Option<u64>,
}

impl Usage {
    /// Returns the tokens of both: as the answer adds them up, else as we do. `None` if one of them
    /// is not known, as in the beginning of a stream.
    #[cfg(any(feature = "rate-limit", test))]
    pub(crate) fn total(&self) -> Option<u64> {
        self.total.or_else(|| Some(self.prompt?.saturating_add(self.completion?)))
    }

    /// Returns whether the answer itself adds them up, as it does when it knows both.
    #[cfg(any(feature = "rate-limit", test))]
    pub(crate) const fn is_added_up(&self) -> bool {
        self.total.is_some()
    }
}

/// A member of `usage` that is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Count {
    Prompt,
    Completion,
    Total,
    Input,
    CacheRead,
    CacheCreation,
    Output,
}

/// The longest name of a [`Count`], in bytes.
pub(super) const LONGEST: usize = "cache_creation_input_tokens".len();

impl Count {
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"prompt_tokens" => Self::Prompt,
            b"completion_tokens" => Self::Completion,
            b"total_tokens" => Self::Total,
            // Those of Anthropic's API, <https://docs.anthropic.com/en/api/messages>.
            b"input_tokens" => Self::Input,
            b"cache_read_input_tokens" => Self::CacheRead,
            b"cache_creation_input_tokens" => Self::CacheCreation,
            b"output_tokens" => Self::Output,
            _ => return None,
        })
    }
}

macro_rules! begun {
    ($text:ident: $($count:ident $name:literal,)*) => {
        $(if let Some(rest) = $text.strip_prefix(concat!("\"", $name, "\":").as_bytes()) {
            return Some((Self::$count, rest));
        })*
    };
}

impl Count {
    /// Returns which one a member is, by its name and colon, and its value with what stands behind.
    pub(super) fn begun(member: &[u8]) -> Option<(Self, &[u8])> {
        begun! { member:
            Prompt "prompt_tokens",
            Completion "completion_tokens",
            Total "total_tokens",
            Input "input_tokens",
            Output "output_tokens",
            CacheRead "cache_read_input_tokens",
            CacheCreation "cache_creation_input_tokens",
        }
        None
    }
}

/// The latest value of each [`Count`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    prompt: Option<u64>,
    completion: Option<u64>,
    total: Option<u64>,
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_creation: Option<u64>,
    output: Option<u64>,
}

impl Counts {
    pub(super) fn set(&mut self, count: Count, value: u64) {
        let place = match count {
            Count::Prompt => &mut self.prompt,
            Count::Completion => &mut self.completion,
            Count::Total => &mut self.total,
            Count::Input => &mut self.input,
            Count::CacheRead => &mut self.cache_read,
            Count::CacheCreation => &mut self.cache_creation,
            Count::Output => &mut self.output,
        };
        *place = Some(value);
    }

    /// Takes over what a later object says. One that names no count at all changes nothing.
    pub(super) fn update(&mut self, later: Self) {
        if later == Self::default() {
            return;
        }
        *self = Self {
            prompt: later.prompt.or(self.prompt),
            completion: later.completion.or(self.completion),
            // The sum of older counts would be wrong beside newer ones.
            total: later.total,
            input: later.input.or(self.input),
            cache_read: later.cache_read.or(self.cache_read),
            cache_creation: later.cache_creation.or(self.cache_creation),
            output: later.output.or(self.output),
        };
    }

    /// Returns what the counts say; `None` if there is none.
    pub(super) fn usage(&self) -> Option<Usage> {
        // `prompt_tokens` has what came from a cache (Bike4Mind/bike4mind#1089); `input_tokens`
        // lacks it.
        let cached = self.cache_read.unwrap_or(0).saturating_add(self.cache_creation.unwrap_or(0));
        let input = self.input.map(|input| input.saturating_add(cached));
        let usage = Usage {
            prompt: self.prompt.or(input),
            completion: self.completion.or(self.output),
            total: self.total,
        };
        (*self != Self::default()).then_some(usage)
    }
}
