//! Arbitrary bytes as a bundle of one or more files: loading always ends with a policy or with printable findings, and a
//! loaded policy can be used.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzz::bundle::check(bytes));
