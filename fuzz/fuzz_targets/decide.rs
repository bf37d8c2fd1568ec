//! Arbitrary facts under a policy that uses the whole language: there is always a decision, and it is consistent.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzz::facts::check(bytes));
