//! The caller by its address: whose word is taken, and how it is read.

mod cidr;
mod client;
mod hops;

pub use self::{
    cidr::{Cidr, CidrError},
    client::ClientAddress,
};

#[cfg(test)]
mod tests;
