//! Every workload with every engine, side by side: a table, and with all of them measured, the
//! page `docs/benchmarks.md`.
//!
//! ```text
//! cargo run --release -p benches --bin throughput -- [--only chain,fan] [--quick] [--json FILE]
//! ```
//!
//! `--alone` measures this engine alone, and `--lto FILE` puts the figures of FILE beside its own: those
//! that a build with link-time optimisation (`--profile lto`) has written with `--alone --json FILE`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use benches::counting::CountingAllocator;
use benches::figure::{Earlier, Figures};
use benches::measure::{Effort, measure};
use benches::report::machine::Machine;
use benches::report::{page, table};
use benches::subject::Subject;
use benches::workload::Workload;
use benches::{baselines, ddg};
use tokio::runtime::{self, Runtime};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// What measuring an engine with one workload may take, at most, if it shall be measured with
/// larger sizes, too.
const PATIENCE: Duration = Duration::from_secs(5);

/// Engines that were slow, with the workload.
type Slow = Vec<(&'static str, &'static str)>;

/// What was asked for.
struct Options {
    /// Workloads by name; all if there are none.
    only: Vec<String>,
    effort: Effort,
    json: Option<PathBuf>,
    /// This engine alone.
    alone: bool,
    /// The figures of a build with link-time optimisation.
    lto: Option<Earlier>,
    /// Whether the figures are fit to be published.
    publish: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(env::args().skip(1))?;
    let workloads: Vec<_> =
        Workload::all().into_iter().filter(|workload| options.wants(workload)).collect();
    let machine = Machine::this();
    let mut figures = Figures::default();
    let mut slow = Slow::new();
    for (place, workload) in workloads.iter().enumerate() {
        let (name, size, unit) = (workload.name(), table::count(workload.size()), workload.unit());
        eprint!("[{:>2}/{}] {name}, {size} {unit} … ", place + 1, workloads.len());
        let began = Instant::now();
        let runtime = runtime_of(workload.threads())?;
        let measured = {
            let _within = runtime.enter();
            measure(runtime.handle(), subjects(workload, &slow, options.alone), options.effort)
        };
        let too_slow = measured.iter().filter(|measured| measured.took > PATIENCE);
        slow.extend(too_slow.map(|measured| (measured.engine, workload.name())));
        figures.add(workload, measured);
        eprintln!("{:.1} s", began.elapsed().as_secs_f64());
    }
    print!("{}", table::text(&figures));
    if let Some(file) = &options.json {
        fs::write(file, figures.to_json_lines()?)?;
    }
    if options.publish {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        page::write(&docs, &figures, options.lto.as_ref(), &machine)?;
        eprintln!("docs/benchmarks.md has the new figures");
    }
    Ok(())
}

fn runtime_of(threads: usize) -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()
}

/// All engines. One that was slow with a smaller size of the same workload is spared.
#[cfg_attr(not(feature = "peers"), expect(unused_variables, reason = "only peers are slow"))]
fn subjects(workload: &Workload, slow: &Slow, alone: bool) -> Vec<Subject> {
    let mut subjects = vec![ddg::subject(workload)];
    subjects.extend(ddg::first_run(workload));
    if alone {
        return subjects;
    }
    subjects.extend(baselines::subjects(workload));
    #[cfg(feature = "peers")]
    subjects.extend(benches::peers::peers().iter().map(|peer| Subject {
        engine: peer.name(),
        kind: benches::subject::Kind::Peer,
        prepare: match slow.contains(&(peer.name(), workload.name())) {
            true => Err("took too long at a smaller size".to_owned()),
            false => peer.prepare(workload).map_err(str::to_owned),
        },
    }));
    subjects
}

impl Options {
    fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            only: Vec::new(),
            effort: Effort::FULL,
            json: None,
            alone: false,
            lto: None,
            publish: true,
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "--only" => {
                    options.only = value()?.split(',').map(str::to_owned).collect();
                    options.publish = false;
                }
                "--quick" => {
                    options.effort = Effort::QUICK;
                    options.publish = false;
                }
                "--json" => options.json = Some(value()?.into()),
                "--alone" => {
                    options.alone = true;
                    options.publish = false;
                }
                "--lto" => {
                    let lines = fs::read_to_string(value()?)?;
                    options.lto = Some(Earlier::from_json_lines(&lines)?);
                }
                _ => {
                    let known = "--only, --quick, --json, --alone and --lto";
                    return Err(format!("{arg}: options are {known}").into());
                }
            }
        }
        let known: Vec<_> = Workload::all().iter().map(Workload::name).collect();
        match options.only.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                Err(format!("no workload `{name}`; there are {}", known.join(", ")).into())
            }
            None => Ok(options),
        }
    }

    fn wants(&self, workload: &Workload) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == workload.name())
    }
}
