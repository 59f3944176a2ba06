use std::{fmt, sync::Arc};

use kimi_errors::{Dialect, Lang};
use kimi_tower::{
    request_log::{Observer, RequestLogLayer},
    session::Policy,
};
use kimi_validate::{Profile, file_url::UrlPolicy};

use super::{Limits, Shared, Status};

/// Who is told of each request; `None` if nobody.
pub type Log = Option<Arc<dyn Observer + Send + Sync>>;

/// What a gateway holds its callers to, and how it answers them.
#[expect(clippy::exhaustive_structs, reason = "it is filled in by whoever starts a gateway")]
pub struct Settings {
    /// How much of it each caller may have.
    pub limits: Limits,
    /// What a chat request has to be like.
    pub profile: Profile,
    /// What the URLs of the files have to be like that a chat request names. Nothing is fetched here:
    /// the upstream does that, if anybody.
    pub files: UrlPolicy,
    /// What becomes of a request whose conversation is being answered; with `None` it goes to the
    /// upstream like any.
    pub session: Option<Policy>,
    /// What limits and turns are shared through with other replicas; with `None` they are this
    /// process' own, as requests at a time always are.
    pub shared: Option<Shared>,
    /// Has one record of each request.
    pub log: RequestLogLayer<Log>,
    /// The page of the gateway, its metrics and its health; with `None` there is none of it.
    pub status: Option<Status>,
    /// What errors are answered in.
    pub dialect: Dialect,
    /// And in which language, as far as the texts are ours.
    pub lang: Lang,
}

impl Default for Settings {
    /// The platform's rules for requests, public files, a queue for each conversation; no limits and
    /// no log.
    fn default() -> Self {
        Self {
            limits: Limits::none(),
            profile: Profile::platform(),
            files: UrlPolicy::new(),
            session: Some(Policy::default()),
            shared: None,
            log: RequestLogLayer::new().with_observer(None),
            status: None,
            dialect: Dialect::Errcode,
            lang: Lang::Zh,
        }
    }
}

/// Shows nothing of who is told.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("limits", &self.limits)
            .field("profile", &self.profile)
            .field("files", &self.files)
            .field("session", &self.session)
            .field("shared", &self.shared)
            .field("status", &self.status)
            .field("dialect", &self.dialect)
            .field("lang", &self.lang)
            .finish_non_exhaustive()
    }
}
