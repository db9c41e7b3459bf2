//! `ridgepole lower`: an op as JSON for a device that another program drives.
use crate::{
    Failure, Ui, adapter, files,
    input::{self, Limit},
    text,
};
use ridgepole::{Caps, Features, Limits, Op, Portable, ops, types::excerpt};
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// Options of `ridgepole lower`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  echo '{\"op\": \"penalty_grad\", \"dtype\": \"f32\",
         \"segments\": [{\"start\": 0, \"len\": 3}], \"groups\": [{\"l1\": 0.5}]}' > op.json
  ridgepole lower op.json | jq '.steps'
  ridgepole lower op.json | jq -r '.pipelines[0].wgsl'
  ridgepole lower op.json --limit max_storage_buffer_binding_size=1073741824 --out op.lowered.json
  ridgepole lower op.json --adapter H200

The device: without --adapter no GPU is looked for. The op is lowered for a GPU with WebGPU's default limits and without \
features, which any WebGPU device can run; --limit, --feature, --cpu and --subgroup-sizes say what yours has. With --adapter \
it is the adapter of this machine, as `ridgepole run` would use it.

Limits, with WebGPU's defaults:
  max_storage_buffer_binding_size         134217728  bytes of one binding, 65536 to 4294967295
  max_storage_buffers_per_shader_stage            8  at least 1
  max_compute_invocations_per_workgroup         256  lanes of a workgroup, 128 to 1024
  max_compute_workgroup_size_x                  256  128 to 1024
  max_compute_workgroups_per_dimension        65535  at least 1
  min_storage_buffer_offset_alignment           256  a power of two, 16 to 65536
  min_uniform_buffer_offset_alignment           256  a power of two, 16 to 65536

The output is one line of JSON. `args` has name, access, dtype, len and bytes of each buffer, `scratch` the bytes of scratch, \
`tables` constants as 32-bit words; each of `pipelines` the whole WGSL text, the entry point, the values of its overrides and \
the access of its bindings; each of `steps`, in order, the index of its pipeline, the words of its uniform buffer, the bytes \
of a buffer for each binding from 1 on, and the grid. The documentation of `ridgepole::op::portable` has an example, and says \
what a host does with each.")]
pub struct Args {
    /// File with the op as JSON; - is stdin
    #[arg(value_name = "OP.json")]
    op: PathBuf,
    /// File for the result; without it, stdout
    #[arg(long = "out", value_name = "LOWERED.json")]
    output: Option<PathBuf>,
    /// Lower for the adapter whose name contains this, in any case (see `ridgepole devices`)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["limits", "features", "cpu", "subgroup_sizes"])]
    adapter: Option<String>,
    /// A limit of the device, instead of WebGPU's default; may be repeated
    #[arg(long = "limit", value_name = "NAME=NUMBER")]
    limits: Vec<Given>,
    /// A feature of the device; may be repeated
    #[arg(long = "feature", value_enum, value_name = "NAME")]
    features: Vec<Feature>,
    /// The least and the greatest size of the device's subgroups, powers of two from 1 to 128; without it 4,128
    #[arg(long, value_name = "LEAST,MOST", requires = "features")]
    subgroup_sizes: Option<Sizes>,
    /// The device is a CPU: narrow workgroups and long lanes
    #[arg(long)]
    cpu: bool,
    /// Every binding is read_write, so that the buffers may be ranges of one
    #[arg(long)]
    pooled: bool,
}

/// A feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Feature {
    /// Lanes of a subgroup hand values to one another (WebGPU's `subgroups`)
    Subgroups,
    /// 64-bit integers in shaders; wgpu has them, WebGPU has not
    Int64,
}

/// A limit that is given by its name.
#[derive(Clone, Copy, Debug)]
struct Given {
    row: usize,
    value: u64,
}

/// A limit: its name, the least and the most that it may be, whether it is a power of two, and where it goes.
type Row = (&'static str, u64, u64, bool, fn(&mut Limits, u64));

const MOST: u64 = u32::MAX as u64;

/// All of [`Limits`].
const ROWS: [Row; 7] = [
    ("max_storage_buffer_binding_size", 1 << 16, MOST, false, |l, n| l.max_storage_buffer_binding_size = n),
    ("max_storage_buffers_per_shader_stage", 1, MOST, false, |l, n| l.max_storage_buffers_per_shader_stage = n as u32),
    ("max_compute_invocations_per_workgroup", 128, 1024, false, |l, n| l.max_compute_invocations_per_workgroup = n as u32),
    ("max_compute_workgroup_size_x", 128, 1024, false, |l, n| l.max_compute_workgroup_size_x = n as u32),
    ("max_compute_workgroups_per_dimension", 1, MOST, false, |l, n| l.max_compute_workgroups_per_dimension = n as u32),
    ("min_storage_buffer_offset_alignment", 16, 1 << 16, true, |l, n| l.min_storage_buffer_offset_alignment = n as u32),
    ("min_uniform_buffer_offset_alignment", 16, 1 << 16, true, |l, n| l.min_uniform_buffer_offset_alignment = n as u32),
];

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err("must be a name and a number, such as max_storage_buffers_per_shader_stage=10".into());
        };
        let Some(row) = ROWS.iter().position(|r| r.0 == name) else {
            let names: Vec<&str> = ROWS.iter().map(|r| r.0).collect();
            return Err(format!("no such limit: {}; there are {}", excerpt(name), names.join(", ")));
        };
        let (_, least, most, power, _) = ROWS[row];
        let kind = if power { "a power of two" } else { "a whole number" };
        let good = |n: &u64| (least..=most).contains(n) && (!power || n.is_power_of_two());
        match value.parse().ok().filter(good) {
            Some(value) => Ok(Self { row, value }),
            None => Err(format!("{name} is {}, must be {kind} from {least} to {most}", excerpt(value))),
        }
    }
}

/// The sizes that subgroups may have.
#[derive(Clone, Copy, Debug)]
struct Sizes([u32; 2]);

impl FromStr for Sizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sizes: Vec<Option<u32>> = text.split(',').map(|n| n.parse().ok()).collect();
        match sizes[..] {
            [Some(least), Some(most)] if least <= most && most <= 128 && least.is_power_of_two() && most.is_power_of_two() => {
                Ok(Self([least, most]))
            }
            _ => Err(format!("is {}, must be two powers of two from 1 to 128, the least first: 8,32", excerpt(text))),
        }
    }
}

/// Reads, lowers, writes.
///
/// # Errors
/// [`Failure::Usage`] names the file, the option or the field, what was expected and what was found; or the limit of the device.
pub fn run(args: &Args, ui: &Ui) -> Result<(), Failure> {
    let mut caps = match &args.adapter {
        Some(name) => adapter::open(Some(name))?.gpu().caps().clone(),
        None => described(args)?,
    };
    caps.pooled = args.pooled;
    let op = read(&args.op, ui)?;
    let lowered = Portable::new(op.as_ref(), &caps)?;
    let json = lowered.to_json() + "\n";
    let Some(path) = &args.output else {
        return ui.lines(&json);
    };
    files::write(path, json.as_bytes())?;
    let (steps, pipelines) = (text::count(lowered.steps.len(), "step"), text::count(lowered.pipelines.len(), "pipeline"));
    ui.note(format_args!("{}: wrote {steps} with {pipelines} to {}", op.name(), text::path(path)));
    Ok(())
}

/// The device of the options.
fn described(args: &Args) -> Result<Caps, Failure> {
    let mut limits = Limits::default();
    for (i, given) in args.limits.iter().enumerate() {
        let (name, .., set) = ROWS[given.row];
        if args.limits[..i].iter().any(|g| g.row == given.row) {
            return Err(Failure::usage(format!("--limit {name} is given twice")));
        }
        set(&mut limits, given.value);
    }
    let has = |f| args.features.contains(&f);
    let features = Features { subgroups: has(Feature::Subgroups), int64: has(Feature::Int64) };
    let mut caps = Caps::new(limits, features, args.cpu);
    if let Some(Sizes(sizes)) = args.subgroup_sizes {
        if !features.subgroups {
            return Err(Failure::usage("--subgroup-sizes wants --feature subgroups: without it no kernel uses them"));
        }
        caps.subgroup = sizes;
    }
    Ok(caps)
}

/// The one op of a file.
fn read(path: &Path, ui: &Ui) -> Result<Box<dyn Op>, Failure> {
    let file = text::path(input::shown(path));
    let (text, notice) = input::text(path, Limit::OPS, "descriptions of ops")?;
    notice.into_iter().for_each(|notice| ui.note(notice));
    let whole = |line: &str| ops::parse_json(line).is_ok_and(|v| v.get("op").is_some());
    if input::lines(&text).filter(|(_, line)| whole(line)).nth(1).is_some() {
        return Err(Failure::usage(format!("{file} has an op on each line; `lower` takes one op")));
    }
    let at = |e| Failure::usage(format!("{file}: {e}"));
    ops::from_value(ops::parse_json(&text).map_err(at)?).map_err(at)
}
