//! The generator and its masks: known answers, equality across everything that must not matter, and statistics.
mod batched;
mod normal;
mod rates;

use crate::common::{self, session};
use ridgepole::{ops::*, *};

/// Every adapter of this machine.
fn sessions() -> Vec<Session> {
    let all: Vec<_> = Session::adapters().iter().map(|a| Session::open(a).expect("an adapter that opens")).collect();
    assert!(!all.is_empty(), "the tests need a GPU adapter; `cargo xtask test` installs a software one");
    all
}

const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 0, step: 7, first_element: 0 };

fn dropout(space: Space, p: f64, key: Key) -> Dropout {
    Dropout { mask: MaskMode::Store, ..Dropout::new(DType::F32, space, p, key) }
}

fn ones(op: &Dropout) -> HostData {
    HostData::from_f64(op.dtype, vec![1.0; op.space.len()])
}

/// The stored mask, in the order of memory; what the output kept must agree with it.
fn mask(session: &Session, op: &Dropout) -> Vec<bool> {
    let out = session.run(op, &[ones(op)]).expect("dropout runs");
    let words = out[1].words().expect("masks are words");
    let kept: Vec<bool> = (0..op.space.len()).map(|e| words[e / 32] >> (e % 32) & 1 == 1).collect();
    assert!(out[0].to_f64().iter().map(|&y| y != 0.0).eq(kept.iter().copied()), "{op:?}: the mask is not what was dropped");
    kept
}

/// The same mask in logical order (n, c, s).
fn logical(op: &Dropout, memory: &[bool]) -> Vec<bool> {
    let Space { n, c, s, .. } = op.space;
    (0..n * c * s).map(|i| memory[op.space.offset(i / (c * s), i / s % c, i % s)]).collect()
}

fn keeps(op: &Dropout, decisions: std::ops::Range<u64>) -> Vec<bool> {
    let bits = if op.bits == Bits::Sixteen { 16 } else { 32 };
    decisions.map(|i| cpu::keeps(op.p, bits, op.key.seed, op.key.stream, op.key.step, i)).collect()
}

/// Random123, tests/kat_vectors: counter, key, words of philox4x32 with 10 rounds.
const KNOWN: [([u32; 4], [u32; 2], [u32; 4]); 7] = [
    ([0; 4], [0; 2], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
    ([u32::MAX; 4], [u32::MAX; 2], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
    (
        [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
        [0xa4093822, 0x299f31d0],
        [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ),
    ([1, 0, 0, 0], [1, 0], [0xac08141b, 0xdfc5ccbe, 0x79c07a47, 0xa7f66093]),
    ([0, 1, 0, 0], [1, 0], [0x833ff8dc, 0x225c963c, 0x232b88b3, 0x0b334b07]),
    ([0, 0, 1, 0], [1, 0], [0x07071c12, 0x428264b6, 0x3909104b, 0x6da2bda2]),
    ([0, 0, 0, 1], [1, 0], [0x127bee41, 0x1e047488, 0x48842b20, 0x0a393496]),
];

#[test]
fn known_answers() {
    let sessions = sessions();
    for (counter, key, block) in KNOWN {
        assert_eq!(cpu::philox(counter, key), block, "on the CPU");
        let wide = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        let (first_block, seed) = (wide(counter[0], counter[1]), wide(key[0], key[1]));
        let op = Philox { len: 4, seed, step: counter[2], stream: counter[3], first_block };
        for session in &sessions {
            assert_eq!(session.run(&op, &[]), Ok(vec![HostData::U32(block.to_vec())]), "on {}", session.info().name);
        }
    }
}

/// The convention as numbers: keep 0.8, so T = 52429. Whoever changes it changes everyone's masks.
#[test]
fn the_convention_does_not_drift() {
    let r16 = [0x3a77, 0x3d26, 0x9305, 0x2cf2, 0x34b2, 0x8ec4, 0xfdbf, 0xa6c0];
    let kept = "1111110111010111111111111101101111011010111111011111101111100111";
    let want: Vec<bool> = kept.chars().map(|k| k == '1').collect();
    let halves = |w: &[u32]| w.iter().map(|w| w & 0xffff).chain(w.iter().map(|w| w >> 16)).collect::<Vec<_>>();
    assert_eq!(halves(&cpu::philox([0, 0, 7, 0], [0x89ab_cdef, 0x0123_4567])), r16);
    let op = dropout(Space::flat(64), 0.2, KEY);
    assert_eq!(keeps(&op, 0..64), want);
    // The other width, drawn once with this crate: word i & 3 of block i >> 2.
    let wide = Dropout { bits: Bits::ThirtyTwo, ..op.clone() };
    let words: Vec<u32> = (0..16).flat_map(|b| cpu::philox([b, 0, 7, 0], [0x89ab_cdef, 0x0123_4567])).collect();
    let wide_want: Vec<bool> = words.iter().map(|&w| f64::from(w) < (2f64.powi(32) * 0.8).round()).collect();
    for session in sessions() {
        let words = session.run(&Philox { len: 4, seed: KEY.seed, stream: 0, step: 7, first_block: 0 }, &[]).expect("it runs");
        assert_eq!(halves(words[0].words().expect("words")), r16);
        assert_eq!(mask(&session, &op), want);
        assert_eq!(mask(&session, &wide), wide_want);
    }
}

/// A decision's number: the logical order of the axes that are not shared.
fn number(share: Share, c: u64, s: u64, element: u64) -> u64 {
    let own = match share {
        Share::Element => "ncs",
        Share::Channel => "nc",
        Share::Sample => "n",
        Share::Position => "ns",
        Share::BatchElement => "cs",
        Share::BatchChannel => "c",
        Share::BatchPosition => "s",
        Share::Batch => "",
    };
    let places = [('n', element / (c * s), 0), ('c', element / s % c, c), ('s', element % s, s)];
    places.iter().filter(|(axis, ..)| own.contains(*axis)).fold(0, |number, (_, place, size)| number * size + place)
}

#[test]
fn masks_depend_on_the_key_and_the_element_alone() {
    let shares = Share::ALL;
    for session in sessions() {
        let caps = session.gpu().caps().clone();
        let device = session.device().clone();
        let name = session.info().name.clone();
        let changed = |change: &dyn Fn(&mut Caps)| {
            let mut caps = caps.clone();
            change(&mut caps);
            Session::open(&Session::adapters().into_iter().find(|a| a.get_info().name == name).expect("still there"))
                .expect("it opened before")
                .with_caps(caps)
        };
        assert!(device.limits().max_compute_invocations_per_workgroup >= 64);
        let others = [
            ("other lanes", changed(&|c| (c.lanes, c.quads) = (64, 4))),
            ("other quads", changed(&|c| (c.lanes, c.quads) = (4, 64))),
            ("small windows", changed(&|c| c.limits.max_storage_buffer_binding_size = 1 << 15)),
            ("16-bit products", changed(&|c| c.features.int64 = false)),
        ];
        for share in shares {
            for bits in [Bits::Sixteen, Bits::ThirtyTwo] {
                let (n, c, s) = (6, 5, 603);
                let unit = share.unit(&Space::channels_first(n, c, s));
                let key = Key { first_element: unit * 24, stream: 9, ..KEY };
                let op = Dropout { share, bits, ..dropout(Space::channels_first(n, c, s), 0.3, key) };
                let got = mask(&session, &op);
                let of = |i: usize| number(share, c as u64, s as u64, unit * 24 + i as u64);
                let want: Vec<bool> = (0..got.len()).flat_map(|i| keeps(&op, of(i)..of(i) + 1)).collect();
                assert_eq!(got, want, "{op:?}: GPU and CPU");
                let last = Dropout { space: Space::channels_last(n, c, s), ..op.clone() };
                assert_eq!(logical(&last, &mask(&session, &last)), want, "{op:?}: layouts");
                for (what, other) in &others {
                    assert_eq!(mask(other, &op), want, "{op:?}: {what}");
                    assert_eq!(logical(&last, &mask(other, &last)), want, "{last:?}: {what}");
                }
                for dtype in [DType::F16, DType::Bf16] {
                    assert_eq!(mask(&session, &Dropout { dtype, ..op.clone() }), want, "{op:?}: {dtype:?}");
                }
                // Drawn again, forward and backward; sent back through the stored mask.
                let again = Dropout { mask: MaskMode::Recompute, ..op.clone() };
                let y = session.run(&op, &[ones(&op)]).expect("forward");
                assert_eq!(session.run(&again, &[ones(&op)]).expect("forward"), y[..1], "{op:?}: stored and recomputed");
                assert_eq!(session.run(&again.backward(), &[ones(&op)]).expect("backward"), y[..1], "{op:?}: backward");
                let stored = session.run(&op.backward(), &[ones(&op), y[1].clone()]).expect("backward");
                assert_eq!(stored, y[..1], "{op:?}: backward, stored");
                // A batch in two parts, cut where shared decisions end.
                for cut in [1, 4] {
                    let part = |n, first| {
                        let key = Key { first_element: key.first_element + (first * c * s) as u64, ..key };
                        mask(&session, &Dropout { space: Space::channels_first(n, c, s), key, ..op.clone() })
                    };
                    assert_eq!([part(cut, 0), part(n - cut, cut)].concat(), want, "{op:?}: split after {cut} samples");
                }
            }
        }
    }
}

#[test]
fn a_tensor_split_anywhere_draws_the_whole_mask() {
    let session = session();
    let want = keeps(&dropout(Space::flat(0), 0.5, KEY), 0..3000);
    for cut in [1, 2, 3, 4, 7, 8, 9, 100, 1024, 2999] {
        let part = |range: std::ops::Range<usize>| {
            mask(&session, &dropout(Space::flat(range.len()), 0.5, Key { first_element: range.start as u64, ..KEY }))
        };
        assert_eq!([part(0..cut), part(cut..3000)].concat(), want, "cut at {cut}");
    }
    // Numbers of more than 32 bits, aligned and not; up to the last that there is.
    for first_element in [(1 << 35) - 800, (1 << 40) + 3, (1 << 63) + 5, u64::MAX - 1600] {
        let op = dropout(Space::flat(1600), 0.5, Key { first_element, ..KEY });
        assert_eq!(mask(&session, &op), keeps(&op, first_element..first_element + 1600), "from {first_element}");
    }
}

#[test]
fn both_ends_of_p_are_exact_bit_by_bit() {
    let session = session();
    let odd = [0.0, -0.0, 1.5, -2.5, f32::from_bits(0x7fc1_2345), f32::from_bits(0xff80_0001), f32::INFINITY, f32::from_bits(1)];
    let x: Vec<f32> = odd.iter().cycle().take(1003).copied().collect();
    let half: Vec<u8> = x.iter().flat_map(|v| (v.to_bits() >> 16 | 1).to_le_bytes()[..2].to_vec()).collect();
    let len = x.len();
    for data in [HostData::F32(x), HostData::from_bytes(DType::F16, &half), HostData::from_bytes(DType::Bf16, &half)] {
        let dtype = data.dtype();
        for (p, training) in [(0.0, true), (1.0, false)] {
            let op = Dropout { dtype, training, mask: MaskMode::Recompute, ..dropout(Space::flat(len), p, KEY) };
            assert_eq!(session.run(&op, std::slice::from_ref(&data)).expect("it runs")[0].bytes(), data.bytes(), "{op:?} copies");
        }
        let zeros = vec![0; data.bytes().len()];
        for bits in [Bits::Sixteen, Bits::ThirtyTwo] {
            let op = Dropout { dtype, bits, ..dropout(Space::flat(len), 1.0, KEY) };
            let out = session.run(&op, std::slice::from_ref(&data)).expect("it runs");
            assert_eq!((out[0].bytes(), &out[1]), (&zeros[..], &HostData::U32(vec![0; 32])), "{op:?} drops all");
            let gradient = session.run(&op.backward(), &[data.clone(), out[1].clone()]).expect("it runs");
            assert_eq!(gradient[0].bytes(), zeros, "{op:?} stops the gradient");
        }
        // Between the ends, what is dropped is +0: of NaN, of infinity, of negative numbers.
        let op = Dropout { dtype, ..dropout(Space::flat(len), 0.5, KEY) };
        let out = session.run(&op, std::slice::from_ref(&data)).expect("it runs");
        let size = dtype.size() as usize;
        for (i, keep) in mask(&session, &op).into_iter().enumerate() {
            assert!(keep || out[0].bytes()[i * size..][..size].iter().all(|&b| b == 0), "{dtype:?}: element {i} is not +0");
        }
    }
}

/// The next training step, without planning or binding anew.
#[test]
fn a_plan_takes_another_key() {
    let session = session();
    let op = Dropout { mask: MaskMode::Recompute, ..dropout(Space::flat(5001), 0.5, KEY) };
    let (x, y) = (session.upload(&ones(&op)).expect("x"), session.empty(op.dtype, 5001).expect("y"));
    let plan = session.gpu().plan(&op).expect("a plan");
    let bound = plan.bind(&[x.slice(..)], &[y.slice(..)], None).expect("bound");
    for (step, p) in [(8, 0.5), (9, 0.25)] {
        let next = Dropout { key: Key { step, ..KEY }, p, ..op.clone() };
        plan.update(session.queue(), &next).expect("only scalars differ");
        let mut encoder = session.device().create_command_encoder(&Default::default());
        bound.record(&mut encoder.begin_compute_pass(&Default::default()));
        session.queue().submit([encoder.finish()]);
        let got = session.download(&y, op.dtype, 5001).expect("y").to_f64();
        assert!(got.iter().map(|&y| y != 0.0).eq(keeps(&next, 0..5001)), "step {step}");
    }
    let copies = Dropout { p: 0.0, ..op };
    assert!(plan.update(session.queue(), &copies).is_err(), "other dispatches need another plan");
}

/// On a GPU lanes draw for one another, also where each has several pairs of quads.
#[test]
fn lanes_side_by_side_wait_for_one_another() {
    let rig = common::rig();
    for quads in [1, 3] {
        let mut caps = common::strained(&rig, false, 64, 128 << 20);
        caps.quads = quads;
        for len in [1, 515, 512 * 7 + 4] {
            common::in_both_orders(&rig, &Dropout::new(DType::F32, Space::flat(len), 0.4, KEY), &caps);
        }
    }
}
