//! What is promised of group norm beyond the cross-check: accurate statistics, whatever the channels of a group have in common, and
//! short loops at any size.
use crate::common::{self, entries};
use ridgepole::{Caps, DType, HostData, Layout, MAX_TRIPS, Rng, Session, Space, Verify, cpu, ops::*, wgpu};

/// How far each variance is off, relatively, by way of 1/√σ² (ε = 0), whose rounding is less than 4e-7 of it.
fn worst(session: &Session, space: Space, groups: usize, x: &[f32]) -> f64 {
    let op = GroupNorm { eps: 0.0, weight: false, bias: false, ..GroupNorm::new(DType::F32, space, groups) };
    let out = session.run(&op, &[HostData::F32(x.to_vec())]).expect("it runs");
    let (rstd, per) = (out[2].to_f64(), space.c / groups);
    let mut worst = 0.0;
    for (line, rstd) in rstd.iter().enumerate() {
        let (n, g) = (line / groups, line % groups);
        let places = (g * per..(g + 1) * per).flat_map(|c| (0..space.s).map(move |s| space.offset(n, c, s)));
        let [_, variance] = cpu::moments(&places.map(|i| f64::from(x[i])).collect::<Vec<_>>());
        worst = f64::max(worst, (1.0 / (rstd * rstd) / variance - 1.0).abs());
    }
    worst
}

/// Values of each channel: mean and half the width of what is drawn about it.
fn lay(space: Space, of: impl Fn(usize) -> (f64, f64)) -> Vec<f32> {
    let (mut x, mut rng) = (vec![0.0; space.len()], Rng::new(31));
    for n in 0..space.n {
        for c in 0..space.c {
            let (mean, width) = of(c);
            for s in 0..space.s {
                x[space.offset(n, c, s)] = (mean + width * (2.0 * rng.unit() - 1.0)) as f32;
            }
        }
    }
    x
}

/// Mean and deviation of the channel with this number.
type Channel = fn(usize) -> (f64, f64);

#[test]
fn variances_are_right_to_1e_6_whatever_the_channels_of_a_group_are() {
    let session = Session::new().expect("an adapter");
    for layout in [Layout::ChannelsFirst, Layout::ChannelsLast] {
        for (n, c, s, groups) in [(2, 8, 4096, 2), (3, 12, 49, 3), (2, 1024, 3, 1), (5, 64, 1, 4), (1, 6, 20_001, 2)] {
            let space = Space { n, c, s, layout };
            let kinds: [(&str, Channel); 6] = [
                ("about 0", |_| (0.0, 1.0)),
                ("about 1e4", |_| (1e4, 1.0)),
                ("about 1e6", |_| (1e6, 1.0)),
                ("one of four channels at 1e6", |c| (if c % 4 == 1 { 1e6 } else { 0.0 }, 1.0)),
                ("each channel elsewhere", |c| (1e3 * c as f64, 1e-3)),
                ("one of four channels 1e6 times as wide", |c| (3.0, if c % 4 == 2 { 1e6 } else { 1.0 })),
            ];
            for (name, of) in kinds {
                let off = worst(&session, space, groups, &lay(space, of));
                println!("{space:?}, {groups} groups, {name}: {off:.1e}");
                assert!(off <= 1e-6, "{space:?}, {groups} groups, {name}: a variance is {off:e} (relative) off");
            }
        }
    }
}

#[test]
fn one_group_is_layer_norm_and_constant_groups_have_no_variance() {
    let session = Session::new().expect("an adapter");
    for layout in [Layout::ChannelsFirst, Layout::ChannelsLast] {
        let space = Space { n: 3, c: 8, s: 5, layout };
        let x = HostData::F32(lay(space, |c| (c as f64, 2.0)));
        let plain = GroupNorm { weight: false, bias: false, ..GroupNorm::new(DType::F32, space, 1) };
        let rows = LayerNorm { weight: false, bias: false, ..LayerNorm::new(DType::F32, 3, 40) };
        let [a, b] = [&plain as &dyn Verify, &rows].map(|op| session.run(op, std::slice::from_ref(&x)).expect("it runs"));
        for (a, b) in a.iter().zip(&b) {
            let far = a.to_f64().iter().zip(b.to_f64()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(far <= 1e-5, "{space:?}: {far:e} between one group and a row");
        }
        let op = GroupNorm { eps: 0.0, weight: false, ..GroupNorm::new(DType::F32, space, 2) };
        let bias: Vec<f32> = (0..8).map(|c| c as f32).collect();
        let out = session.run(&op, &[HostData::F32(vec![0.1; 120]), HostData::F32(bias)]).expect("it runs");
        let y = out[0].to_f64();
        assert!((0..120).all(|i| y[space.offset(i / 40, i / 5 % 8, i % 5)] == (i / 5 % 8) as f64), "{space:?}: β alone");
        assert!(out[1].to_f64().iter().all(|m| *m == f64::from(0.1f32)) && out[2].to_f64().iter().all(|r| *r == 0.0));
    }
}

/// Group norm, and its gradients but for that of the bias.
fn both(space: Space, groups: usize) -> [Box<dyn Verify>; 2] {
    let backward = GroupNormBackward::from(GroupNorm { bias: false, ..GroupNorm::new(DType::F32, space, groups) });
    [Box::new(GroupNorm::new(DType::F32, space, groups)), Box::new(backward)]
}

#[test]
fn groups_that_fit_a_workgroup_take_one_dispatch() {
    let caps = |cpu| if cpu { common::plain_cpu() } else { common::plain_gpu() };
    // The shape, and whether forward and backward fit on a GPU and on a CPU, which wants lines for many cores.
    for ((n, c, s), groups, [gpu, gpu_back, cpu, cpu_back]) in [
        ((8, 64, 3136), 32, [true; 4]),
        ((8, 320, 1024), 32, [true, false, true, true]),
        ((3, 64, 256), 32, [true, true, false, false]),
        // Quads with values of two channels: no sums of channels.
        ((8, 512, 49), 32, [true, false, true, false]),
        ((80, 1024, 1), 2, [true, false, true, false]),
        // More channels than lanes.
        ((64, 600, 4), 2, [true, false, true, true]),
        // No whole quads; too long.
        ((5, 12, 5), 4, [false; 4]),
        ((2, 4, 8196), 2, [false; 4]),
    ] {
        let space = Space::channels_first(n, c, s);
        for (cpu, fit) in [(false, [gpu, gpu_back]), (true, [cpu, cpu_back])] {
            let want: [&[&str]; 2] = [&["row_forward"], &["line_backward", "column_gradients"]];
            for ((op, fits), want) in both(space, groups).iter().zip(fit).zip(want) {
                let got = entries(op.as_ref(), &caps(cpu));
                assert_eq!(got == want, fits, "{op:?}, cpu {cpu}: {got:?}");
            }
        }
        let plain =
            GroupNormBackward::from(GroupNorm { weight: false, bias: false, ..GroupNorm::new(DType::F32, space, groups) });
        assert_eq!(entries(&plain, &caps(true)) == ["line_backward"], cpu_back, "{plain:?}");
        let last = Space::channels_last(n, c, s);
        assert!(s == 1 || both(last, groups).iter().all(|op| entries(op.as_ref(), &caps(false)).len() > 2));
    }
}

/// As for rows, in rows.rs: workgroups of shapes that this device has none of by itself, whose turns and trees need every
/// barrier, or a lane for each line; the last of them with lines missing, and bindings that hold a part of the lines.
#[test]
fn turns_and_windows_of_wide_workgroups() {
    let rig = common::rig();
    let caps = |cpu, lanes, limit| common::strained(&rig, cpu, lanes, limit);
    let (whole, parts) = (128 << 20, 1 << 19);
    for (caps, (n, c, s), groups) in [
        (caps(true, 64, whole), (259, 20, 16), 4),
        (caps(true, 64, whole), (1030, 7, 12), 1),
        (caps(false, 256, whole), (51, 12, 64), 4),
        (caps(false, 256, parts), (103, 24, 64), 4),
    ] {
        for op in both(Space::channels_first(n, c, s), groups) {
            let entries = entries(op.as_ref(), &caps);
            let on_chip = entries.iter().filter(|e| ["row_forward", "line_backward"].contains(e)).count();
            assert!(on_chip > 0, "{op:?}: {entries:?}");
            assert_eq!(on_chip > 1, caps.limits.max_storage_buffer_binding_size == parts, "{op:?}: {entries:?}");
            common::in_both_orders(&rig, op.as_ref(), &caps);
        }
    }
}

#[test]
fn trips_stay_short_and_grids_fit_at_any_size() {
    for (cpu, layout) in [
        (false, Layout::ChannelsFirst),
        (false, Layout::ChannelsLast),
        (true, Layout::ChannelsFirst),
        (true, Layout::ChannelsLast),
    ] {
        let mut caps = Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), cpu);
        caps.limits.max_storage_buffer_binding_size = 1 << 31;
        for ((n, c, s), groups) in [
            ((8, 1024, 3136), 1),
            ((8, 1024, 12_544), 1),
            ((1, 64, 262_144), 32),
            ((2, 32, 65_535), 4),
            ((4096, 1024, 1), 1),
            ((8192, 1024, 1), 32),
            ((2, 4096, 3136), 1),
            ((1, 65_536, 4), 2),
        ] {
            let space = Space { n, c, s, layout };
            let both: [Box<dyn Verify>; 2] = [
                Box::new(GroupNorm::new(DType::F16, space, groups)),
                Box::new(GroupNormBackward::new(DType::F16, space, groups)),
            ];
            for op in both {
                let steps = op.lower(&caps).unwrap_or_else(|e| panic!("{op:?}: {e}")).into_steps();
                assert!(steps.iter().all(|s| s.trips <= MAX_TRIPS && s.grid(&caps).is_some()), "{op:?}");
            }
        }
    }
}
