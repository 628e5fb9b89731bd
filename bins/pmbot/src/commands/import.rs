//! `pmbot import`.

use std::io::ErrorKind;

use pm_data::import::ImportError;
use serde_json::json;

use crate::cli::{Cli, ImportArgs};
use crate::display::{self, out, outln};
use crate::exit::Failure;

pub(crate) fn run(cli: &Cli, args: &ImportArgs) -> Result<(), Failure> {
    if args.list {
        return list(cli);
    }
    let (Some(format), Some(out)) = (&args.format, &args.out) else {
        return Err(Failure::usage("import needs --format NAME and --out FILE"));
    };
    let bar = display::bar("import", cli.json);
    let report = pm_data::import::import(format, out, &args.paths, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = report.map_err(failure)?;
    if cli.json {
        return display::json(&json!({ "out": out.display().to_string(), "format": format, "report": report }))
            .map_err(Failure::Usage);
    }
    outln!("recording  {}", out.display());
    out!("{report}");
    Ok(())
}

/// Which exit code an import's error means.
fn failure(error: ImportError) -> Failure {
    match &error {
        ImportError::UnknownFormat { .. }
        | ImportError::Mapping { .. }
        | ImportError::NothingToRead { .. }
        | ImportError::Output { .. } => Failure::Usage(error.into()),
        ImportError::Io { source, .. } if is_content(source.kind()) => Failure::Corrupt(error.into()),
        ImportError::Io { .. } => Failure::Source(error.into()),
        ImportError::Bad { .. } | ImportError::NoFrames { .. } => Failure::Corrupt(error.into()),
        ImportError::Recording(_) => Failure::Store(error.into()),
    }
}

/// True when what was read is broken (text, compression, archive), false when the operating system refused to read.
const fn is_content(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof | ErrorKind::Other)
}

fn list(cli: &Cli) -> Result<(), Failure> {
    let formats = pm_data::import::formats();
    if cli.json {
        let rows: Vec<_> =
            formats.iter().map(|f| json!({ "name": f.name, "shape": f.shape, "description": f.description })).collect();
        return display::json(&rows).map_err(Failure::Usage);
    }
    for f in formats {
        outln!("{}\n    {}\n    made of {}", f.name, f.description, f.shape);
    }
    outln!("\nA format is a small mapping file; --format also takes the path of one of your own.");
    Ok(())
}
