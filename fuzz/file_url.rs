//! Any text as a file URL, and any other as the redirect of its server.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| kimi_fuzz::hold_url(text));
