//! What GitHub may do wrong, and that nothing is approved wrongly or lost by it.
