//! Ops to time: read from JSON, skipped where a device cannot run them, checked, and worked on in order.
use super::short;
use crate::{Failure, Ui, input};
use ridgepole::{
    Error, Session, Verify,
    bench::{self, Inputs},
    ops,
    types::excerpt,
};
use serde_json::Value;
use std::sync::{
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

/// An op and its name.
pub(crate) struct Job {
    pub name: String,
    pub op: Box<dyn Verify>,
}

/// Threads at most: the tensors and references of more would not fit into memory.
const THREADS: usize = 4;

/// Ops as JSON, one per line, each with an optional name under `case`.
///
/// # Errors
/// [`Failure::Usage`] names the line of `file` that is not an op.
pub(crate) fn parse(text: &str, file: &str) -> Result<Vec<Job>, Failure> {
    let one = |(number, line): (usize, &str)| {
        let wrong = |why: String| Failure::usage(format!("{file}, line {number}: {why}"));
        let mut value = ops::parse_json(line).map_err(|e| wrong(e.to_string()))?;
        let name = value.as_object_mut().and_then(|o| o.remove("case"));
        let op = ops::verify_from_value(value).map_err(|e| wrong(e.to_string()))?;
        let name = match name {
            None => format!("{op:?}"),
            Some(Value::String(name)) => name,
            Some(other) => return Err(wrong(format!("`case` is {}, must be a string", excerpt(&other.to_string())))),
        };
        Ok(Job { name, op })
    };
    input::lines(text).map(one).collect()
}

/// Skips what this device cannot run at its size, with a note.
pub(crate) fn possible(jobs: Vec<Job>, session: &Session, ui: &Ui) -> Vec<Job> {
    let can = |job: &Job| match job.op.lower(session.gpu().caps()) {
        Err(e @ Error::Unsupported { .. }) => {
            ui.note(format_args!("{}: skipped: {e}\n  {}", job.op.name(), short(&job.name)));
            false
        }
        _ => true,
    };
    jobs.into_iter().filter(can).collect()
}

/// "4Mi", "64Ki" or "4194304" elements.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let (digits, unit) = match (text.strip_suffix("Ki"), text.strip_suffix("Mi")) {
        (Some(digits), _) => (digits, 1 << 10),
        (_, Some(digits)) => (digits, 1 << 20),
        _ => (text, 1),
    };
    let size = digits.parse::<usize>().ok().and_then(|n| n.checked_mul(unit));
    match size {
        Some(n) if (bench::LEAST..=1 << 30).contains(&n) => Ok(n),
        _ => Err(format!("must be a number of elements from {} to 2^30, such as 4194304, 4Mi or 64Ki", bench::LEAST)),
    }
}

/// Checks each case and gives what is wrong with it, in the order of the cases. A GPU mostly waits for the references, so a few threads
/// compute them; on a software device they would only compete with it for the processors.
pub(crate) fn verify(jobs: &[Job], session: &Session, ui: &Ui) -> Vec<Result<(), String>> {
    let threads = if session.gpu().caps().cpu { 1 } else { THREADS };
    let (next, (sender, receiver)) = (&AtomicUsize::new(0), mpsc::channel());
    let progress = ui.progress("check", jobs.len() as u64);
    let mut verdicts = vec![Ok(()); jobs.len()];
    std::thread::scope(|scope| {
        for sender in vec![sender; threads] {
            scope.spawn(move || {
                while let (i, Some(job)) = {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    (i, jobs.get(i))
                } {
                    let verdict = bench::verify(session.gpu(), session.queue(), job.op.as_ref());
                    sender.send((i, verdict)).expect("the receiver waits for all");
                }
            });
        }
        for (i, verdict) in receiver {
            progress.on(jobs[i].op.name());
            verdicts[i] = verdict;
            progress.done(1);
        }
    });
    verdicts
}

/// Calls `work` for each job with its inputs, in order. For a GPU the inputs are drawn ahead, so that it does not clock down while it
/// waits; a software device would compete with that for the processors.
///
/// # Errors
/// The first of `work`.
pub(crate) fn each<'a, E>(
    jobs: &'a [Job],
    session: &Session,
    mut work: impl FnMut(usize, &'a Job, &Inputs) -> Result<(), E>,
) -> Result<(), E> {
    if session.gpu().caps().cpu {
        return jobs.iter().enumerate().try_for_each(|(i, job)| work(i, job, &Inputs::draw(job.op.as_ref())));
    }
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(1);
        scope.spawn(move || {
            for job in jobs {
                // The receiver is gone where `work` has failed.
                if sender.send(Inputs::draw(job.op.as_ref())).is_err() {
                    break;
                }
            }
        });
        jobs.iter().enumerate().try_for_each(|(i, job)| work(i, job, &receiver.recv().expect("one for each job")))
    })
}
