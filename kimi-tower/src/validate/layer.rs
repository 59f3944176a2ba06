use std::sync::Arc;

use kimi_errors::Lang;
use kimi_validate::Profile;
use tower_layer::Layer;

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
