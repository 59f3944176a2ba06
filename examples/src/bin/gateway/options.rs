//! What the gateway can be told, by flags, by the environment, or in a file.

use std::{io::stderr, net::SocketAddr, path::PathBuf, sync::Arc};

use clap::{Parser, ValueEnum};
use http::Uri;
use kimi_errors::{Dialect, Lang};
use kimi_examples::gateway::{self, Upstream};
use kimi_tower::{
    request_log::{JsonObserver, TextObserver},
    session::Policy,
};
use kimi_validate::{Profile, file_url::IpRange};

/// A Kimi-compatible chat endpoint in front of an upstream.
#[derive(Parser)]
#[command(name = "gateway", version, args_override_self = true)]
pub(super) struct Options {
    /// A file of TOML with any of these options, by their names. What the environment says counts
    /// more than the file, and what stands here more than both.
    #[arg(long, env = "KIMI_GATEWAY_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one.
    #[arg(
        long,
        env = "KIMI_GATEWAY_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8000"
    )]
    pub(super) listen: SocketAddr,
    /// The service behind the gateway. Without it, a scripted one is started in this process.
    #[arg(long, env = "KIMI_GATEWAY_UPSTREAM", value_name = "URL")]
    pub(super) upstream: Option<Upstream>,
    /// How long the upstream may be silent before the head of its answer, retries included.
    #[arg(
        long,
        env = "KIMI_GATEWAY_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = Upstream::HEAD_TIMEOUT.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(super) timeout: u64,
    /// How often a request that has failed is sent again, at most; 0 is never.
    #[arg(long, env = "KIMI_GATEWAY_RETRIES", value_name = "N", default_value_t = 3)]
    pub(super) retries: u32,
    /// How many requests each API key may make in a minute; 0 is no limit.
    #[arg(long, env = "KIMI_GATEWAY_RPM", value_name = "N", default_value_t = 100)]
    pub(super) rpm: u32,
    /// How many tokens each API key may use in a minute; 0 is no limit.
    #[arg(long, env = "KIMI_GATEWAY_TPM", value_name = "N", default_value_t = 2_000_000)]
    pub(super) tpm: u32,
    /// How many requests each API key may have at a time, streams included; 0 is no limit.
    #[arg(long, env = "KIMI_GATEWAY_CONCURRENCY", value_name = "N", default_value_t = 15)]
    pub(super) concurrency: u32,
    /// What becomes of a request whose conversation, by `conversation_id` and API key, is still
    /// being answered.
    #[arg(long, env = "KIMI_GATEWAY_SESSION", value_enum, default_value_t = Session::Queue)]
    pub(super) session: Session,
    /// What requests without `authorization` are sent to the upstream with: one API key, or several
    /// with commas between them.
    #[arg(long, value_name = "TOKENS", env = "KIMI_GATEWAY_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
    /// The same, but what fresh tokens are asked for with.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "KIMI_GATEWAY_REFRESH_TOKEN",
        hide_env_values = true,
        conflicts_with = "token"
    )]
    pub(super) refresh_token: Option<String>,
    /// The same, in a file, in which each new one is kept that comes in place of the last. Without it
    /// that is lost with the process, and the old one is good no more.
    #[arg(long, env = "KIMI_GATEWAY_REFRESH_TOKEN_FILE", value_name = "FILE", conflicts_with_all = ["token", "refresh_token"])]
    pub(super) refresh_token_file: Option<PathBuf>,
    /// Where tokens are asked for: with the refresh token, by default at kimi.com; without one, as
    /// the article does, `POST /api/token`.
    #[arg(long, env = "KIMI_GATEWAY_TOKEN_URL", value_name = "URL", conflicts_with = "token")]
    pub(super) token_url: Option<Uri>,
    /// What is written of each request, to the standard error.
    #[arg(long, env = "KIMI_GATEWAY_LOG", value_enum, default_value_t = Log::Text)]
    pub(super) log: Log,
    /// How many characters of each message are written with it; 0 is none.
    #[arg(long, env = "KIMI_GATEWAY_PREVIEW", value_name = "N", default_value_t = 0)]
    pub(super) preview: usize,
    /// The Redis or Valkey that limits and turns are shared through by several gateways, as
    /// `redis://127.0.0.1:6379`; takes `--secret`.
    #[arg(
        long,
        env = "KIMI_GATEWAY_REDIS",
        hide_env_values = true,
        value_name = "URL",
        requires = "secret"
    )]
    pub(super) redis: Option<String>,
    /// What all gateways that share a Redis know the same callers by, and nobody else knows: 16 to 256
    /// characters. Better in the environment than here.
    #[arg(long, env = "KIMI_GATEWAY_SECRET", hide_env_values = true, value_name = "TEXT")]
    pub(super) secret: Option<String>,
    /// Where the page with what is going on is, with `/metrics` and `/healthz`.
    #[arg(long, env = "KIMI_GATEWAY_STATUS", value_enum, default_value_t = Status::On)]
    pub(super) status: Status,
    /// How errors are answered: errcode, free-api, openai or compat.
    #[arg(long, env = "KIMI_GATEWAY_DIALECT", default_value = "errcode")]
    pub(super) dialect: Dialect,
    /// Whose rules chat requests are held to: article, free-api or platform.
    #[arg(long, env = "KIMI_GATEWAY_PROFILE", default_value = "platform")]
    pub(super) profile: Profile,
    /// Addresses that file URLs may name though they are not public; several by commas or several
    /// times.
    /// Whoever may send a request may then name everything in them.
    #[arg(long, env = "KIMI_GATEWAY_ALLOW_FILE_RANGE", value_name = "CIDR", value_delimiter = ',')]
    pub(super) allow_file_range: Vec<IpRange>,
    /// The language of the gateway's own messages: zh or en.
    #[arg(long, env = "KIMI_GATEWAY_LANG", default_value = "zh")]
    pub(super) lang: Lang,
    /// What the scripted upstream does, a .json or .toml file.
    #[arg(long, env = "KIMI_GATEWAY_SCRIPT", value_name = "FILE", conflicts_with = "upstream")]
    pub(super) script: Option<PathBuf>,
}

/// What `--session` says.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Session {
    /// It waits for its turn: 16 at most, for 60 s at most
    Queue,
    /// It is refused at once: -2005, 429
    Reject,
    /// It takes the turn, and the answer under way ends with an error
    Supersede,
    /// It goes to the upstream like any other
    Off,
}

impl Session {
    pub(super) fn policy(self) -> Option<Policy> {
        match self {
            Self::Queue => Some(Policy::default()),
            Self::Reject => Some(Policy::Reject),
            Self::Supersede => Some(Policy::Supersede),
            Self::Off => None,
        }
    }
}

/// What `--log` says.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Log {
    /// A line for people
    Text,
    /// A line of JSON, for machines
    Json,
    /// Nothing
    Off,
}

impl Log {
    pub(super) fn observer(self) -> gateway::Log {
        match self {
            Self::Text => Some(Arc::new(TextObserver::new(stderr()))),
            Self::Json => Some(Arc::new(JsonObserver::new(stderr()))),
            Self::Off => None,
        }
    }
}

/// What `--status` says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Status {
    /// At `/`, for everybody who may send requests
    On,
    /// Nowhere
    Off,
}
