//! Arbitrary texts of approving reviews: no text approves more than it says.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzz::commands::check(bytes));
