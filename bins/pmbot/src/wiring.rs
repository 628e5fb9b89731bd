//! Which protocol decodes which feed: the one place that knows all venue crates.

use pm_core::ids::VenueId;
use pm_core::registry::{Catalog, VenueRole};
use pm_core::time::Dur;
use pm_core::traits::FeedProtocol;
use pm_core::units::Ratio;
use pm_execution::driver::Feed;

use crate::config::Config;

/// The protocol of a feed by its recorded name; `None` for a feed that this program does not know.
pub(crate) fn protocol(name: &str, config: &Config, catalog: &Catalog) -> Option<Box<dyn FeedProtocol>> {
    let public = |category| pm_bybit::PublicProtocol::new(category, catalog).ok().map(|p| Box::new(p) as Box<dyn FeedProtocol>);
    match name {
        "polymarket.market" => Some(Box::new(pm_polymarket::market::MarketProtocol::new())),
        "polymarket.gamma" => gamma(config, catalog),
        "polymarket.live" => Some(Box::new(pm_polymarket::live::LiveProtocol::new(catalog.clone(), Vec::new()))),
        "polymarket.rtds" => Some(Box::new(pm_polymarket::rtds::RtdsProtocol::new(catalog.clone(), Vec::new()))),
        "bybit.linear" => public(pm_bybit::Category::Linear),
        "bybit.spot" => public(pm_bybit::Category::Spot),
        "bybit.option" => public(pm_bybit::Category::Option),
        "bybit.rest" => bybit_rest(config, catalog),
        "binance.spot" => Some(Box::new(pm_reference::SpotProtocol::new(catalog))),
        "derived" => pm_data::derived::DerivedProtocol::new(catalog.clone()).ok().map(|p| Box::new(p) as Box<dyn FeedProtocol>),
        _ => None,
    }
}

fn gamma(config: &Config, catalog: &Catalog) -> Option<Box<dyn FeedProtocol>> {
    let settings = pm_polymarket::gamma_feed::GammaSettings {
        taker_hold_default: Dur::from_millis(i64::from(config.venues.taker_hold_ms)),
        ..Default::default()
    };
    let protocol = pm_polymarket::gamma_feed::GammaProtocol::new(catalog.clone(), settings).ok()?;
    Some(Box::new(protocol))
}

fn bybit_rest(config: &Config, catalog: &Catalog) -> Option<Box<dyn FeedProtocol>> {
    let leverage = Ratio::whole(i32::try_from(config.venues.perp_leverage).unwrap_or(1));
    let settings = pm_bybit::RestSettings { leverage, ..Default::default() };
    let protocol = pm_bybit::RestProtocol::with_settings(catalog, settings).ok()?;
    Some(Box::new(protocol))
}

/// The venue that a feed belongs to, by the first part of its name.
pub(crate) fn venue(name: &str, catalog: &Catalog) -> VenueId {
    let venue = name.split('.').next().unwrap_or(name);
    catalog.venue(venue).or_else(|| catalog.venue_of(VenueRole::Reference)).unwrap_or_default()
}

/// Feeds in the order of their names; unknown ones decode nothing and are named.
pub(crate) fn feeds<'a>(names: impl Iterator<Item = &'a str>, config: &Config, catalog: &Catalog) -> (Vec<Feed>, Vec<String>) {
    let mut unknown = Vec::new();
    let feeds = names
        .map(|name| Feed {
            name: name.to_owned(),
            venue: venue(name, catalog),
            protocol: protocol(name, config, catalog).unwrap_or_else(|| {
                unknown.push(name.to_owned());
                Box::new(Unknown)
            }),
        })
        .collect();
    (feeds, unknown)
}

/// A feed that this program has no decoder for.
struct Unknown;

impl FeedProtocol for Unknown {
    fn decode(
        &mut self,
        _at: pm_core::time::Stamp,
        _frame: &[u8],
        _registry: &mut pm_core::registry::Registry,
        _out: &mut dyn pm_core::traits::EventSink,
    ) -> Result<pm_core::traits::FrameKind, pm_core::traits::DecodeError> {
        Ok(pm_core::traits::FrameKind::Unknown)
    }
    fn reset(&mut self, _out: &mut dyn pm_core::traits::EventSink) {}
}

/// As [`protocol`], for inspection: symbols without a listing are registered, and counts that only a book can show are kept.
pub(crate) fn inspecting(name: &str, config: &Config, catalog: &Catalog) -> Option<Box<dyn FeedProtocol>> {
    let category = match name {
        "bybit.linear" => pm_bybit::Category::Linear,
        "bybit.spot" => pm_bybit::Category::Spot,
        "bybit.option" => pm_bybit::Category::Option,
        "binance.usdm" => {
            let settings = pm_reference::SpotSettings { accept_futures: true, ..Default::default() };
            return Some(Box::new(pm_reference::SpotProtocol::with_settings(catalog, settings)));
        }
        _ => return protocol(name, config, catalog),
    };
    let settings = pm_bybit::PublicSettings {
        unlisted: pm_bybit::Unlisted::Register,
        off_grid: pm_bybit::OffGrid::Count,
        audit: true,
        ..pm_bybit::PublicSettings::of(category)
    };
    pm_bybit::PublicProtocol::with_settings(category, catalog, settings).ok().map(|p| Box::new(p) as Box<dyn FeedProtocol>)
}
