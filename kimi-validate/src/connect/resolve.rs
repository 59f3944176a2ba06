use std::{
    fmt, io,
    net::{IpAddr, ToSocketAddrs},
};

use tokio::task::spawn_blocking;

/// Finds the addresses of a name. A closure that returns a future is one.
pub trait Resolve {
    /// Returns all addresses of a name, in the order in which they are to be tried. The name is in
    /// lower case and ASCII, and without a dot at its end.
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
///
/// A name with a dot in it is asked for as it is, with a dot at its end, RFC 1034 §3.1: the `search`
/// list of `resolv.conf` makes inner names of short ones, such as `redis.prod` in a Kubernetes cluster.
/// In `/etc/hosts` names have no dot at their end, so that none of these is found there either. Only a
/// name of one label goes by the search list and by `/etc/hosts`, and a policy lets none through that
/// it does not [list](crate::file_url::UrlPolicy::with_allowed_hosts).
#[derive(Clone)]
pub struct SystemResolver {
    ask: fn(&str) -> io::Result<Vec<IpAddr>>,
}

impl SystemResolver {
    /// Creates the resolver.
    #[must_use]
    pub fn new() -> Self {
        Self { ask }
    }
}

impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let (name, ask) = (absolute(name), self.ask);
        spawn_blocking(move || ask(&name)).await.map_err(io::Error::other)?
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SystemResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemResolver").finish_non_exhaustive()
    }
}

fn ask(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// Returns the name as no search list changes it, if it has a dot.
fn absolute(name: &str) -> String {
    let end = if name.contains('.') && !name.ends_with('.') { "." } else { "" };
    [name, end].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(ask: fn(&str) -> io::Result<Vec<IpAddr>>) -> SystemResolver {
        SystemResolver { ask }
    }

    #[tokio::test]
    async fn no_search_list_applies_to_a_name_with_a_dot() {
        let resolver = asking(|name| Err(io::Error::other(name.to_owned())));
        for (name, expected) in [
            ("redis.prod", "redis.prod."),
            ("example.com", "example.com."),
            ("example.com.", "example.com."),
            ("minio", "minio"),
        ] {
            assert_eq!(resolver.resolve(name).await.unwrap_err().to_string(), expected);
        }
    }
}
