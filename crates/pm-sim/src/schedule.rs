//! Which markets exist when: rolling windows and ladders, each listed its lead ahead.

use crate::asset::Asset;
use crate::book::OutcomeBook;
use crate::calendar::next_noon;
use crate::config::{Family, FamilyConfig};
use crate::dice::Dice;
use crate::gamma;
use crate::ids;
use crate::maker::{MakerParams, Mind};
use crate::market::{Phase, SimEvent, SimMarket};
use crate::num::{float, round};

/// Seconds from listing to the first quotes: the body must be known before a book of it makes sense.
const QUOTES_AFTER: i64 = 1;

/// One rolling family.
#[derive(Debug)]
struct Rolling {
    cfg: FamilyConfig,
    asset: usize,
    /// End of the next event to list.
    next_end: i64,
}

impl Family {
    /// Length of its window or distance of its ladders in seconds, where it is constant.
    const fn length(self) -> Option<i64> {
        match self {
            Self::UpDown5m => Some(300),
            Self::UpDown15m => Some(900),
            Self::UpDown1h | Self::AboveHourly => Some(3_600),
            Self::AboveDaily => None,
        }
    }
    /// From `endDate` to the instant that decides: noon strikes settle on the candle that *opens* at noon.
    const fn after_end(self) -> i64 {
        match self {
            Self::AboveDaily => 60,
            _ => 0,
        }
    }
    /// First end strictly after `second`.
    const fn next_end(self, second: i64) -> i64 {
        match self.length() {
            Some(length) => second - second.rem_euclid(length) + length,
            None => next_noon(second),
        }
    }
}

/// All rolling families and the counter of ids.
#[derive(Debug)]
pub(crate) struct Schedule {
    seed: u64,
    rolling: Vec<Rolling>,
    next_id: i64,
}

impl Schedule {
    pub(crate) fn new(seed: u64, families: &[FamilyConfig], assets: &[Asset], second: i64) -> Self {
        let rolling = families
            .iter()
            .filter_map(|cfg| {
                let asset = assets.iter().position(|a| a.cfg.symbol == cfg.asset)?;
                Some(Rolling { cfg: cfg.clone(), asset, next_end: cfg.family.next_end(second) })
            })
            .collect();
        Self { seed, rolling, next_id: 3_000_000 }
    }

    /// Lists what is due at `second`.
    pub(crate) fn due(&mut self, second: i64, assets: &[Asset], params: &MakerParams, dice: &mut Dice, out: &mut Vec<SimEvent>) {
        for r in &mut self.rolling {
            let family = r.cfg.family;
            loop {
                let begin = match (family.is_ladder(), family.length()) {
                    (false, Some(length)) => r.next_end - length,
                    _ => r.next_end,
                };
                if begin - i64::from(r.cfg.lead_s) > second {
                    break;
                }
                let Some(asset) = assets.get(r.asset) else { break };
                let start = if family.is_ladder() { second } else { begin };
                let made = Making { seed: self.seed, cfg: &r.cfg, asset, start, end: r.next_end, second };
                out.push(made.event(r.asset, &mut self.next_id, params, dice));
                r.next_end = family.next_end(r.next_end);
            }
        }
    }
}

/// What one new event is made of.
struct Making<'a> {
    seed: u64,
    cfg: &'a FamilyConfig,
    asset: &'a Asset,
    start: i64,
    end: i64,
    second: i64,
}

impl Making<'_> {
    fn strikes(&self) -> Vec<Option<i64>> {
        if !self.cfg.family.is_ladder() {
            return vec![None];
        }
        let spacing = i64::from(self.cfg.spacing).max(1);
        let centre = round(self.asset.dollars() / float(spacing)) * spacing;
        let count = i64::from(self.cfg.strikes);
        (0..count).map(|i| Some((centre + (i - count / 2) * spacing).max(1))).collect()
    }

    fn event(&self, asset: usize, next_id: &mut i64, params: &MakerParams, dice: &mut Dice) -> SimEvent {
        let family = self.cfg.family;
        let (slug, title) = gamma::event_names(family, self.asset, self.start, self.end);
        let now = self.second * 1_000_000_000;
        let strikes = self.strikes();
        let minds = if params.strikes_apart { strikes.len() } else { 1 };
        let markets = strikes
            .into_iter()
            .map(|strike| {
                let id = *next_id;
                *next_id += 1;
                let native = ids::condition(self.seed, id);
                let (slug, question) = gamma::market_names(family, self.asset, (&slug, &title), strike, self.end);
                let noise = if family.is_ladder() { params.strike_noise * dice.normal() } else { 0.0 };
                SimMarket {
                    id,
                    tokens: [ids::token(&native, "first"), ids::token(&native, "second")],
                    native,
                    slug,
                    question,
                    strike,
                    book: OutcomeBook::default(),
                    tick: 10,
                    last_trade: None,
                    touched: false,
                    noise,
                    first_pays: None,
                }
            })
            .collect();
        SimEvent {
            family,
            asset,
            slug,
            title,
            start: self.start,
            end: self.end,
            final_at: self.end + family.after_end(),
            listed_at: self.second,
            quoted_from: self.second + QUOTES_AFTER,
            resolve_at: i64::MAX,
            phase: Phase::Listed,
            strike_sum: None,
            open: None,
            minds: (0..minds).map(|_| Mind::new(params, now, dice)).collect(),
            markets,
            per_second: (0.0, i64::MIN / 2),
        }
    }
}
