//! Arbitrary changes of GitHub's answers: reading ends with facts, or with an error that says why.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzz::answers::check(bytes));
