//! Any bytes as the body of a chat request.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| kimi_fuzz::hold(body));
