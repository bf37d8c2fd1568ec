//! Arbitrary headers and bodies for the webhook: it accepts nothing unsigned, and nothing signed breaks it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzz::delivery::check(bytes));
