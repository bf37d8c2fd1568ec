//! Arbitrary headers and bodies at the webhook door: nothing gets in unsigned, and nothing that is signed breaks it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzz::delivery::check(bytes));
