//! What has passed the gates is a type. [`crate::traits::Exchange::submit`] takes only [`Approved`] intents, and the only way to make one
//! is to ask a [`Gatekeeper`]. The house check refuses implementations of `Gatekeeper` outside of the risk crate and tests.

use serde::Serialize;

use crate::order::OrderIntent;
use crate::refusal::Refusal;

/// Decides whether an intent may leave.
pub trait Gatekeeper {
    /// Checks an intent against every gate.
    ///
    /// # Errors
    /// The first gate that refuses.
    fn check(&self, intent: &OrderIntent) -> Result<(), Refusal>;
}

/// An intent that passed the gates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approved(OrderIntent);

impl Approved {
    /// Asks the gatekeeper.
    ///
    /// # Errors
    /// The first gate that refuses.
    pub fn by<G: Gatekeeper + ?Sized>(gate: &G, intent: OrderIntent) -> Result<Self, Refusal> {
        gate.check(&intent).map(|()| Self(intent))
    }
    /// The intent.
    #[must_use]
    pub const fn intent(&self) -> &OrderIntent {
        &self.0
    }
}
