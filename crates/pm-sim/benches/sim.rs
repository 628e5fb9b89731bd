//! Frames made per second, all feeds together.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pm_sim::{MakerKind, SimConfig, Simulator};

const FRAMES: u32 = 100_000;

fn frames(c: &mut Criterion) {
    let mut group = c.benchmark_group("sim");
    group.throughput(Throughput::Elements(u64::from(FRAMES)));
    group.sample_size(10);
    for makers in [MakerKind::Typical, MakerKind::Efficient, MakerKind::Careless] {
        let name = if makers == MakerKind::Typical { "frames".to_owned() } else { format!("frames-{makers}") };
        let mut sim = Simulator::new(SimConfig { makers, ..SimConfig::default() }).unwrap();
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut bytes = 0;
                for _ in 0..FRAMES {
                    bytes += sim.next().map_or(0, |f| f.bytes.len());
                }
                bytes
            });
        });
    }
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);
