//! One small set of values between rows and databases. Rows are built once, as lists of [`Value`]; each database says in one place how it
//! takes and gives them. That keeps a column's meaning (scale, time unit) the same on both.
//!
//! PostgreSQL: `NUMERIC` by `rust_decimal`, `TIMESTAMPTZ`, `UUID`, `JSONB`. SQLite: `INTEGER` at the column's scale, `INTEGER`
//! microseconds, 16-byte `BLOB`, JSON text.

use std::borrow::Cow;

use pm_core::time::Ts;
use pm_core::traits::StoreError;
use rust_decimal::Decimal;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::types::Json;
use sqlx::{Arguments as _, Row as _};
use time::OffsetDateTime;
use uuid::Uuid;

/// Scale of money, prices, quantities and fractions.
pub(crate) const MONEY: u32 = 8;
/// Scale of basis points: a ratio at 1e-8 is a number of basis points at 1e-4.
pub(crate) const BPS: u32 = 4;
/// Scale of percentages: a ratio at 1e-8 is a percentage at 1e-6.
pub(crate) const PERCENT: u32 = 6;

/// A value for a column.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Int(Option<i64>),
    /// Integer at 10^-scale.
    Fixed(Option<i64>, u32),
    Text(Option<Cow<'a, str>>),
    Id(Option<Uuid>),
    Time(Option<Ts>),
    Flag(bool),
    Json(Option<serde_json::Value>),
}

/// A text without NUL: PostgreSQL refuses it, and a venue's text must not be able to make a row unwritable.
pub(crate) fn text(raw: &str) -> Value<'_> {
    Value::Text(Some(clean(raw)))
}

/// As [`text`], or NULL.
pub(crate) fn text_or_null(raw: Option<&str>) -> Value<'_> {
    Value::Text(raw.map(clean))
}

fn clean(raw: &str) -> Cow<'_, str> {
    if raw.contains('\0') { Cow::Owned(raw.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(raw) }
}

/// The same rule for every text inside a JSON value.
fn clean_json(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(s) if s.contains('\0') => *s = s.replace('\0', "\u{fffd}"),
        serde_json::Value::Array(items) => items.iter_mut().for_each(clean_json),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(clean_json),
        _ => {}
    }
}

/// Any serializable value as JSON.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<Value<'static>, StoreError> {
    let mut value = serde_json::to_value(value).map_err(|e| StoreError::Refused(format!("not representable as JSON: {e}")))?;
    clean_json(&mut value);
    Ok(Value::Json(Some(value)))
}

/// A counter as BIGINT.
pub(crate) fn counter(value: u64) -> Result<Value<'static>, StoreError> {
    i64::try_from(value).map(|v| Value::Int(Some(v))).map_err(|_| StoreError::Refused(format!("counter {value} is above 2^63")))
}

/// Microseconds since 1970, rounded down: what both databases hold.
pub(crate) fn micros(at: Ts) -> i64 {
    at.nanos().div_euclid(1_000)
}

fn from_micros(us: i64) -> Result<Ts, StoreError> {
    us.checked_mul(1_000).map(Ts::from_nanos).ok_or_else(|| StoreError::Refused(format!("time out of range: {us} us since 1970")))
}

/// As PostgreSQL takes it. Every [`Ts`] (years 1677 to 2262) is in range.
pub(crate) fn date_time(at: Ts) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros(at)) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// As PostgreSQL takes it; exact for every `i64`.
pub(crate) fn decimal(raw: i64, scale: u32) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(raw), scale)
}

/// The integer at `scale`; refuses what would have to be rounded.
fn raw_of(value: Decimal, scale: u32) -> Result<i64, StoreError> {
    let mut scaled = value;
    scaled.rescale(scale);
    if scaled != value || scaled.scale() != scale {
        return Err(StoreError::Refused(format!("{value} has more than {scale} decimal places or is out of range")));
    }
    i64::try_from(scaled.mantissa()).map_err(|_| StoreError::Refused(format!("{value} is out of range")))
}

type Bound<T> = Result<T, StoreError>;

fn bound(result: Result<(), sqlx::error::BoxDynError>) -> Bound<()> {
    result.map_err(|e| StoreError::Refused(format!("a value cannot be bound: {e}")))
}

/// Arguments of a statement for PostgreSQL.
pub(crate) fn pg_arguments(values: Vec<Value<'_>>) -> Bound<PgArguments> {
    let mut args = PgArguments::default();
    for value in values {
        bound(match value {
            Value::Int(v) => args.add(v),
            Value::Fixed(v, scale) => args.add(v.map(|raw| decimal(raw, scale))),
            Value::Text(v) => args.add(v.as_deref()),
            Value::Id(v) => args.add(v),
            Value::Time(v) => args.add(v.map(date_time)),
            Value::Flag(v) => args.add(v),
            Value::Json(v) => args.add(v.map(Json)),
        })?;
    }
    Ok(args)
}

/// Arguments of a statement for SQLite.
pub(crate) fn sqlite_arguments(values: Vec<Value<'_>>) -> Bound<SqliteArguments> {
    let mut args = SqliteArguments::default();
    for value in values {
        bound(match value {
            Value::Int(v) | Value::Fixed(v, _) => args.add(v),
            Value::Text(v) => args.add(v.map(Cow::into_owned)),
            Value::Id(v) => args.add(v),
            Value::Time(v) => args.add(v.map(micros)),
            Value::Flag(v) => args.add(v),
            Value::Json(v) => args.add(v.map(Json)),
        })?;
    }
    Ok(args)
}

/// Cells of a row by column name, whichever database it came from.
pub(crate) trait Cells {
    fn int_or_null(&self, column: &str) -> Bound<Option<i64>>;
    fn fixed_or_null(&self, column: &str, scale: u32) -> Bound<Option<i64>>;
    fn text_or_null(&self, column: &str) -> Bound<Option<String>>;
    fn id_or_null(&self, column: &str) -> Bound<Option<Uuid>>;
    fn time_or_null(&self, column: &str) -> Bound<Option<Ts>>;
    fn flag(&self, column: &str) -> Bound<bool>;
    fn json_or_null(&self, column: &str) -> Bound<Option<serde_json::Value>>;

    fn int(&self, column: &str) -> Bound<i64> {
        some(self.int_or_null(column)?, column)
    }
    fn counter(&self, column: &str) -> Bound<u64> {
        let value = self.int(column)?;
        u64::try_from(value).map_err(|_| StoreError::Refused(format!("column {column}: {value} is below zero")))
    }
    fn fixed(&self, column: &str, scale: u32) -> Bound<i64> {
        some(self.fixed_or_null(column, scale)?, column)
    }
    fn text(&self, column: &str) -> Bound<String> {
        some(self.text_or_null(column)?, column)
    }
    fn id(&self, column: &str) -> Bound<Uuid> {
        some(self.id_or_null(column)?, column)
    }
    fn time(&self, column: &str) -> Bound<Ts> {
        some(self.time_or_null(column)?, column)
    }
    fn json(&self, column: &str) -> Bound<serde_json::Value> {
        some(self.json_or_null(column)?, column)
    }
}

fn some<T>(value: Option<T>, column: &str) -> Bound<T> {
    value.ok_or_else(|| StoreError::Refused(format!("column {column} is NULL")))
}

fn cell<T>(result: Result<T, sqlx::Error>, column: &str) -> Bound<T> {
    result.map_err(|e| StoreError::Refused(format!("column {column}: {e}")))
}

impl Cells for PgRow {
    fn int_or_null(&self, column: &str) -> Bound<Option<i64>> {
        cell(self.try_get(column), column)
    }
    fn fixed_or_null(&self, column: &str, scale: u32) -> Bound<Option<i64>> {
        let value: Option<Decimal> = cell(self.try_get(column), column)?;
        value.map(|v| raw_of(v, scale)).transpose()
    }
    fn text_or_null(&self, column: &str) -> Bound<Option<String>> {
        cell(self.try_get(column), column)
    }
    fn id_or_null(&self, column: &str) -> Bound<Option<Uuid>> {
        cell(self.try_get(column), column)
    }
    fn time_or_null(&self, column: &str) -> Bound<Option<Ts>> {
        let value: Option<OffsetDateTime> = cell(self.try_get(column), column)?;
        let out_of_range = |_| StoreError::Refused(format!("column {column}: time out of range"));
        value.map(|v| i64::try_from(v.unix_timestamp_nanos()).map(Ts::from_nanos).map_err(out_of_range)).transpose()
    }
    fn flag(&self, column: &str) -> Bound<bool> {
        cell(self.try_get(column), column)
    }
    fn json_or_null(&self, column: &str) -> Bound<Option<serde_json::Value>> {
        let value: Option<Json<serde_json::Value>> = cell(self.try_get(column), column)?;
        Ok(value.map(|v| v.0))
    }
}

impl Cells for SqliteRow {
    fn int_or_null(&self, column: &str) -> Bound<Option<i64>> {
        cell(self.try_get(column), column)
    }
    fn fixed_or_null(&self, column: &str, _scale: u32) -> Bound<Option<i64>> {
        cell(self.try_get(column), column)
    }
    fn text_or_null(&self, column: &str) -> Bound<Option<String>> {
        cell(self.try_get(column), column)
    }
    fn id_or_null(&self, column: &str) -> Bound<Option<Uuid>> {
        cell(self.try_get(column), column)
    }
    fn time_or_null(&self, column: &str) -> Bound<Option<Ts>> {
        let value: Option<i64> = cell(self.try_get(column), column)?;
        value.map(from_micros).transpose()
    }
    fn flag(&self, column: &str) -> Bound<bool> {
        cell(self.try_get(column), column)
    }
    fn json_or_null(&self, column: &str) -> Bound<Option<serde_json::Value>> {
        let value: Option<Json<serde_json::Value>> = cell(self.try_get(column), column)?;
        Ok(value.map(|v| v.0))
    }
}
