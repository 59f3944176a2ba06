use kimi_errors::{Dialect, Lang};
use tower_layer::Layer;

use super::{CatchError, answer::Answers};

/// Answers what fails inside, so that nothing does outside. See the [module](super).
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct CatchErrorLayer {
    answers: Answers,
}

impl CatchErrorLayer {
    /// Creates the layer: [`Dialect::Errcode`], Chinese, foreign answers rewritten.
    pub const fn new() -> Self {
        Self { answers: Answers::new() }
    }

    /// Sets the wire form of errors. Default: [`Dialect::Errcode`], the article's.
    pub const fn with_dialect(mut self, dialect: Dialect) -> Self {
        self.answers.dialect = dialect;
        self
    }

    /// Sets the language of the kinds' own messages; a message set by hand stays as it is.
    /// Default: Chinese, as on Kimi's own wire.
    pub const fn with_lang(mut self, lang: Lang) -> Self {
        self.answers.lang = lang;
        self
    }

    /// Passes the 4xx and 5xx of strangers as they are, such as a router's own page for 404.
    /// Default: they are rewritten, see [foreign answers](super#foreign-answers).
    pub const fn without_normalization(mut self) -> Self {
        self.answers.normalize = false;
        self
    }
}

impl<S> Layer<S> for CatchErrorLayer {
    type Service = CatchError<S>;

    fn layer(&self, inner: S) -> CatchError<S> {
        CatchError::new(inner, *self)
    }
}

impl From<CatchErrorLayer> for Answers {
    fn from(layer: CatchErrorLayer) -> Self {
        layer.answers
    }
}
