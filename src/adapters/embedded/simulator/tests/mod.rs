//! The simulator as its users meet it.

mod durability;
mod graphql;
mod hooks;
mod published;
mod rest;
mod rules;

use std::sync::Arc;

use jiff::SignedDuration;

use super::GithubSimulator;
use super::change::{NewCommit, NewPullRequest, NewReview, Push, ReviewEvent};
use super::refusal::Refusal;
use crate::adapters::embedded::clock::MovableClock;
use crate::adapters::embedded::scene::*;
use crate::ident::{ReviewId, Revision};
