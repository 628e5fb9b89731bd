//! From a touched book to an order: scan, episode, size, gates, submit. Each step has one exit, and each exit a reason.

use core::fmt::Write as _;
use std::sync::Arc;

use pm_core::approval::Approved;
use pm_core::book::Book;
use pm_core::budget::Budget;
use pm_core::command::{Command, VenueCommand};
use pm_core::event::BookId;
use pm_core::ids::{MarketIdx, OpportunityId, StructureId};
use pm_core::market::Market;
use pm_core::opportunity::{Candidate, LegPlan, StrategyKind, Waterfall};
use pm_core::order::{OrderIntent, Purpose, Tif, Tradable};
use pm_core::record::{OpportunityRow, Record};
use pm_core::refusal::Refusal;
use pm_core::time::Dur;
use pm_core::units::{Px, Qty, Ratio, Usd};
use pm_risk::GateContext;
use pm_strategy::{HedgeQuote, NotSized, Sized, Snap};

use crate::engine::Engine;
use crate::episodes::{Episode, EpisodeKey};
use crate::structures::{Retry, Stage, Structure, Unwind};

impl Engine {
    /// Looks at a market after its book or its fair value changed.
    pub(crate) fn evaluate(&mut self, idx: MarketIdx, out: &mut Vec<Command>) {
        self.evaluate_outright(idx, out);
        self.evaluate_group(idx, out);
    }

    /// Looks at a market after all of its underlying were priced anew: its group once, by its first member.
    pub(crate) fn evaluate_repriced(&mut self, idx: MarketIdx, out: &mut Vec<Command>) {
        self.evaluate_outright(idx, out);
        let key = self.markets.market(idx).and_then(|s| s.market.rule.understood()).map(|r| (r.source, r.final_at));
        if key.and_then(|k| self.markets.groups.get(&k)).and_then(|m| m.first()) == Some(&idx) {
            self.evaluate_group(idx, out);
        }
    }

    fn evaluate_outright(&mut self, idx: MarketIdx, out: &mut Vec<Command>) {
        self.freshen(idx, false);
        let Some(slot) = self.markets.market(idx) else { return };
        if slot.resolved.is_some() {
            return;
        }
        let snap = Snap { market: &slot.market, book: &slot.book, fair: slot.fair };
        let quote = self.hedge_quote(&slot.market);
        let found = pm_strategy::cross_exchange::scan(&self.cfg.strategy, self.now, &snap, quote.as_ref());
        self.consider(StrategyKind::CrossExchange, idx, found, out);
    }

    /// Books that settle on the same source at the same instant may contradict each other.
    fn evaluate_group(&mut self, idx: MarketIdx, out: &mut Vec<Command>) {
        let Some(rule) = self.markets.market(idx).and_then(|s| s.market.rule.understood()) else { return };
        let Some(members) = self.markets.groups.get(&(rule.source, rule.final_at)).filter(|m| m.len() > 1) else { return };
        let snaps = members.iter().filter_map(|m| self.markets.market(*m)).map(|slot| Snap {
            market: &slot.market,
            book: &slot.book,
            fair: slot.fair,
        });
        let found = pm_strategy::set_arbitrage::scan_each(&self.cfg.strategy, self.now, snaps);
        // One episode per group, keyed by its first member, so that a moving best pair stays one episode.
        let key = members.first().copied().unwrap_or(idx);
        self.consider(StrategyKind::SetArbitrage, key, found, out);
    }

    /// The perpetual's touch for a market's underlying.
    pub(crate) fn hedge_quote(&self, market: &Market) -> Option<HedgeQuote<'_>> {
        let hedge = self.markets.underlying(market.underlying?)?.hedge?;
        let slot = self.markets.instrument(hedge)?;
        let (bid, ask) = (slot.book.bids.best()?, slot.book.asks.best()?);
        Some(HedgeQuote {
            instrument: &slot.instrument,
            bid: bid.px,
            ask: ask.px,
            funding_rate: slot.ticker.funding_rate.unwrap_or(Ratio::ZERO),
            next_funding: slot.ticker.next_funding,
            free_margin: Usd::MAX,
        })
    }

    /// A candidate, or its absence, meets the running episodes.
    fn consider(&mut self, strategy: StrategyKind, key: MarketIdx, found: Option<Candidate>, out: &mut Vec<Command>) {
        let key: EpisodeKey = (strategy, key);
        let Some(candidate) = found else { return };
        self.stats.evaluated += 1;
        if !self.episodes.open.contains_key(&key) {
            self.open_episode(key, &candidate);
        }
        let verdict = match self.hopeless(key, &candidate) {
            Some(refusal) => Err((refusal, None)),
            None => self.try_take(key, &candidate, out),
        };
        let now = self.now;
        let Some(episode) = self.episodes.open.get_mut(&key) else { return };
        episode.seen_at = now;
        episode.row.updates = episode.row.updates.saturating_add(1);
        match verdict {
            Ok((structure, sized)) => {
                note(&mut episode.row, &sized);
                episode.row.structure = Some(structure);
                episode.row.refusal = None;
                self.stats.taken += 1;
                let row = episode.row.clone();
                out.push(Command::Persist(Record::Opportunity(Box::new(row))));
            }
            // What was taken stays as it was decided.
            Err(_) if episode.row.structure.is_some() => {}
            Err((refusal, sized)) => {
                if let Some(sized) =
                    sized.filter(|s| s.waterfall.net() > episode.row.waterfall.net() || episode.row.waterfall.qty.is_zero())
                {
                    note(&mut episode.row, &sized);
                }
                episode.row.refusal = Some(refusal);
            }
        }
    }

    /// Most looks at a running episode find that the conservative value does not even pay for the best level and its fee. The whole walk
    /// would say the same, and its first waterfall is on the episode already.
    fn hopeless(&self, key: EpisodeKey, candidate: &Candidate) -> Option<Refusal> {
        let row = &self.episodes.open.get(&key)?.row;
        if row.waterfall.qty.is_zero() || row.structure.is_some() {
            return None;
        }
        pm_strategy::out_of_reach(candidate, &|idx| self.markets.market(idx).map(|s| (&s.market, &s.book)))
    }

    fn open_episode(&mut self, key: EpisodeKey, candidate: &Candidate) {
        let Some(first) = candidate.legs.first() else { return };
        let Some(slot) = self.markets.market(first.market) else { return };
        let mut legs = String::new();
        let mut price = Px::ZERO;
        for leg in candidate.legs.iter() {
            let Some(slot) = self.markets.market(leg.market) else { continue };
            let label = slot.market.labels.get(leg.outcome.slot()).map_or("?", |l| l);
            // Writing to a String cannot fail.
            let _ = write!(
                legs,
                "{}{} {} {} @ {}",
                if legs.is_empty() { "" } else { "; " },
                leg.side.as_str(),
                label,
                slot.market.slug,
                leg.average
            );
            price += leg.average;
        }
        let id = self.episodes.next_id();
        let row = OpportunityRow {
            id,
            market: Arc::clone(&slot.market.native),
            slug: Arc::clone(&slot.market.slug),
            legs: legs.into(),
            outcome: first.outcome,
            strategy: candidate.strategy,
            class: candidate.class,
            fair: candidate.fair,
            prediction_price: price,
            implied_price: (candidate.strategy != StrategyKind::SetArbitrage).then_some(candidate.implied),
            waterfall: Waterfall::default(),
            kelly: Ratio::ZERO,
            size: Qty::ZERO,
            hedge: candidate.hedge,
            detected_at: self.now,
            closed_at: None,
            updates: 0,
            structure: None,
            refusal: None,
        };
        self.stats.opportunities += 1;
        if let Some(slot) = self.markets.market_mut(key.1) {
            slot.episode = true;
        }
        self.episodes.open.insert(key, Episode { row, seen_at: self.now });
    }

    /// Ends episodes whose candidate is gone.
    pub(crate) fn close_stale_episodes(&mut self, out: &mut Vec<Command>) {
        let grace = Dur::from_millis(i64::from(self.cfg.engine.episode_grace_ms));
        while let Some(key) = self.episodes.open.iter().find(|(_, e)| self.now.since(e.seen_at) > grace).map(|(k, _)| *k) {
            self.close_episode(key, out);
        }
    }

    /// Ends all episodes (end of the run).
    pub fn finish(&mut self, out: &mut Vec<Command>) {
        while let Some(key) = self.episodes.open.keys().next().copied() {
            self.close_episode(key, out);
        }
        self.mark_now(out);
        self.write_ledger(out);
    }

    /// Ends the episodes that opened a structure, now that it is closed: the same candidate may be tried again after the cooldown.
    pub(crate) fn close_episodes_of(&mut self, id: StructureId, out: &mut Vec<Command>) {
        while let Some(key) = self.episodes.open.iter().find(|(_, e)| e.row.structure == Some(id)).map(|(k, _)| *k) {
            self.close_episode(key, out);
        }
    }

    fn close_episode(&mut self, key: EpisodeKey, out: &mut Vec<Command>) {
        let Some(mut episode) = self.episodes.open.remove(&key) else { return };
        if let Some(slot) = self.markets.market_mut(key.1) {
            slot.episode = false;
        }
        episode.row.closed_at = Some(episode.seen_at);
        if episode.row.structure.is_none() {
            let code = episode.row.refusal.map_or("unknown", |r| r.code());
            *self.stats.refused.entry(code).or_default() += 1;
        }
        out.push(Command::Persist(Record::Opportunity(Box::new(episode.row))));
    }

    #[allow(clippy::result_large_err, reason = "refusing is the common case of the hot path and must not allocate")]
    /// Sizes a candidate and sends its orders; or says why not, with the waterfall as far as it got.
    fn try_take(
        &mut self,
        key: EpisodeKey,
        candidate: &Candidate,
        out: &mut Vec<Command>,
    ) -> Result<(StructureId, Sized), (Refusal, Option<Sized>)> {
        let bare = |r| (r, None);
        let first = candidate.legs.first().ok_or((Refusal::BookNotSynced, None))?.market;
        let taken = self.episodes.open.get(&key).is_some_and(|e| e.row.structure.is_some());
        if taken {
            return Err((Refusal::AlreadyOpen, None));
        }
        let exposure = self.exposure(candidate);
        let budget = self.risk.budget(&exposure);
        let sized = match self.size(candidate, first, budget) {
            Ok(sized) => sized,
            Err(not) => return Err((not.refusal, not.at_minimum)),
        };
        // The fair value at hand may be some ticks of the clock old: what an outright leg rests on must be fresh at this instant.
        if candidate.floor.is_zero()
            && let Some(Err(refusal)) = self.markets.market(first).map(|s| self.price(&s.market))
        {
            return Err((refusal, Some(sized)));
        }
        let measures = sized.measures;
        let mut approved = [const { None }; pm_core::opportunity::MAX_LEGS];
        let structure = self.structures.next_id();
        for (slot, leg) in approved.iter_mut().zip(sized.legs.iter()) {
            let intent = self.intent(structure, leg, sized.qty);
            let known = self.orders.orders.contains_key(&intent.id);
            let Some(m) = self.markets.market(leg.market) else { return Err(bare(Refusal::BookNotSynced)) };
            let ctx = GateContext {
                now: self.now,
                market: Some(&m.market),
                instrument: None,
                book: Some(&m.book),
                budget,
                measures,
                exposure,
                intent_known: known,
                unknown_orders: self.orders.any_unknown(),
            };
            match Approved::by(&self.risk.gates(ctx), intent) {
                Ok(ok) => *slot = Some(ok),
                Err(refusal) => return Err((refusal, Some(sized))),
            }
        }
        let opportunity = self.episodes.open.get(&key).map(|e| e.row.id).unwrap_or_default();
        self.open_structure(structure, opportunity, candidate, &sized);
        for approved in approved.into_iter().flatten() {
            self.send(approved, Some(opportunity), out);
        }
        Ok((structure, sized))
    }

    /// Sizes a candidate within what the gates and the venue will allow.
    #[allow(clippy::result_large_err, reason = "refusing is the common case of the hot path and must not allocate")]
    fn size(&self, candidate: &Candidate, first: MarketIdx, mut budget: Budget) -> Result<Sized, NotSized> {
        let books = |idx: MarketIdx| self.markets.market(idx).map(|s| (&s.market, &s.book));
        let mut quote = self.markets.market(first).and_then(|s| self.hedge_quote(&s.market));
        if let Some(quote) = &mut quote {
            quote.free_margin = self.free_margin();
        }
        let fair = self.markets.market(first).and_then(|s| s.fair.ok());
        let within = |budget: &Budget| {
            pm_strategy::size(&self.cfg.strategy, self.now, candidate, fair.as_ref(), budget, &books, quote.as_ref())
        };
        let sized = within(&budget)?;
        let beyond = self.reserve_beyond(&sized);
        if sized.measures.outlay + beyond <= budget.cash {
            return Ok(sized);
        }
        // What is asked beyond the outlay falls with the quantity: once is enough.
        budget.cash -= beyond;
        within(&budget)
    }

    fn intent(&mut self, structure: StructureId, leg: &LegPlan, qty: Qty) -> OrderIntent {
        OrderIntent {
            id: self.orders.next_id(),
            structure,
            venue: self.prediction,
            target: Tradable::Outcome(leg.market, leg.outcome),
            side: leg.side,
            limit: leg.limit,
            qty,
            tif: Tif::FillAndKill,
            purpose: Purpose::Entry,
            decided_at: self.now,
        }
    }

    fn open_structure(&mut self, id: StructureId, opportunity: OpportunityId, candidate: &Candidate, sized: &Sized) {
        for leg in sized.legs.iter() {
            if let Some(slot) = self.markets.market_mut(leg.market) {
                slot.open_structures += 1;
            }
        }
        self.stats.expected_edge += sized.waterfall.net();
        self.structures.open.insert(
            id,
            Structure {
                opportunity,
                strategy: candidate.strategy,
                class: candidate.class,
                legs: sized.legs,
                hedge: sized.hedge,
                planned: sized.measures,
                entering: true,
                opened_at: self.now,
                settles_at: candidate.settles_at,
                expected: candidate.fair.mid,
                floor: candidate.floor,
                pending_outlay: sized.waterfall.outlay(),
                hedge_fees: Usd::ZERO,
                stage: Stage::Opening,
                completed: false,
                unwind: Unwind::No,
                retry: Retry::default(),
                short_of_margin: false,
                marked: Usd::ZERO,
                hedged: false,
                paid: std::collections::BTreeMap::new(),
            },
        );
    }

    /// Puts an approved intent in the order table and sends it.
    pub(crate) fn send(&mut self, approved: Approved, opportunity: Option<OpportunityId>, out: &mut Vec<Command>) {
        self.orders.insert(approved.intent().clone(), opportunity);
        self.stats.orders += 1;
        self.row_order(approved.intent().id, out);
        out.push(Command::Venue(VenueCommand::Submit(approved)));
    }

    /// The book of a target.
    pub(crate) fn book_of(&self, target: Tradable) -> Option<&Book> {
        match target {
            Tradable::Outcome(m, _) => pm_core::traits::MarketView::book(&self.markets, BookId::Market(m)),
            Tradable::Instrument(i) => pm_core::traits::MarketView::book(&self.markets, BookId::Instrument(i)),
        }
    }
}

fn note(row: &mut OpportunityRow, sized: &Sized) {
    row.waterfall = sized.waterfall;
    row.kelly = sized.kelly;
    row.size = sized.qty;
    row.hedge = sized.hedge;
    row.prediction_price = sized.legs.iter().map(|l| l.average).sum();
}
