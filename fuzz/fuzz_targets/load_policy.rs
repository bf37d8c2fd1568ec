//! Arbitrary bytes as a bundle of one file or several: every loading ends, with a policy or with findings that can be
//! shown, and a policy that was loaded can be used.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_fuzz::bundle::check(bytes));
