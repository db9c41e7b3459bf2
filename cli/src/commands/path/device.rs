//! Who solves: the host, or a GPU.
use super::{gpu, problem::Problem};
use crate::{Failure, adapter};
use ridgepole::{Session, wgpu::DeviceType};

/// What `--device` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Device {
    /// The host, but for large work where there is a GPU
    Auto,
    /// A GPU
    Gpu,
    /// The host, in f64 on all cores: no GPU driver is needed
    Cpu,
}

/// Features that a model of a GPU may use, for the host to finish it, unless `--polish` says another number.
const POLISH: usize = 2000;

/// Products of cells and models from which on `auto` looks for a GPU. Below, the host takes some tens of seconds on two cores at most.
const LARGE: f64 = 3e10;

/// Who solves.
pub enum Solver {
    /// Coordinate descent on the host.
    Host,
    /// Proximal gradient steps on a GPU. The host finishes models that use at most `polish` features.
    Gpu {
        /// The device.
        session: Box<Session>,
        /// How many features.
        polish: usize,
    },
}

impl Solver {
    /// What the options ask for, for so many models; and why, in a line.
    ///
    /// # Errors
    /// As [`adapter::open`], where a GPU was asked for.
    pub fn choose(
        device: Device,
        wanted: Option<&str>,
        polish: Option<usize>,
        problem: &Problem,
        models: usize,
    ) -> Result<(Self, String), Failure> {
        let gpu = |session| Self::Gpu { session: Box::new(session), polish: polish.unwrap_or(POLISH) };
        let (solver, why) = match (device, wanted) {
            (Device::Cpu, _) => (Self::Host, "--device cpu".to_string()),
            (Device::Gpu, _) => (gpu(adapter::open(wanted)?), "--device gpu".to_string()),
            (Device::Auto, Some(_)) => (gpu(adapter::open(wanted)?), "--adapter names it".to_string()),
            (Device::Auto, None) => Self::suited(problem, models, gpu),
        };
        let line = format!("solver: {}; {why}", solver.name());
        Ok((solver, line))
    }

    fn suited(problem: &Problem, models: usize, gpu: impl Fn(Session) -> Self) -> (Self, String) {
        let (rows, features) = (problem.rows, problem.features);
        let size = format!("{rows} rows × {features} features × {models} models");
        if rows as f64 * features as f64 * (models as f64) < LARGE {
            return (Self::Host, format!("{size} are too few for a GPU"));
        }
        if features > gpu::MOST_FEATURES {
            return (Self::Host, format!("a GPU takes at most {} features here, and there are {features}", gpu::MOST_FEATURES));
        }
        match adapter::open(None) {
            Err(e) => {
                let why = e.to_string();
                (Self::Host, format!("there is no GPU to use: {}", why.lines().next().unwrap_or_default()))
            }
            Ok(session) if session.info().device_type == DeviceType::Cpu => {
                (Self::Host, format!("the adapter, {}, is a CPU too", session.info().name))
            }
            Ok(session) => (gpu(session), format!("{size} are worth it")),
        }
    }

    /// In words.
    pub fn name(&self) -> String {
        match self {
            Self::Host => {
                let threads = rayon::current_num_threads();
                format!("host, coordinate descent in f64 on {threads} thread{}", if threads == 1 { "" } else { "s" })
            }
            Self::Gpu { session, .. } => adapter::name(session.info()),
        }
    }
}
