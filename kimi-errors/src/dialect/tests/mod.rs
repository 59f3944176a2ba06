//! What is read and written, table by table and byte by byte.

mod tables;
mod written;
