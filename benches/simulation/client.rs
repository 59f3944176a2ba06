//! Who asks the origin.

use kimi_tower::retry::RetryPolicy;
use tower::{retry::Retry, service_fn};

use super::{
    hop::Hop,
    ours,
    peers::{self, Advised},
    random::Random,
};

/// Who asks, and by which rules again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Client {
    /// Once.
    Once,
    /// Our layer, with `RetryPolicy::standard()`.
    Standard,
    /// Our layer, with `RetryPolicy::article()`.
    Article,
    /// tower's `RetryLayer`.
    Tower,
    /// The OpenAI SDK for Python.
    OpenAi,
    /// kimi-free-api.
    FreeApi,
}

impl Client {
    /// All of them, in the order of the table's columns.
    pub(super) const ALL: [Self; 6] =
        [Self::Once, Self::Standard, Self::Article, Self::Tower, Self::OpenAi, Self::FreeApi];

    /// Returns what stands above the column.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Once => "no retry",
            Self::Standard => "**`standard()`**",
            Self::Article => "**`article()`**",
            Self::Tower => "tower",
            Self::OpenAi => "OpenAI SDK",
            Self::FreeApi => "kimi-free-api",
        }
    }

    /// Returns whether what becomes of a request depends on how others fared.
    pub(super) const fn has_budget(self) -> bool {
        match self {
            Self::Standard | Self::Tower => true,
            Self::Once | Self::Article | Self::OpenAi | Self::FreeApi => false,
        }
    }

    /// Returns a service that asks the next one, and again. Other seeds wait otherwise.
    pub(super) fn asks(self, next: Hop, seed: u64) -> Hop {
        let random = Random::new(seed);
        match self {
            Self::Once => next,
            Self::Standard => ours::client(RetryPolicy::standard().with_seed(seed), next),
            Self::Article => ours::client(RetryPolicy::article().with_seed(seed), next),
            Self::Tower => Hop::of(Retry::new(
                Advised::new(random),
                service_fn(move |request| next.ask(request)),
            )),
            Self::OpenAi => {
                Hop::new(move |request| peers::openai(next.clone(), request, random.clone()))
            }
            Self::FreeApi => Hop::new(move |request| peers::free_api(next.clone(), request)),
        }
    }

    /// Returns a gateway in front of the next service.
    pub(super) fn gateway(self, next: Hop, seed: u64) -> Hop {
        match self {
            Self::Standard => ours::gateway(RetryPolicy::standard().with_seed(seed), next),
            Self::Article => ours::gateway(RetryPolicy::article().with_seed(seed), next),
            Self::Once | Self::Tower | Self::OpenAi | Self::FreeApi => self.asks(next, seed),
        }
    }
}
