//! What holds for every op that a device accepts.
use crate::{fuzz::within, scalars::bounds::OPEN};
use ridgepole::{Access, Arg, Caps, Error, Expected, HostData, Lowered, Op, Slot, Step, Verify, check};
use std::ops::Range;

/// Checks that what an op lowered to can be recorded and stays within its buffers. A step that the plan refuses by name, such as one
/// with too many buffers or loop trips for this device, is no fault.
///
/// # Errors
/// Which promise is broken, and by which step.
pub fn lowered(args: &[Arg], lowered: &Lowered, caps: &Caps) -> Result<(), String> {
    let first_written = args.iter().position(|a| a.access != Access::Read).unwrap_or(args.len());
    if args[first_written..].iter().any(|a| a.access == Access::Read) {
        return Err(format!("an argument that is read comes after one that is written: {args:?}"));
    }
    let mut written: Vec<Vec<Range<u64>>> = vec![vec![]; args.len()];
    for step in lowered.steps() {
        one(args, lowered, caps, step, &mut written).map_err(|why| format!("{why}: {step:?}"))?;
    }
    for (arg, written) in args.iter().zip(written) {
        if arg.access == Access::Write && gap(written, arg.bytes()) {
            return Err(format!("part of an output is bound by no step: {arg:?}"));
        }
    }
    Ok(())
}

/// Tables up to this size are always made.
const MADE: u64 = 32 << 20;

fn one(args: &[Arg], lowered: &Lowered, caps: &Caps, step: &Step, written: &mut [Vec<Range<u64>>]) -> Result<(), String> {
    let limits = &caps.limits;
    if step.workgroups == 0 {
        return Err("a step without workgroups".into());
    }
    if let Some(grid) = step.grid(caps) {
        let most = grid.iter().any(|n| *n > limits.max_compute_workgroups_per_dimension || *n == 0);
        let count: u128 = grid.iter().map(|n| u128::from(*n)).product();
        if most || count < u128::from(step.workgroups) {
            return Err(format!("the grid is {grid:?}"));
        }
    }
    let words = step.params.fields.len() * 4;
    if step.params.bytes.len() != words.next_multiple_of(16) || words > 65536 {
        return Err(format!("{} bytes of parameters", step.params.bytes.len()));
    }
    if let (Some(lo), Some(hi)) = (word(step, "lo"), word(step, "hi"))
        && lo >= hi
    {
        return Err("an empty range of quads".into());
    }
    for (name, value) in &step.spec.consts {
        if *name == "WG" && (*value == 0 || *value > limits.max_compute_invocations_per_workgroup) {
            return Err("a workgroup of the wrong size".into());
        }
    }
    if step.slots.len() != step.spec.bindings.len() {
        return Err("other bindings than slots".into());
    }
    for (i, (slot, decl)) in step.slots.iter().zip(&step.spec.bindings).enumerate() {
        let (range, size) = match slot {
            Slot::Arg(arg, range) => {
                let of = args.get(*arg).ok_or("no such argument")?;
                if decl.writes && of.access == Access::Read {
                    return Err("writes to what is only read".into());
                }
                if decl.writes {
                    written[*arg].push(range.clone());
                }
                (range, of.binding_bytes())
            }
            Slot::Scratch(range) => (range, lowered.scratch_bytes()),
            Slot::Table(range) if decl.writes => return Err(format!("writes to a table, {range:?}")),
            // Too large to be bound, or for the host: it is not made, and the plan says so.
            Slot::Table(range) if range.end - range.start > limits.max_storage_buffer_binding_size.min(MADE) => continue,
            Slot::Table(range) => (range, lowered.tables().len() as u64),
        };
        if range.start >= range.end || range.end > size || range.start % caps.alignment() != 0 || range.end % 4 != 0 {
            return Err(format!("slot {i} is outside its buffer of {size} bytes, empty or not aligned"));
        }
        for (other, its) in step.slots.iter().zip(&step.spec.bindings).take(i) {
            clash(slot, other, decl.writes, its.writes, caps).map_err(|why| format!("slot {i} {why}"))?;
        }
    }
    Ok(())
}

/// Two bindings of one buffer: both written, in different places; or, of a buffer that is not pooled, both read.
fn clash(a: &Slot, b: &Slot, a_writes: bool, b_writes: bool, caps: &Caps) -> Result<(), String> {
    let (a, b) = match (a, b) {
        (Slot::Arg(i, a), Slot::Arg(j, b)) if i == j => (a, b),
        (Slot::Scratch(a), Slot::Scratch(b)) => (a, b),
        _ => return Ok(()),
    };
    if !a_writes && !b_writes {
        return Ok(());
    }
    if a.start < b.end && b.start < a.end {
        return Err("overlaps another, and one of them writes".into());
    }
    if a_writes != b_writes && !caps.pooled {
        return Err("is of a buffer that is read and written in one dispatch".into());
    }
    Ok(())
}

fn word(step: &Step, name: &str) -> Option<u32> {
    let at = step.params.fields.iter().position(|(n, ty)| *n == name && *ty == "u32")?;
    Some(u32::from_le_bytes(step.params.bytes[4 * at..4 * at + 4].try_into().expect("four bytes")))
}

/// Whether these ranges leave some of the first bytes out.
fn gap(mut ranges: Vec<Range<u64>>, bytes: u64) -> bool {
    ranges.sort_by_key(|r| r.start);
    let end = ranges.iter().fold(0, |end, r| if r.start <= end { end.max(r.end) } else { end });
    end < bytes
}

/// Checks what the reference says of the written arguments, in what it may take of memory. With `ordered` data, which are not any
/// words, no bound is infinite but where `OPEN` says so. Says whether it had enough memory.
///
/// # Errors
/// Which promise is broken.
pub fn reference(op: &dyn Verify, args: &[Arg], data: &[HostData], ordered: bool) -> Result<&'static str, String> {
    let wanted: Vec<&Arg> = args.iter().filter(|a| a.access != Access::Read).collect();
    let rounded = match check::reference(op, data) {
        Ok(rounded) => rounded,
        Err(Error::HostMemory { .. }) => return Ok(" no memory"),
        Err(e) => return Err(format!("an error of another kind: {e:?}")),
    };
    let right = |(a, d): (&&Arg, &HostData)| d.len() == a.len && d.dtype() == a.dtype;
    if rounded.len() != wanted.len() || !wanted.iter().zip(&rounded).all(right) {
        return Err("results of another number, length or type".into());
    }
    // Loops over nothing may be long: nobody asks for them.
    if wanted.iter().all(|a| a.len == 0) {
        return Ok(" nothing");
    }
    let results = within(op.reference_bytes(), || op.reference(data));
    if results.len() != wanted.len() {
        return Err(format!("the reference has {} results of {}", results.len(), wanted.len()));
    }
    let open = !ordered || OPEN.iter().any(|(name, _)| *name == op.name());
    for (arg, result) in wanted.into_iter().zip(results) {
        match result {
            Expected::Exact(data) if data.len() == arg.len && data.dtype() == arg.dtype => {}
            Expected::Within { value, bound } if value.len() == arg.len && bound.len() == arg.len => {
                let none = |b: f64| b.is_nan() || b < 0.0 || b.is_infinite() && !open;
                let wrong = |(v, b): (&f64, &f64)| arg.dtype.nearest(*v).is_finite() && none(*b);
                if let Some(i) = value.iter().zip(&bound).position(wrong) {
                    let what = if bound[i].is_infinite() { "an infinite bound" } else { "a bound that is none" };
                    return Err(format!("{what}: `{}`, element {i}: {:e} ± {:e}", arg.name, value[i], bound[i]));
                }
            }
            _ => return Err(format!("a result of another length or type: `{}`", arg.name)),
        }
    }
    Ok(" computed")
}

#[test]
fn each_promise_is_seen_broken() {
    use ridgepole::{DType, ElasticNet, Segment, ops::Prox, wgpu};
    let caps = Caps::new(wgpu::Limits::default(), wgpu::Features::empty(), true);
    let op = Prox { dtype: DType::F16, segments: Segment::one(9999), groups: vec![ElasticNet::l1(0.5)], step: 1.0 };
    let (args, right) = (op.args(), op.lower(&caps).expect("right"));
    let broken = |change: &dyn Fn(&mut Vec<Step>)| {
        let mut steps = right.steps().to_vec();
        change(&mut steps);
        let mut out = Lowered::default();
        out.scratch(right.scratch_bytes(), &caps);
        out.table(right.tables(), &caps);
        steps.into_iter().for_each(|step| out.push(step));
        lowered(&args, &out, &caps)
            .err()
            .map_or_else(String::new, |why| why.split(": Step").next().unwrap_or_default().to_string())
    };
    assert_eq!(broken(&|_| ()), "");
    let first = |change: &dyn Fn(&mut Step)| broken(&|steps| change(&mut steps[0]));
    assert_eq!(first(&|s| s.workgroups = 0), "a step without workgroups");
    assert_eq!(first(&|s| s.params.bytes.truncate(16)), "16 bytes of parameters");
    assert_eq!(first(&|s| s.spec.consts[0].1 = 100_000), "a workgroup of the wrong size");
    assert_eq!(first(&|s| s.slots.truncate(1)), "other bindings than slots");
    assert_eq!(first(&|s| s.slots[0] = Slot::Arg(9, 0..4)), "no such argument");
    let outside = |slot: Slot| first(&|s| s.slots[0] = slot.clone());
    for slot in [Slot::Arg(0, 0..20_004), Slot::Arg(0, 4..8), Slot::Arg(0, 256..256), Slot::Arg(0, 0..2)] {
        assert!(outside(slot.clone()).contains("outside its buffer"), "{slot:?}: {}", outside(slot.clone()));
    }
    let writes = right.steps()[0].spec.bindings.iter().position(|b| b.writes).expect("it writes");
    assert!(first(&|s| s.slots[writes] = Slot::Table(0..16)).starts_with("writes to a table"));
    assert!(first(&|s| s.slots[writes] = Slot::Scratch(0..1 << 20)).contains("outside its buffer"));
    assert_eq!(first(&|s| s.slots[1] = s.slots[0].clone()), "slot 1 overlaps another, and one of them writes");
    let empty = |s: &mut Step| {
        let lo = s.params.fields.iter().position(|f| f.0 == "lo").expect("a range of quads");
        s.params.bytes[4 * lo..4 * lo + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    };
    assert_eq!(first(&empty), "an empty range of quads");
    // The count of zeros is written last.
    assert!(broken(&|steps| drop(steps.pop())).starts_with("part of an output is bound by no step"));
}
