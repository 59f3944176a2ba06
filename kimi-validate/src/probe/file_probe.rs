use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Method, Request, Response};
use http_body::Body;
use kimi_errors::BoxError;
use tower_service::Service;

use super::{FileBody, FileInfo, exchange, head, place::Found};
use crate::{
    file_url::{MediaTypes, Reason, Refused, RemoteUrl, UrlPolicy},
    limits::{MAX_FILE_BYTES, MAX_REDIRECTS},
};

/// Asks the server of a file whether the file may be fetched. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct FileProbe<S> {
    pub(super) client: S,
    pub(super) policy: Arc<UrlPolicy>,
    pub(super) types: MediaTypes,
    pub(super) max_bytes: u64,
    max_redirects: u8,
    /// Whether all of a file is asked about with `GET`.
    pub(super) asks_for_block: bool,
    deadline: Duration,
    pub(super) user_agent: HeaderValue,
}

impl<S> FileProbe<S> {
    /// Creates a probe that sends by `client`: files of the platform's types, of 100 MiB at most, at
    /// the end of 3 redirects at most, within 10 s.
    ///
    /// The client must not follow redirects, and should dial through `connect`.
    pub fn new(client: S) -> Self {
        Self {
            client,
            policy: Arc::new(UrlPolicy::new()),
            types: MediaTypes::platform(),
            max_bytes: MAX_FILE_BYTES,
            max_redirects: MAX_REDIRECTS,
            asks_for_block: false,
            deadline: Duration::from_secs(10),
            user_agent: HeaderValue::from_static(concat!(
                "kimi-validate/",
                env!("CARGO_PKG_VERSION")
            )),
        }
    }

    /// Sets which URLs redirects may lead to. Default: [`UrlPolicy::new`].
    pub fn with_policy(mut self, policy: impl Into<Arc<UrlPolicy>>) -> Self {
        self.policy = policy.into();
        self
    }

    /// Sets the types of files. Default: [`MediaTypes::platform`].
    pub fn with_types(mut self, types: MediaTypes) -> Self {
        self.types = types;
        self
    }

    /// Sets how large a file may be, in bytes. Default: [100 MiB](MAX_FILE_BYTES).
    pub const fn with_max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Follows no redirect. Default: [3](MAX_REDIRECTS) at most.
    pub const fn without_redirects(mut self) -> Self {
        self.max_redirects = 0;
        self
    }

    /// Asks for the first block of each file as well, also where `HEAD` has told length and type.
    /// Default: not.
    ///
    /// Nobody is held to an answer to `HEAD`. One to `GET` comes with the file: a body that is longer
    /// than announced is read on, and refused at the first byte too many; what `GET` says of length
    /// and type goes before what `HEAD` has said. It takes one more request, and 4 KiB, for each file.
    pub const fn with_first_block(mut self) -> Self {
        self.asks_for_block = true;
        self
    }

    /// Sets how long all of a check may take, redirects and reading included. Default: 10 s, ours: a
    /// caller waits for it, and a server that takes longer to answer is not one to fetch from.
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets the `User-Agent`. Default: `kimi-validate/` and the version. Some servers refuse requests
    /// without any.
    pub fn with_user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.user_agent = user_agent;
        self
    }

    /// Returns which URLs redirects may lead to, so that the first can be held to the same.
    #[must_use]
    pub fn policy(&self) -> &Arc<UrlPolicy> {
        &self.policy
    }

    /// Asks for the file's size and type.
    ///
    /// # Errors
    ///
    /// [`Reason::TooLarge`], [`Reason::MediaType`], [`Reason::Encoded`], [`Reason::Redirect`], or
    /// [`Reason::Unreachable`] for all else, also if the deadline passes.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its time enabled.
    pub async fn check<ReqBody, ResBody>(&self, url: &RemoteUrl) -> Result<FileInfo, Refused>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        S::Error: Into<BoxError>,
        ReqBody: Default,
        ResBody: Body,
        ResBody::Error: Into<BoxError>,
    {
        self.in_time(self.follow(url)).await
    }

    /// Fetches a file that was checked: one `GET` of where it was found, and a body that fails at the
    /// first byte more than was [found](FileInfo::size), or than is allowed by now. A server may say
    /// something else the second time, so its head is held to what was found: a longer file is
    /// refused, and another type than [the file's](FileInfo::media_type), though a head may be silent
    /// about both. A shorter file passes; a redirect is not followed.
    ///
    /// The deadline is for the head alone. How long the body takes is bounded by whoever reads it.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its time enabled.
    pub async fn fetch<ReqBody, ResBody>(
        &self,
        file: &FileInfo,
    ) -> Result<Response<FileBody<ResBody>>, Refused>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        S::Error: Into<BoxError>,
        ReqBody: Default,
    {
        let sent = exchange::send(&self.client, Method::GET, &file.url, &self.user_agent, None);
        let answer = self.in_time(sent).await?;
        let (status, headers) = (answer.status(), answer.headers());
        if head::is_redirect(status) {
            return Err(Reason::Redirect.into());
        }
        exchange::is_no_part(status)?;
        exchange::is_file(status, headers)?;
        let media_type = head::media_type(headers);
        if media_type.is_some_and(|it| it != file.media_type) {
            return Err(Reason::MediaType.into());
        }
        // The file may have been checked by another probe.
        let max_bytes = self.max_bytes.min(file.size.bytes());
        self.judge(None, Some(&file.media_type))?;
        if head::length(headers).is_some_and(|bytes| bytes > max_bytes) {
            return Err(Reason::TooLarge.into());
        }
        Ok(answer.map(|body| FileBody::new(body, max_bytes)))
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Refused>>,
    ) -> Result<T, Refused> {
        match tokio::time::timeout(self.deadline, work).await {
            Ok(done) => done,
            Err(elapsed) => Err(Refused::because(Reason::Unreachable, elapsed)),
        }
    }

    async fn follow<ReqBody, ResBody>(&self, url: &RemoteUrl) -> Result<FileInfo, Refused>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        S::Error: Into<BoxError>,
        ReqBody: Default,
        ResBody: Body,
        ResBody::Error: Into<BoxError>,
    {
        let mut url = url.clone();
        for redirects in 0..=self.max_redirects {
            match self.ask(&url).await? {
                Found::File { media_type, size } => {
                    return Ok(FileInfo { url, media_type, size, redirects });
                }
                Found::Redirect(target) => url = target,
            }
        }
        Err(Reason::Redirect.into())
    }
}
