//! Placeholder until merged.
use std::collections::BTreeMap; use std::sync::Arc; use jiff::Timestamp; use serde::{Serialize,Deserialize};
use super::read::{Place, Reader}; use super::yaml::Node;
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)] pub struct Calendar { name: Box<str>, source: Place }
impl Calendar { pub fn name(&self)->&str{&self.name} pub fn source(&self)->&Place{&self.source} pub fn contains(&self,_:Timestamp)->bool{false} pub fn next_change(&self,_:Timestamp)->Option<Timestamp>{None} pub fn is_over(&self,_:Timestamp)->bool{false} pub fn describe(&self)->String{String::new()} }
pub(crate) type Calendars = BTreeMap<Box<str>, Arc<Calendar>>;
pub(crate) fn read_calendars(_: &mut Reader<'_>, _: &[&Node]) -> Calendars { Calendars::new() }
pub(crate) fn read_calendar_names(_: &mut Reader<'_>, _: &Node, _: &str, _: &Calendars) -> Option<Vec<Arc<Calendar>>> { None }
