//! Many models in one dispatch: what a model gets does not depend on what is beside it.
use ridgepole::{ops::*, *};

/// Of an argument with `models` models: what the one numbered `m` has. `outer` rows lie around the models, 1 where they come first.
fn part(data: &HostData, outer: usize, models: usize, m: usize) -> HostData {
    let HostData::F32(values) = data else { panic!("{:?} is not f32", data.dtype()) };
    let one = values.len() / outer / models;
    HostData::F32((0..outer).flat_map(|r| values[(r * models + m) * one..][..one].to_vec()).collect())
}

/// Runs `make(models)` with all models and each model alone; `outer` says how many rows lie around the models of each argument.
fn alone_as_in_company(session: &Session, make: impl Fn(usize) -> Box<dyn Verify>, models: usize, rows: usize) {
    let (all, one) = (make(models), make(1));
    let around = |arg: &Arg| if ["w", "dw", "p"].contains(&arg.name) { 1 } else { rows };
    let args = all.args();
    let (reads, writes): (Vec<&Arg>, Vec<&Arg>) = args.iter().partition(|a| a.access == Access::Read);
    let mut rng = Rng::new(31);
    let data: Vec<HostData> = reads.iter().map(|a| all.fill(a, &mut rng, Pattern::Zeros)).collect();
    let run = |op: &dyn Verify, inputs: &[HostData]| session.run(op, inputs).unwrap_or_else(|e| panic!("{op:?}: {e}"));
    let company = run(all.as_ref(), &data);
    for m in 0..models {
        let own: Vec<HostData> = reads.iter().zip(&data).map(|(a, d)| part(d, around(a), models, m)).collect();
        for ((arg, got), company) in writes.iter().zip(run(one.as_ref(), &own)).zip(&company) {
            let want = part(company, around(arg), models, m);
            assert!(got.bytes() == want.bytes(), "{all:?}: model {m} alone differs from itself among {models}");
            assert!(got.to_f64().iter().any(|v| *v != 0.0) || arg.name == "dx", "{all:?}: model {m} has only zeros");
        }
    }
}

#[test]
fn a_model_is_the_same_to_the_bit_whatever_is_beside_it() {
    let device = Session::new().expect("an adapter");
    // On every kind of device that this one can play.
    let modes = check::modes(device.device()).into_iter();
    let shapes = [[5, 13, 36, 44], [3, 50, 64, 12], [7, 4, 12, 8]];
    for ((_, caps), [models, rows, inputs, outputs]) in modes.flat_map(|mode| shapes.map(|shape| (mode.clone(), shape))) {
        let session = Session::new().expect("an adapter").with_caps(caps);
        for bias in [false, true] {
            let dense = |models| Box::new(BatchedDense { models, rows, inputs, outputs, bias }) as Box<dyn Verify>;
            let weight_grad =
                |models| Box::new(BatchedDenseWeightGrad { models, rows, inputs, outputs, bias }) as Box<dyn Verify>;
            let input_grad = |models| Box::new(BatchedDenseInputGrad { models, rows, inputs, outputs, bias }) as Box<dyn Verify>;
            alone_as_in_company(&session, dense, models, rows);
            alone_as_in_company(&session, weight_grad, models, rows);
            alone_as_in_company(&session, input_grad, models, rows);
        }
    }
}

/// Both kinds of kernel add in the same order. Rows and columns that fill no tile are in it, and what is no number, beside what is.
#[test]
fn lanes_that_share_what_they_load_get_the_bits_of_lanes_that_do_not() {
    let session = Session::new().expect("an adapter");
    let mine = session.gpu().caps().clone();
    let mut plain = mine.clone();
    plain.features.subgroups = false;
    let sessions = [&mine, &plain].map(|caps| Session::new().expect("an adapter").with_caps(caps.clone()));
    for [models, rows, inputs, outputs] in [[3, 50, 64, 128], [2, 16, 32, 32], [5, 13, 36, 44], [4, 17, 20, 68], [1, 33, 128, 64]]
    {
        let bias = rows % 2 == 1;
        let ops: [Box<dyn Verify>; 3] = [
            Box::new(BatchedDense { models, rows, inputs, outputs, bias }),
            Box::new(BatchedDenseWeightGrad { models, rows, inputs, outputs, bias }),
            Box::new(BatchedDenseInputGrad { models, rows, inputs, outputs, bias }),
        ];
        for (op, pattern) in ops.iter().flat_map(|op| [Pattern::Ordinary, Pattern::NonFinite].map(|p| (op, p))) {
            let teams = mine.cpu && mine.features.subgroups && mine.subgroup == [8, 8];
            let shader = |caps| op.lower(caps).expect("it lowers").steps()[0].spec.shader.name;
            assert_eq!(shader(&mine).ends_with("_team"), teams, "{op:?}");
            assert!(!shader(&plain).ends_with("_team"), "{op:?}");
            let mut rng = Rng::new(7);
            let reads = op.args().into_iter().filter(|a| a.access == Access::Read);
            let data: Vec<HostData> = reads.map(|a| op.fill(&a, &mut rng, pattern)).collect();
            let [team, alone] = [0, 1].map(|i| sessions[i].run(op.as_ref(), &data).expect("it runs").remove(0).to_f64());
            // One NaN is as good as another.
            let same = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
            let wrong = team.iter().zip(&alone).position(|pair| !same(pair));
            assert_eq!(wrong, None, "{op:?}, {pattern:?}");
        }
    }
}

/// All that was dropped has no gradient, whatever comes from behind: an infinite or missing number times 0 is NaN.
#[test]
fn where_all_is_dropped_nothing_comes_back() {
    let session = Session::new().expect("an adapter");
    let op = BatchedDenseInputGrad { models: 2, rows: 1, inputs: 4, outputs: 4, bias: false };
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX];
    let inputs = [
        HostData::F32([bad, [1.0; 4]].concat()),
        HostData::F32(vec![1.0; 32]),
        HostData::F32(vec![1.0, f32::NAN, f32::INFINITY, 0.5, 1.0, 0.0, -0.0, f32::NAN]),
        HostData::F32(vec![1.0, 0.75]),
    ];
    let dx = session.run(&op, &inputs).expect("runs").remove(0);
    assert_eq!(dx, HostData::F32(vec![0.0, 0.0, 0.0, 0.0, 16.0, 0.0, 0.0, 0.0]));
}
