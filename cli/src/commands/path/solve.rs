//! Solves all models, on the host or on a GPU, and says how exact they are.
use super::{Model, device::Solver, gpu, interrupted, problem::Problem};
use crate::{
    Failure, Ui,
    glm::{Family, Plan, Solution, Starts, Strength},
    interrupt,
};
use ridgepole::Session;
use std::{
    cell::Cell,
    sync::mpsc::{RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// A penalty without its strength, and when to stop.
#[derive(Clone, Copy, Debug)]
pub struct Penalty {
    /// The share of L1, from 0 to 1.
    pub l1_ratio: f64,
    /// The largest violation of the optimality conditions, as a share of [`Problem::unit`].
    pub tolerance: f64,
}

/// The models, by set of rows: all, then without each fold.
pub struct Solved {
    /// At each strength.
    pub models: Vec<Vec<Solution>>,
    /// What a GPU did, if one began.
    pub begun: Option<Begun>,
}

/// What a GPU left to the host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Begun {
    /// The largest violation of its models, as a share of [`Problem::unit`].
    pub worst: f64,
    /// Features that a model may use for the host to finish it.
    pub polish: usize,
    /// Number of models that use more.
    pub left: usize,
}

/// The duality gap at which a model of a GPU is left to the host, as a fraction of the loss without features.
const BEGUN: f64 = 1e-6;

/// Solves all models; `folds` has the fold in which each row is held out.
///
/// # Errors
/// What the device reports, and an interrupt.
pub fn solve(
    solver: &Solver,
    problem: &Problem,
    lambdas: &[f64],
    folds: &[usize],
    penalty: Penalty,
    ui: &Ui,
) -> Result<Solved, Failure> {
    let strengths: Vec<Strength> = lambdas.iter().map(|&l| problem.strength(l, penalty.l1_ratio)).collect();
    let plan = Plan {
        design: &problem.design,
        y: &problem.response,
        family: if problem.model == Model::Linear { Family::Linear } else { Family::Logistic },
        folds,
        count: folds.iter().max().map_or(0, |most| most + 1),
        strengths: &strengths,
        tolerance: penalty.tolerance,
        largest: problem.unit(),
    };
    match solver {
        Solver::Host => Ok(Solved { models: on_host(&plan, None, ui)?, begun: None }),
        Solver::Gpu { session, polish } => on_gpu(session, *polish, problem, &plan, lambdas, penalty, ui),
    }
}

/// On the host; `starts` has models that it finishes.
fn on_host(plan: &Plan, starts: Option<Starts>, ui: &Ui) -> Result<Vec<Vec<Solution>>, Failure> {
    let models = plan.sets() * plan.strengths.len();
    let progress = ui.progress(if starts.is_some() { "polish" } else { "path" }, models as u64);
    progress.on(format!("{models} models"));
    let mut clock = Clock::new(plan.strengths.len(), plan.sets());
    std::thread::scope(|scope| {
        let (send, told) = channel();
        let worker = scope.spawn(move || {
            plan.solve(starts, &|k, took| {
                // Nobody listens only if the other side has failed, and that ends the program.
                let _ = send.send((k, took));
                !interrupt::heard()
            })
        });
        let (mut new, mut said) = (0, Instant::now());
        loop {
            match told.recv_timeout(Duration::from_millis(250)) {
                Ok((k, took)) => {
                    clock.took(k, took);
                    new += 1;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if said.elapsed() > Duration::from_millis(100) {
                (said, new) = (Instant::now(), (progress.done(new), 0).1);
                progress.on(format!("models, about {:.0} s left", clock.left()));
            }
        }
        match worker.join() {
            Ok(solved) => solved.map_err(|_| interrupted()),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// How long the rest takes, from what models took at each place of the path: later ones have more features.
struct Clock {
    sets: usize,
    /// Seconds, and models, at each place.
    took: Vec<(f64, usize)>,
    /// Sets that are worked on at once.
    at_once: usize,
}

impl Clock {
    fn new(strengths: usize, sets: usize) -> Self {
        Self { sets, took: vec![(0.0, 0); strengths], at_once: rayon::current_num_threads().min(sets) }
    }

    fn took(&mut self, k: usize, time: Duration) {
        self.took[k].0 += time.as_secs_f64();
        self.took[k].1 += 1;
    }

    fn left(&self) -> f64 {
        // Where none has been yet, as much more than at the last known place as there are more strengths.
        let mut known = (0.0, 1.0);
        let mut left = 0.0;
        for (k, &(seconds, models)) in self.took.iter().enumerate() {
            let place = (k + 1) as f64;
            let mean = if models > 0 { seconds / models as f64 } else { known.0 * place / known.1 };
            if models > 0 {
                known = (mean, place);
            }
            left += mean * (self.sets - models) as f64;
        }
        left / self.at_once as f64
    }
}

/// On a GPU. The host recomputes what its models violate, and finishes those that use few enough features.
fn on_gpu(
    session: &Session,
    polish: usize,
    problem: &Problem,
    plan: &Plan,
    lambdas: &[f64],
    penalty: Penalty,
    ui: &Ui,
) -> Result<Solved, Failure> {
    if problem.features > gpu::MOST_FEATURES {
        return Err(Failure::usage(format!(
            "--device gpu takes at most {} features, and there are {}: --device cpu takes them",
            gpu::MOST_FEATURES,
            problem.features
        )));
    }
    let mut sets = vec![vec![true; problem.rows]];
    sets.extend((0..plan.count).map(|f| plan.folds.iter().map(|&of| of != f).collect::<Vec<bool>>()));
    let begun = {
        let start = Instant::now();
        let progress = ui.progress("path", lambdas.len() as u64);
        progress.on(format!("{} models", sets.len() * lambdas.len()));
        let done = Cell::new(0);
        let mut tick = |more: usize| {
            done.set(done.get() + more);
            let left = start.elapsed().as_secs_f64() / done.get() as f64 * (lambdas.len() - done.get()) as f64;
            progress.done(more as u64);
            progress.on(format!("strengths of the penalty, about {left:.0} s left"));
        };
        let enough = (polish > 0).then_some(BEGUN);
        gpu::solve(session, problem, &sets, lambdas, penalty.l1_ratio, enough, &mut tick)?
    };
    let begun = plan.check(&begun);
    let worst = begun.iter().flatten().map(|m| m.violation).fold(0.0, f64::max) / plan.largest;
    let too_many = |m: &Solution| m.coef.len() > polish;
    let left = begun.iter().flatten().filter(|m| too_many(m)).count();
    let all = begun.iter().flatten().count();
    let models = if left == all { begun } else { on_host(plan, Some(Starts { models: &begun, most: polish }), ui)? };
    Ok(Solved { models, begun: Some(Begun { worst, polish, left }) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_the_growth_of_the_models() {
        let mut clock = Clock { sets: 3, took: vec![(0.0, 0); 4], at_once: 1 };
        assert_eq!(clock.left(), 0.0);
        clock.took(0, Duration::from_secs(1));
        // Two more of 1 s, three each of 2, 3 and 4 s.
        assert_eq!(clock.left(), 2.0 + 27.0);
        clock.took(1, Duration::from_secs(4));
        assert_eq!(clock.left(), 2.0 + 8.0 + 3.0 * (6.0 + 8.0));
        clock.at_once = 2;
        assert_eq!(clock.left(), 26.0);
    }
}
