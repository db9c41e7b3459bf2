//! The checkpoint of a search: a search that resumes from it gives the same bits as one that was never interrupted. It is sealed with a hash
//! over all of it, and belongs to one search: its data, settings and options, the program's version and the device. Whatever else is found
//! in its place is refused.
use super::outcome::{Outcome, Progress};
use crate::{
    Failure, files,
    input::{self, Limit},
    seal, text, timing,
    training::{Measure, State},
};
use safetensors::{SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, collections::HashMap, path::Path};

/// What the file begins with.
const KIND: &str = "ridgepole checkpoint 2";
/// Bytes at most: more than a search on any device has.
const LIMIT: Limit = Limit(8 << 30);

/// What is not a tensor.
#[derive(Serialize, Deserialize)]
struct Header {
    /// The version that wrote it.
    program: String,
    fingerprint: String,
    done: BTreeMap<usize, Outcome>,
    active: BTreeMap<usize, Shape>,
}

/// The layout of a state's values in its tensor.
#[derive(Serialize, Deserialize)]
struct Shape {
    epoch: usize,
    params: usize,
    moments: usize,
    running: Vec<usize>,
    best: bool,
    curve: Vec<Vec<Measure>>,
}

impl Progress {
    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the file's name and the system's reason.
    pub fn save(&self, path: &Path, fingerprint: &str) -> Result<(), Failure> {
        let bad = |why: String| Failure::found(format!("{}: {why}", text::path(path)));
        let shape = |s: &State| Shape {
            epoch: s.epoch,
            params: s.params.len(),
            moments: s.moments.len(),
            running: s.running.iter().map(Vec::len).collect(),
            best: s.best.is_some(),
            curve: s.curve.clone(),
        };
        let header = Header {
            program: timing::version(),
            fingerprint: fingerprint.into(),
            done: self.done.clone(),
            active: self.active.iter().map(|(&m, s)| (m, shape(s))).collect(),
        };
        let header = serde_json::to_string(&header).map_err(|e| bad(e.to_string()))?;
        let values: Vec<(String, Vec<f32>)> = self.active.iter().map(|(m, s)| (m.to_string(), flat(s))).collect();
        let view = |(name, values): &(String, Vec<f32>)| {
            let bytes = bytemuck::cast_slice(values).to_vec();
            (name.clone(), bytes, values.len())
        };
        let all: Vec<_> = values.iter().map(view).collect();
        let tensors = all.iter().map(|(name, bytes, len)| {
            TensorView::new(safetensors::Dtype::F32, vec![*len], bytes).map(|t| (name.clone(), t)).map_err(|e| bad(e.to_string()))
        });
        let tensors = tensors.collect::<Result<Vec<_>, _>>()?;
        let bytes = safetensors::serialize(tensors, Some(HashMap::from([("ridgepole_tune".to_string(), header)])));
        files::write(path, &seal::sealed(KIND, &bytes.map_err(|e| bad(e.to_string()))?))
    }

    /// Reads it back; nothing if there is no file.
    ///
    /// # Errors
    /// [`Failure::Usage`] if it is not a checkpoint, is damaged in any bit, or is of another search; or if `accepts` does not take it.
    pub fn load(path: &Path, fingerprint: &str, accepts: &dyn Fn(&Self) -> bool) -> Result<Option<Self>, Failure> {
        let remedy = "start over with --fresh, or choose another --out";
        let damaged = |why: &str| Failure::usage(format!("{} cannot be resumed: {why}; {remedy}", text::path(path)));
        // A pipe or a device would be waited for, or would never end.
        match std::fs::metadata(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Ok(m) if !m.is_file() => return Err(damaged("it is no file")),
            found => found.map_err(|e| Failure::file("read", path, e))?,
        };
        let bytes = input::own_file(path, LIMIT).map_err(|e| Failure::usage(format!("{e}; {remedy}")))?;
        let bytes = seal::opened(KIND, &bytes).map_err(damaged)?;
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(&e.to_string()))?;
        let header = metadata
            .metadata()
            .as_ref()
            .and_then(|m| m.get("ridgepole_tune"))
            .ok_or_else(|| damaged("it is not a checkpoint"))?;
        let header: Header = serde_json::from_str(header).map_err(|e| damaged(&e.to_string()))?;
        if header.program != timing::version() {
            return Err(damaged(&format!(
                "it is of ridgepole {}, and this is {}",
                text::visible(&header.program),
                timing::version()
            )));
        }
        if header.fingerprint != fingerprint {
            return Err(damaged("it is of other data, settings or options, or of another device"));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| damaged(&e.to_string()))?;
        let mut active = BTreeMap::new();
        for (m, shape) in header.active {
            let tensor = tensors.tensor(&m.to_string()).map_err(|e| damaged(&e.to_string()))?;
            let values: Vec<f32> = bytemuck::pod_collect_to_vec(tensor.data());
            active.insert(m, shape.state(&values).ok_or_else(|| damaged("a network in it is incomplete"))?);
        }
        let all = Self { done: header.done, active };
        if accepts(&all) { Ok(Some(all)) } else { Err(damaged("its networks are not those of this search")) }
    }
}

/// A state's values, one after the other.
fn flat(s: &State) -> Vec<f32> {
    let mut out = s.stopping.to_vec();
    out.extend(&s.params);
    s.moments.iter().chain(&s.running).for_each(|v| out.extend(v));
    if let Some((params, running)) = &s.best {
        out.extend(params);
        running.iter().for_each(|v| out.extend(v));
    }
    out
}

impl Shape {
    fn state(self, values: &[f32]) -> Option<State> {
        let mut rest = values;
        let mut take = |len: usize| {
            let (now, later) = rest.split_at_checked(len)?;
            rest = later;
            Some(now.to_vec())
        };
        // Without parameters, moments of any number would be in any tensor.
        if self.params == 0 {
            return None;
        }
        let stopping = take(4)?.try_into().ok()?;
        let params = take(self.params)?;
        let moments = (0..self.moments).map(|_| take(self.params)).collect::<Option<_>>()?;
        let running = self.running.iter().map(|&n| take(n)).collect::<Option<_>>()?;
        let best = match self.best {
            true => Some((take(self.params)?, self.running.iter().map(|&n| take(n)).collect::<Option<_>>()?)),
            false => None,
        };
        rest.is_empty().then_some(State { epoch: self.epoch, params, moments, running, best, stopping, curve: self.curve })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training;

    #[test]
    fn what_is_written_is_read_back_or_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c");
        assert_eq!(Progress::load(&path, "a", &|_| true).unwrap(), None);
        let measure = Measure { loss: 0.1, score: 1.0 / 3.0 };
        let mut progress = Progress::default();
        for (m, batch_norm) in [(3, false), (11, true)] {
            let shape = training::Shape { inputs: 5, hidden: vec![8, 4], outputs: 3, batch_norm };
            let mut state = State::new(&shape, m as u64, true);
            state.moments = vec![state.params.iter().map(|v| v * 2.0).collect(); 2];
            state.stopping = [0.25, 3.0, 1.0, f32::NAN];
            state.curve = vec![vec![measure]; 2];
            progress.active.insert(m, state);
        }
        let outcome = Outcome { measures: [measure; 3], best_epoch: 2, epochs: 7, zeros: 0.5 };
        progress.done.insert(5, outcome);
        progress.save(&path, "a").unwrap();
        let read = Progress::load(&path, "a", &|_| true).unwrap().unwrap();
        assert_eq!(read.done, progress.done);
        // NaN is not equal to itself: compared as bits.
        for (m, state) in &progress.active {
            let bits = |s: &State| flat(s).iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!((bits(&read.active[m]), &read.active[m].curve), (bits(state), &state.curve));
            assert_eq!(read.active[m].moments, state.moments);
            assert_eq!(read.active[m].best, state.best);
        }
        let why = |fingerprint: &str| Progress::load(&path, fingerprint, &|_| true).unwrap_err().to_string();
        assert!(why("b").ends_with(
            "it is of other data, settings or options, or of another device; start over with --fresh, or choose another --out"
        ));
        let refused = Progress::load(&path, "a", &|p| p.done.is_empty()).unwrap_err().to_string();
        assert!(refused.contains("its networks are not those of this search"), "{refused}");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(why("a").contains("cannot be resumed: "), "{}", why("a"));
    }

    #[test]
    fn a_checkpoint_with_any_bit_changed_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c");
        let shape = training::Shape { inputs: 1, hidden: vec![4], outputs: 2, batch_norm: false };
        let mut progress = Progress::default();
        progress.active.insert(0, State::new(&shape, 1, true));
        let measure = Measure { loss: 0.1, score: 0.5 };
        progress.done.insert(1, Outcome { measures: [measure; 3], best_epoch: 2, epochs: 7, zeros: 0.5 });
        progress.save(&path, "a").unwrap();
        let good = std::fs::read(&path).unwrap();
        let refused = |bytes: &[u8], what: &dyn std::fmt::Display| {
            std::fs::write(&path, bytes).unwrap();
            let why = Progress::load(&path, "a", &|_| true).map(drop).expect_err(&format!("{what} is taken"));
            let why = match why {
                Failure::Usage(why) => why,
                other => panic!("{what}: {other:?}"),
            };
            assert!(why.starts_with(&path.display().to_string()) && why.contains("start over with --fresh"), "{what}: {why}");
        };
        let mut bad = good.clone();
        for bit in 0..8 * good.len() {
            bad[bit / 8] ^= 1 << (bit % 8);
            refused(&bad, &format_args!("bit {bit}"));
            bad[bit / 8] ^= 1 << (bit % 8);
        }
        for end in (0..good.len()).step_by(7).chain([good.len() - 1]) {
            refused(&good[..end], &format_args!("the first {end} bytes"));
        }
        refused(&[&good[..], b"\0"].concat(), &"a byte more");
        refused(&[&good[..], &good].concat(), &"twice");
        // The content alone, as an earlier version wrote it.
        refused(seal::opened(KIND, &good).unwrap(), &"no seal");
        std::fs::write(&path, &good).unwrap();
        assert_eq!(Progress::load(&path, "a", &|_| true).unwrap().unwrap(), progress);
        // What is no file, and what is longer than any.
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let why = || Progress::load(&path, "a", &|_| true).unwrap_err().to_string();
        assert!(why().contains("it is no file"), "{}", why());
    }
}
