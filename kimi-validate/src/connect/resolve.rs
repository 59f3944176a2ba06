use std::{io, net::IpAddr};

/// Finds the addresses of a name. A closure that returns a future is one.
pub trait Resolve {
    /// Returns all addresses of a name, in the order in which they are to be tried. The name is in
    /// lower case and ASCII.
    fn resolve(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

impl<F, A> Resolve for F
where
    F: Fn(&str) -> A,
    A: Future<Output = io::Result<Vec<IpAddr>>> + Send,
{
    fn resolve(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send {
        self(name)
    }
}

/// Asks the operating system, as `getaddrinfo` does, on tokio's threads for what blocks.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemResolver;

impl SystemResolver {
    /// Creates the resolver.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let addresses = tokio::net::lookup_host((name, 0)).await?;
        Ok(addresses.map(|address| address.ip()).collect())
    }
}
