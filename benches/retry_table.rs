//! Prints the table of the [`simulation`], which stands in `benches/README.md`.
//!
//! ```sh
//! cargo run --release -p kimi-benches --bin retry_table
//! ```

#![expect(clippy::print_stdout, reason = "this is what the program is for")]

use kimi_benches::simulation;

fn main() {
    print!("{}", simulation::table());
}
