//! The async runtime of the commands that listen or call GitHub.

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

pub(super) fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("cannot start the async runtime")
}
