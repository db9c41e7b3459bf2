//! All models of a path on the GPU: blocks of neighbouring λ, every fold and all of the data in one batch, iterated until
//! each model's duality gap is small enough.
use super::{Model, problem::Problem};
use crate::{Failure, glm::Solution, interrupt, op_chain::Chain};
use ridgepole::{
    DType, Error, HostData, LinearModel, Session,
    ops::{DualityGap, FistaStep, LinearGradient, LinearResidual},
    wgpu,
};

/// λ in a block. Each block is warm-started from the last solution of the one before: small blocks start closer and need fewer
/// iterations, large ones occupy a GPU better. A multiple of 4, so that the models of one fold fill whole quads. Fewer where a device cannot
/// bind the residuals of so many models.
pub const BLOCK: usize = 20;
/// Iterations between two evaluations of the gaps. One costs as much as an iteration and a readback.
const BETWEEN: u32 = 20;
/// A block ends when no gap has fallen by a tenth in this many evaluations, and in a third of all: f32 is exhausted.
const PATIENCE: u32 = 5;
/// Iterations of a block, at most: some seconds on a software driver.
const MOST_ITERATIONS: u32 = 10_000;

/// Features, at most: a step handles the coefficients of a model in one lane.
pub const MOST_FEATURES: usize = 4000;

/// Solves every set of rows at every λ, in descending order. `sets` has the rows of each; the first has all. A model whose duality gap is
/// below `enough`, as a fraction of the loss without features, is frozen; without it, models iterate as far as f32 allows. `tick` is
/// called with the number of λ just solved.
///
/// # Errors
/// What planning and running report, and an interrupt.
pub fn solve(
    session: &Session,
    problem: &Problem,
    sets: &[Vec<bool>],
    lambdas: &[f64],
    l1_ratio: f64,
    enough: Option<f64>,
    tick: &mut dyn FnMut(usize),
) -> Result<Vec<Vec<Solution>>, Failure> {
    let batch = Batch::new(session, problem, sets)?;
    let limit = enough.unwrap_or(0.0) * problem.null_loss();
    let all_zero = problem.largest_lambda(l1_ratio);
    let mut warm: Vec<Vec<f32>> = vec![start(problem); sets.len()];
    let mut out: Vec<Vec<Solution>> = vec![Vec::new(); sets.len()];
    for block in lambdas.chunks(batch.block) {
        let (coef, iterations) = batch.solve(block, l1_ratio, limit, &warm)?;
        for (s, solved) in out.iter_mut().enumerate() {
            for (k, &lambda) in block.iter().enumerate() {
                let m = s * batch.block + k;
                let mut column: Vec<f32> = (0..=problem.features).map(|j| coef[j * batch.models + m]).collect();
                let mut passes = iterations[m];
                warm[s].copy_from_slice(&column);
                // Known in f64: in f32 a product equal to λ may round to one above it.
                if s == 0 && l1_ratio >= 1e-3 && lambda >= all_zero * (1.0 - 1e-12) {
                    (column, passes) = (start(problem), 0);
                }
                let used = column[..problem.features].iter().enumerate().filter(|(_, b)| **b != 0.0);
                solved.push(Solution {
                    intercept: f64::from(column[problem.features]),
                    coef: used.map(|(j, &b)| (j, f64::from(b))).collect(),
                    passes,
                    ..Solution::default()
                });
            }
        }
        tick(block.len());
    }
    Ok(out)
}

/// Coefficients without features: the intercept alone.
fn start(problem: &Problem) -> Vec<f32> {
    let mut coef = vec![0.0; problem.features + 1];
    if problem.model == Model::Logistic {
        let mean = problem.y.iter().sum::<f64>() / problem.rows as f64;
        coef[problem.features] = (mean / (1.0 - mean)).ln() as f32;
    }
    coef
}

/// Buffers and ops for the models of a block.
struct Batch<'a> {
    session: &'a Session,
    iteration: Chain<'a>,
    look: Chain<'a>,
    settings: wgpu::Buffer,
    gap: wgpu::Buffer,
    coef: wgpu::Buffer,
    point: wgpu::Buffer,
    momentum: wgpu::Buffer,
    /// The target's standard deviation.
    scale: f64,
    /// Step sizes of the sets.
    steps: Vec<f64>,
    width: usize,
    models: usize,
    /// How many λ.
    block: usize,
}

/// Coefficients of the models of a block, and iterations until each gap last fell by a tenth.
type Block = (Vec<f32>, Vec<u32>);

impl<'a> Batch<'a> {
    fn new(session: &'a Session, problem: &Problem, sets: &[Vec<bool>]) -> Result<Self, Error> {
        let room = session.gpu().caps().limits.max_storage_buffer_binding_size as usize / 4;
        let block = BLOCK.min(room / (problem.rows * sets.len()) / 4 * 4).max(4);
        // The features, then a one for the intercept, then zeros up to whole quads.
        let (rows, features, models) = (problem.rows, (problem.features + 1).next_multiple_of(4), sets.len() * block);
        let cell = |i: usize, j: usize| match j {
            j if j < problem.features => problem.design.column(j)[i],
            j => f64::from(u8::from(j == problem.features)),
        };
        let floats = |values: &mut dyn Iterator<Item = f64>| session.upload(&HostData::from_f64(DType::F32, values));
        let x = floats(&mut (0..rows).flat_map(|i| (0..features).map(move |j| cell(i, j))))?;
        let target = floats(&mut problem.response.iter().copied())?;
        let count = |set: &[bool]| set.iter().filter(|&&inside| inside).count() as f64;
        let shares = sets.iter().flat_map(|set| {
            let share = 1.0 / count(set);
            set.iter().map(move |&inside| if inside { share } else { 0.0 })
        });
        let weight = floats(&mut { shares })?;
        let empty = |len| session.empty(DType::F32, len);
        let (settings, gap, momentum) = (empty(4 * models)?, empty(models)?, empty(models)?);
        let (coef, point, grad) = (empty(features * models)?, empty(features * models)?, empty(features * models)?);
        let residual = empty(rows * models)?;

        let model = if problem.model == Model::Linear { LinearModel::Linear } else { LinearModel::Logistic };
        let (per_set, penalized) = (block, problem.features);
        let residuals = LinearResidual { model, rows, features, sets: sets.len(), per_set };
        let gradient = LinearGradient { rows, features, models };
        let step = FistaStep { features, penalized, models };
        let distance = DualityGap { model, rows, features, penalized, sets: sets.len(), per_set, reach: 1.0 };
        let at = |chain: &mut Chain, place: &wgpu::Buffer| -> Result<(), Error> {
            let reads = [&x, &target, &weight, place].map(|b| b.slice(..));
            chain.push(&residuals, &reads, &[residual.slice(..)])?;
            chain.push(&gradient, &[x.slice(..), residual.slice(..)], &[grad.slice(..)])
        };
        let mut iteration = Chain::new(session);
        at(&mut iteration, &point)?;
        let written = [&coef, &point, &momentum].map(|b| b.slice(..));
        iteration.push(&step, &[&grad, &settings, &gap].map(|b| b.slice(..)), &written)?;
        let mut look = Chain::new(session);
        at(&mut look, &coef)?;
        let reads = [&weight, &residual, &grad, &coef, &settings].map(|b| b.slice(..));
        look.push(&distance, &reads, &[gap.slice(..)])?;

        // Without the held-out rows the others weigh more, by n over their number at most.
        let curvature = problem.curvature();
        let steps = sets.iter().map(|set| count(set) / rows as f64 / curvature).collect();
        let scale = problem.scale[1];
        Ok(Self { session, iteration, look, settings, gap, coef, point, momentum, scale, steps, width: features, models, block })
    }

    fn solve(&self, lambdas: &[f64], l1_ratio: f64, limit: f64, warm: &[Vec<f32>]) -> Result<Block, Failure> {
        let models = self.models;
        // A block that is not full repeats its last λ.
        let lambda = |m: usize| lambdas[(m % self.block).min(lambdas.len() - 1)];
        let limit = limit as f32;
        let row = |f: &dyn Fn(usize) -> f64| (0..models).map(|m| f(m) as f32).collect::<Vec<f32>>();
        let settings = [
            row(&|m| lambda(m) * l1_ratio / self.scale),
            row(&|m| lambda(m) * (1.0 - l1_ratio)),
            row(&|m| self.steps[m / self.block]),
            vec![limit; models],
        ];
        let mut coef = vec![0.0f32; self.width * models];
        for (j, row) in coef.chunks_exact_mut(models).enumerate() {
            row.iter_mut().enumerate().for_each(|(m, b)| *b = warm[m / self.block].get(j).copied().unwrap_or(0.0));
        }
        let write = |to: &wgpu::Buffer, values: &[f32]| self.session.queue().write_buffer(to, 0, bytemuck::cast_slice(values));
        write(&self.settings, &settings.concat());
        write(&self.coef, &coef);
        write(&self.point, &coef);
        write(&self.momentum, &vec![1.0; models]);
        write(&self.gap, &vec![f32::MAX; models]);

        let (mut best, mut when) = (vec![f32::MAX; models], vec![0; models]);
        let (mut done, mut idle) = (0, 0);
        loop {
            let mut encoder = self.session.device().create_command_encoder(&Default::default());
            {
                let mut pass = encoder.begin_compute_pass(&Default::default());
                (0..BETWEEN).for_each(|_| self.iteration.record(&mut pass));
                self.look.record(&mut pass);
            }
            self.session.queue().submit([encoder.finish()]);
            done += BETWEEN;
            idle += 1;
            let gaps = self.floats(&self.gap, models)?;
            if interrupt::heard() {
                return Err(super::interrupted());
            }
            for m in 0..models {
                if gaps[m] < 0.9 * best[m] {
                    (best[m], when[m], idle) = (gaps[m], done, 0);
                }
            }
            let over = gaps.iter().all(|&g| g <= limit) || idle >= PATIENCE && idle >= done / BETWEEN / 3;
            if over || done >= MOST_ITERATIONS {
                return Ok((self.floats(&self.coef, self.width * models)?, when));
            }
        }
    }

    fn floats(&self, buffer: &wgpu::Buffer, len: usize) -> Result<Vec<f32>, Error> {
        match self.session.download(buffer, DType::F32, len)? {
            HostData::F32(v) => Ok(v),
            _ => unreachable!("downloaded as f32"),
        }
    }
}
