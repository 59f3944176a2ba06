//! Over real sockets, in real time, with a `redis-server` of each test's own.

mod rate;
mod session;
