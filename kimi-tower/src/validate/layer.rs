use std::sync::Arc;

#[cfg(feature = "probe")]
use http::{Request, Response};
#[cfg(feature = "probe")]
use http_body::Body;
#[cfg(feature = "probe")]
use kimi_errors::BoxError;
use kimi_errors::Lang;
use kimi_validate::Profile;
#[cfg(feature = "file-url")]
use kimi_validate::file_url::UrlPolicy;
#[cfg(feature = "probe")]
use kimi_validate::probe::FileProbe;
use tower_layer::Layer;
#[cfg(feature = "probe")]
use tower_service::Service;

#[cfg(feature = "file-url")]
use super::files::Files;
#[cfg(feature = "probe")]
use super::probing::Prober;
use super::{ChatCompletions, Validate, check::Check};

/// Refuses chat requests that are not well formed. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct ValidateLayer<P = ChatCompletions> {
    check: Check,
    select: P,
}

impl ValidateLayer {
    /// Creates the layer: requests of [`ChatCompletions`], Chinese, the content type is checked.
    ///
    /// The profile is shared by all services that the layer and its clones make; give an
    /// `Arc<Profile>` to share it with others.
    pub fn new(profile: impl Into<Arc<Profile>>) -> Self {
        Self { check: Check::new(profile.into()), select: ChatCompletions::new() }
    }
}

impl<P> ValidateLayer<P> {
    /// Sets which requests are checked, by their head: a [`Select`](super::Select), or a closure.
    /// Default: [`ChatCompletions`].
    pub fn with_select<T>(self, select: T) -> ValidateLayer<T> {
        ValidateLayer { check: self.check, select }
    }

    /// Sets the language of the refusals. Default: Chinese, as on Kimi's own wire.
    pub const fn with_lang(mut self, lang: Lang) -> Self {
        self.check.lang = lang;
        self
    }

    /// Reads the body as JSON whatever its content type says, and if it says nothing: some
    /// clients send `text/plain`, so that browsers ask no leave for it. Default: it must be JSON.
    ///
    /// Then a page of any origin can make a browser send a chat request with the cookies it has.
    pub const fn without_content_type_check(mut self) -> Self {
        self.check.any_content_type = true;
        self
    }

    /// Holds the URLs of all files that a request names to a policy. Nothing is resolved and nothing
    /// fetched. Default: they are not looked at.
    #[cfg(feature = "file-url")]
    pub fn with_file_urls(mut self, policy: impl Into<Arc<UrlPolicy>>) -> Self {
        self.check.files = Some(Files::new(policy.into()));
        self
    }

    /// Holds the URLs of all files that a request names to the probe's policy, and asks the servers of
    /// those that pass: 4 at once, for 30 s in all; 64 at once for all requests of the layer's
    /// services. Default: they are not looked at.
    ///
    /// The probe's client should dial through `kimi_validate::connect`.
    #[cfg(feature = "probe")]
    pub fn with_file_probe<S, ReqBody, ResBody>(mut self, probe: FileProbe<S>) -> Self
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>>,
        S: Clone + Send + Sync + 'static,
        S::Error: Into<BoxError> + Send,
        S::Future: Send,
        ReqBody: Default + Send + 'static,
        ResBody: Body + Send + 'static,
        ResBody::Data: Send,
        ResBody::Error: Into<BoxError>,
    {
        let files = Files::new(Arc::clone(probe.policy()));
        self.check.files = Some(files.with_prober(Prober::new(probe)));
        self
    }

    pub(super) fn into_parts(self) -> (Check, P) {
        (self.check, self.select)
    }
}

impl<S, P> Layer<S> for ValidateLayer<P>
where
    P: Clone,
{
    type Service = Validate<S, P>;

    fn layer(&self, inner: S) -> Validate<S, P> {
        Validate::new(inner, self.clone())
    }
}
