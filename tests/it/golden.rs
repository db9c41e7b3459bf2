//! Values made by PyTorch and JAX (`tests/golden/make.py`), against the CPU reference and the GPU.
use ridgepole::{Access, DType, Expected, HostData, Session, Verify, check, ops};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

/// Steps in a row. What a later one does not list as input, it finds as the one before left it.
#[derive(Deserialize)]
struct Case {
    name: String,
    frameworks: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    op: serde_json::Value,
    inputs: BTreeMap<String, Vec<Number>>,
    expected: BTreeMap<String, Vec<Number>>,
}

/// A number, or what JSON has no number for.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Name(String),
}

impl Number {
    fn get(&self) -> f64 {
        match self {
            Number::Finite(v) => *v,
            Number::Name(name) => name.parse().unwrap_or_else(|_| panic!("no number: {name}")),
        }
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn load(op: &str) -> Option<File> {
    let text = std::fs::read_to_string(folder().join(op).with_extension("json")).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{op}.json: {e}")))
}

type Named = BTreeMap<String, HostData>;

fn named(op: &dyn Verify, values: &BTreeMap<String, Vec<Number>>, what: &str) -> Named {
    let arg = |name: &String| {
        let found = op.args().into_iter().find(|a| a.name == name);
        let arg = found.unwrap_or_else(|| panic!("{what}: the op has no argument `{name}`"));
        assert_eq!(arg.len, values[name].len(), "{what}: the length of `{name}`");
        HostData::from_f64(arg.dtype, values[name].iter().map(Number::get))
    };
    values.keys().map(|name| (name.clone(), arg(name))).collect()
}

/// All arguments in the op's order; those that are only written hold nothing that matters.
fn arguments(op: &dyn Verify, state: &Named, what: &str) -> Vec<HostData> {
    let pick = |a: &ridgepole::Arg| match (a.access, state.get(a.name)) {
        (Access::Write, _) => HostData::from_f64(a.dtype, vec![0.0; a.len]),
        (_, Some(data)) => data.clone(),
        (_, None) => panic!("{what}: `{}` is neither an input nor left by the step before", a.name),
    };
    op.args().iter().map(pick).collect()
}

fn outputs(op: &dyn Verify) -> Vec<&'static str> {
    op.args().iter().filter(|a| a.access != Access::Read).map(|a| a.name).collect()
}

/// The frameworks' float64 result was rounded once, to the type of the buffer: half an ulp, or half the spacing of subnormal
/// numbers.
fn rounding(dtype: DType, v: f64) -> f64 {
    (v.abs() * dtype.epsilon()).max(dtype.least_normal() * dtype.epsilon()) / 2.0
}

/// What two different orders of the same sums in f64 may differ by. A bound of ours allows for the roundings of f32,
/// 2^-24 of the magnitudes that meet in an element; those of f64 are 2^-53 of them, taken here with a margin of 8.
fn double(bound: f64) -> f64 {
    if bound.is_finite() { bound * 2f64.powi(-26) } else { 0.0 }
}

/// What the roundings to f32 of the host's scalars move, where they are part of what the op is defined to do and hence of
/// its reference: prox must agree with the GPU on which weights become 0. The threshold t is off by t·2^-24, the divisor
/// d ≥ 1 relatively by 2^-24; a weight w that stays becomes (|w| - t)/d, off by (t + (|w| - t))/d·2^-24 ≤ |w|·2^-24.
fn scalars(op: &dyn Verify, arg: &str, data: &[HostData]) -> Option<Vec<f64>> {
    let share = f64::from(f32::EPSILON) / 2.0;
    let prox = op.name() == "prox" && arg == "weight";
    prox.then(|| data[0].to_f64().iter().map(|w| w.abs() * share).collect())
}

/// Value and error bound of every element; words count for themselves.
fn values(expected: &Expected) -> (Vec<f64>, Vec<f64>) {
    match expected {
        Expected::Exact(data) => (data.to_f64(), vec![0.0; data.len()]),
        Expected::Within { value, bound } => (value.clone(), bound.clone()),
    }
}

/// The largest deviations seen, as a share of what is allowed.
#[derive(Default)]
struct Worst {
    reference: f64,
    gpu: f64,
    carried: f64,
    /// Of the GPU, relative to the largest magnitude in the tensor.
    distance: f64,
}

/// An error unless `got` is within `allowed` of `want` everywhere; keeps the largest share of it.
fn within(what: &str, got: &[f64], want: &[f64], allowed: impl Fn(usize) -> f64, worst: &mut f64) -> Result<(), String> {
    assert_eq!(got.len(), want.len(), "{what}: lengths");
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        let (distance, allowed) = ((g - w).abs(), allowed(i));
        if !allowed.is_finite() {
            return Err(format!("{what}, element {i}: a bound that excuses anything"));
        }
        // Written so that a NaN fails.
        let right = distance <= allowed;
        if !right {
            return Err(format!("{what}, element {i}: got {g:e}, the frameworks say {w:e} ± {allowed:e}"));
        }
        if distance > 0.0 {
            *worst = worst.max(distance / allowed);
        }
    }
    Ok(())
}

fn exact_or_rounded(dtype: DType, v: f64) -> f64 {
    if dtype == DType::U32 { 0.0 } else { rounding(dtype, v) }
}

fn run_case(session: &Session, case: &Case, worst: &mut Worst) -> Result<(), String> {
    // The frameworks' state before the step, and our own GPU's, which is never set right on the way.
    let (mut golden, mut own) = (Named::new(), Named::new());
    for (number, step) in case.steps.iter().enumerate() {
        let what = format!("{} by {}, step {}", case.name, case.frameworks.join(" and "), number + 1);
        let op = ops::verify_from_json(&step.op.to_string()).unwrap_or_else(|e| panic!("{what}: {e}"));
        let op = op.as_ref();
        let inputs = named(op, &step.inputs, &what);
        let expected = named(op, &step.expected, &what);
        golden.extend(inputs.clone());
        own.extend(inputs);
        let names = outputs(op);
        assert!(
            names.len() == expected.len() && names.iter().all(|n| expected.contains_key(*n)),
            "{what}: the op writes {names:?}"
        );

        let data = arguments(op, &golden, &what);
        let references = op.reference(&data);
        // What the host's own rounding allows, before anything that the GPU does.
        let half = |i: usize| -> Vec<f64> {
            let (want, given) = (&expected[names[i]], scalars(op, names[i], &data));
            let one = |(e, v)| exact_or_rounded(want.dtype(), v) + given.as_ref().map_or(0.0, |s| s[e]);
            want.to_f64().into_iter().enumerate().map(one).collect()
        };
        for (i, name) in names.iter().enumerate() {
            let ((value, bound), half) = (values(&references[i]), half(i));
            let allowed = |e: usize| half[e] + double(bound[e]);
            let what = format!("{what}: `{name}`, reference");
            within(&what, &value, &expected[*name].to_f64(), allowed, &mut worst.reference)?;
        }
        // Hostile memory, twice, against the reference; then the values themselves.
        check::Case::with_data(op, data.clone())
            .run(session.gpu(), session.queue())
            .map_err(|why| format!("{what}: GPU and reference: {why}"))?;
        let readable = |data: &[HostData]| -> Vec<HostData> {
            op.args().iter().zip(data).filter(|(a, _)| a.access != Access::Write).map(|(_, d)| d.clone()).collect()
        };
        let run = |data: &[HostData]| session.run(op, &readable(data)).map_err(|e| format!("{what}: {e}"));
        let gpu = run(&data)?;
        let own_data = arguments(op, &own, &what);
        let own_references = op.reference(&own_data);
        let own_gpu = run(&own_data)?;
        for (i, name) in names.iter().enumerate() {
            let (what, want) = (format!("{what}: `{name}`"), &expected[*name]);
            let (g, (value, bound), half) = (want.to_f64(), values(&references[i]), half(i));
            let largest = g.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
            let distances = gpu[i].to_f64().into_iter().zip(&g).map(|(a, b)| (a - b).abs());
            worst.distance = distances.fold(worst.distance, |m, d| m.max(d / largest));
            within(&format!("{what}, GPU"), &gpu[i].to_f64(), &g, |e| half[e] + bound[e], &mut worst.gpu)?;
            // From its own state: as far off as the op in f64 moves the difference of the states, and this step's bound.
            let (own_value, own_bound) = values(&own_references[i]);
            let drift = |e: usize| (own_value[e] - value[e]).abs() + own_bound[e] + half[e] + double(bound[e]);
            within(&format!("{what}, carried"), &own_gpu[i].to_f64(), &g, drift, &mut worst.carried)?;
            golden.insert((*name).to_string(), want.clone());
            own.insert((*name).to_string(), own_gpu[i].clone());
        }
    }
    Ok(())
}

#[test]
fn the_reference_and_the_gpu_agree_with_pytorch_and_jax() {
    let (session, mut failed) = (Session::new().expect("an adapter"), Vec::new());
    for entry in ops::all() {
        let Some(file) = load(entry.name) else { continue };
        let mut worst = Worst::default();
        for case in &file.cases {
            failed.extend(run_case(&session, case, &mut worst).err().map(|why| format!("{}: {why}", entry.name)));
        }
        let Worst { reference, gpu, carried, distance } = worst;
        eprintln!(
            "{}: {} cases; of what is allowed, the reference took {reference:.3}, the GPU {gpu:.3} ({distance:.1e} of a \
             tensor's largest value), carried state {carried:.3}",
            entry.name,
            file.cases.len()
        );
    }
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
}

/// Ops that a framework does not have on a CPU, and why.
const ABSENT: &[(&str, &str, &str)] = &[
    ("batched_relu_dropout", "PyTorch", "no layer has a p for each model; held against `dropout` in tests/it/random/batched.rs"),
    ("batched_relu_dropout", "JAX", "no layer has a p for each model; held against `dropout` in tests/it/random/batched.rs"),
    ("batched_relu_dropout_backward", "PyTorch", "see tests/gradients/batched/loss_and_dropout.rs"),
    ("batched_relu_dropout_backward", "JAX", "see tests/gradients/batched/loss_and_dropout.rs"),
    ("bootstrap_indices", "PyTorch", "draws other numbers; see tests/it/random/batched.rs"),
    ("bootstrap_indices", "JAX", "draws other numbers; see tests/it/random/batched.rs"),
    ("duality_gap", "PyTorch", "neither framework has it; see tests/it/linear.rs"),
    ("duality_gap", "JAX", "see tests/it/linear.rs"),
    ("early_stopping", "PyTorch", "torch stops no training"),
    ("early_stopping", "JAX", "flax stops one training, on the host, an epoch later"),
    ("fista_step", "PyTorch", "torch.optim has no FISTA; see tests/it/linear.rs, and cli/tests/golden for scikit-learn's minima"),
    ("fista_step", "JAX", "jaxopt's FISTA is a whole solver with another restart; see tests/it/linear.rs"),
    ("ftrl", "PyTorch", "torch.optim has no FTRL; see tests/it/optimizers/ftrl.rs"),
    ("ftrl", "JAX", "optax has no FTRL; see tests/it/optimizers/ftrl.rs"),
    ("gradient_noise", "PyTorch", "torch.optim adds no noise to gradients"),
    ("keep_best", "PyTorch", "a copy under a condition"),
    ("keep_best", "JAX", "a copy under a condition"),
    ("l2_ball", "PyTorch", "its renorm adds 1e-7 to the norm; the script holds ours against it within that"),
    ("linear_gradient", "PyTorch", "a plain product of matrices; see tests/gradients/linear.rs"),
    ("linear_gradient", "JAX", "a plain product of matrices; see tests/gradients/linear.rs"),
    ("linear_residual", "PyTorch", "no model has row weights of its own there; see tests/gradients/linear.rs"),
    ("linear_residual", "JAX", "no model has row weights of its own there; see tests/gradients/linear.rs"),
    ("lion", "PyTorch", "torch.optim has no Lion"),
    ("nadam", "JAX", "optax.nadam has no schedule of the momentum"),
    ("philox", "PyTorch", "its Philox generator runs on CUDA only"),
];

#[test]
fn every_op_has_values_by_both_frameworks_and_every_file_an_op() {
    for entry in ops::all() {
        let missing = ABSENT.iter().filter(|(op, ..)| *op == entry.name).count();
        if missing == 2 {
            assert!(load(entry.name).is_none(), "{}: there are values, and no framework is said to have it", entry.name);
            continue;
        }
        let file = load(entry.name).unwrap_or_else(|| panic!("tests/golden/{}.json is missing", entry.name));
        let all: Vec<&String> = file.cases.iter().flat_map(|c| &c.frameworks).collect();
        for framework in ["PyTorch", "JAX"] {
            let has = all.iter().any(|f| f.contains(framework));
            let absent = ABSENT.iter().any(|(op, f, _)| (*op, *f) == (entry.name, framework));
            assert!(
                has != absent,
                "{}: {framework} made {}",
                entry.name,
                if has { "it, and is said not to" } else { "no values" }
            );
        }
        for step in file.cases.iter().flat_map(|c| &c.steps) {
            assert_eq!(step.op["op"], entry.name, "{}.json holds another op", entry.name);
        }
    }
    let mut bytes = 0;
    for file in std::fs::read_dir(folder()).expect("the folder is there").map(|f| f.expect("readable").path()) {
        bytes += file.metadata().expect("readable").len();
        if file.extension().is_some_and(|e| e == "json") {
            let op = file.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(ops::find(&op).is_some(), "{op}.json is of no op");
        }
    }
    assert!(bytes < 2 << 20, "script and values together are {bytes} bytes");
}
