//! What every service of this crate is given.

/// Adds the accessors of the wrapped service, which stands in a field `inner: S`.
macro_rules! inner_accessors {
    () => {
        /// Returns the wrapped service.
        #[must_use]
        pub const fn get_ref(&self) -> &S {
            &self.inner
        }

        /// Returns the wrapped service, to be changed.
        #[must_use]
        pub const fn get_mut(&mut self) -> &mut S {
            &mut self.inner
        }

        /// Unwraps the service.
        #[must_use]
        pub fn into_inner(self) -> S {
            self.inner
        }
    };
}
