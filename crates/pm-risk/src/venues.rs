//! What each venue said: its mode, and whether it said no. A no outlives restarts and resets until a person names the venue.

use std::collections::BTreeMap;
use std::sync::Arc;

use pm_core::event::VenueWord;
use pm_core::ids::VenueId;
use pm_core::order::{Purpose, Tif};
use pm_core::refusal::Refusal;

/// Words of all venues.
#[derive(Debug, Clone, Default)]
pub(crate) struct Venues {
    modes: BTreeMap<VenueId, VenueWord>,
    closed: BTreeMap<VenueId, VenueWord>,
    names: BTreeMap<VenueId, Arc<str>>,
}

impl Venues {
    pub(crate) fn name(&mut self, venue: VenueId, name: Arc<str>) {
        self.names.insert(venue, name);
    }

    pub(crate) fn name_of(&self, venue: VenueId) -> Arc<str> {
        self.names.get(&venue).cloned().unwrap_or_else(|| format!("venue:{venue}").into())
    }

    pub(crate) fn hear(&mut self, venue: VenueId, word: VenueWord) {
        if word.is_no() {
            self.closed.insert(venue, word);
        } else {
            self.modes.insert(venue, word);
        }
    }

    /// From a record, which does not keep the word: the trip's when it is one, else the strictest.
    pub(crate) fn close(&mut self, venue: VenueId, word: Option<VenueWord>) {
        self.closed.entry(venue).or_insert_with(|| word.unwrap_or(VenueWord::Compliance));
    }

    pub(crate) fn closed(&self) -> impl Iterator<Item = VenueId> {
        self.closed.keys().copied()
    }

    /// Opens the closed venues that the reason names, by name or as `venue:<id>`, as a whole word.
    pub(crate) fn reopen_named(&mut self, reason: &str) {
        let reason = reason.to_lowercase();
        let mut words = Vec::new();
        words.extend(reason.split(|c: char| !(c.is_alphanumeric() || matches!(c, ':' | '-' | '_'))).map(|w| w.trim_matches(':')));
        let names = &self.names;
        self.closed.retain(|venue, _| {
            let id = format!("venue:{venue}");
            let name = names.get(venue).map(|n| n.to_lowercase());
            !words.iter().any(|w| *w == id || name.as_deref() == Some(w))
        });
    }

    /// Whether an order may go to the venue. `tif` is `None` for "any order that takes".
    ///
    /// Closed: only a reduction, and only if the word was closed-only. Restarting or cancel-only: nothing. Post-only: only that.
    pub(crate) fn allows(&self, venue: VenueId, purpose: Purpose, tif: Option<Tif>) -> Result<(), Refusal> {
        match self.closed.get(&venue) {
            Some(VenueWord::ClosedOnly) if purpose == Purpose::Reduce => {}
            Some(_) => return Err(Refusal::VenueSaysNo),
            None => {}
        }
        match self.modes.get(&venue) {
            Some(VenueWord::Restarting | VenueWord::CancelOnly) => Err(Refusal::VenueMode),
            Some(VenueWord::PostOnly) if tif != Some(Tif::PostOnly) => Err(Refusal::VenueMode),
            _ => Ok(()),
        }
    }
}
