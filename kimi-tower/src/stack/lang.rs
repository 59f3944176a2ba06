use kimi_errors::Lang;
use tower_layer::Identity;

use crate::{
    catch_error::CatchErrorLayer, rate_limit::RateLimitLayer, session::SessionLayer,
    validate::ValidateLayer,
};

/// A part of a stack that can be told in which language to speak to callers.
pub trait SetLang {
    /// Sets the language.
    #[must_use]
    fn set_lang(self, lang: Lang) -> Self;
}

/// Says nothing.
impl SetLang for Identity {
    fn set_lang(self, _: Lang) -> Self {
        self
    }
}

macro_rules! set_lang {
    ($($layer:ty, $($param:ident),*;)*) => {$(
        impl<$($param),*> SetLang for $layer {
            fn set_lang(self, lang: Lang) -> Self {
                self.with_lang(lang)
            }
        }
    )*};
}

set_lang! {
    CatchErrorLayer,;
    RateLimitLayer<K, R>, K, R;
    SessionLayer<K, T>, K, T;
    ValidateLayer<P>, P;
}
