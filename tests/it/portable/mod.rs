//! Lowered ops as JSON: all that another host needs, and nothing that only this crate knows.
mod host;

use crate::common::{plain_cpu, plain_gpu, session};
use host::Host;
use ridgepole::*;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Runs an op as `Session` does and as a stranger does with its JSON, on the same data. Says what was in the JSON.
fn compared(host: &Host, session: &Session, caps: &Caps, op: &dyn Verify, seed: u64) -> Portable {
    let (args, mut rng) = (op.args(), Rng::new(seed));
    let data: Vec<HostData> = args.iter().map(|a| op.fill(a, &mut rng, Pattern::Ordinary)).collect();
    let inputs: Vec<HostData> =
        args.iter().zip(&data).filter(|(a, _)| a.access != Access::Write).map(|(_, d)| d.clone()).collect();
    let want = session.run(op, &inputs).unwrap_or_else(|e| panic!("{op:?}: {e}"));
    let portable = Portable::new(op, caps).unwrap_or_else(|e| panic!("{op:?}: {e}"));
    let before = args.iter().zip(&data).map(|(a, d)| {
        // What is written holds anything.
        let bytes = if a.access == Access::Write { vec![0xff; d.bytes().len()] } else { d.bytes().to_vec() };
        (a.name.to_string(), bytes)
    });
    let got = host.run(&portable.to_json(), &before.collect::<HashMap<_, _>>());
    let written = args.iter().filter(|a| a.access != Access::Read);
    for (arg, want) in written.zip(want) {
        assert!(got[arg.name][..want.bytes().len()] == *want.bytes(), "{op:?}: `{}` differs", arg.name);
    }
    portable
}

/// Of each op the case whose JSON says most.
fn telling(caps: &Caps) -> Vec<Box<dyn Verify>> {
    let told = |op: &dyn Verify| {
        let Ok(of) = Portable::new(op, caps) else { return (0, 0, 0) };
        (of.pipelines.len(), of.steps.len(), of.tables.len() + of.scratch as usize)
    };
    ops::all().map(|e| (e.cases)().into_iter().max_by_key(|op| told(op.as_ref())).expect("a case")).collect()
}

#[test]
fn a_stranger_gets_the_bits_that_a_session_gets() {
    let host = Host::new();
    let own = session().gpu().caps().clone();
    // The device as it is; as one of WebGPU's, with a grid that is wrapped and small bindings; and with all buffers in one.
    let mut web = if own.cpu { plain_cpu() } else { plain_gpu() };
    (web.fold, web.limits.max_storage_buffer_binding_size) = (2, 1 << 16);
    let mut pooled = own.clone();
    pooled.pooled = true;
    let mut seen = BTreeSet::new();
    for (which, caps) in [own, web, pooled].into_iter().enumerate() {
        let session = session().with_caps(caps.clone());
        for (i, op) in telling(&caps).into_iter().enumerate().filter(|(i, _)| i % 3 == which) {
            let of = compared(&host, &session, &caps, op.as_ref(), i as u64);
            let mut note = |what, is| {
                if is {
                    seen.insert(what);
                }
            };
            note("steps", of.steps.len() > of.pipelines.len() && of.pipelines.len() > 1);
            note("scratch", of.scratch > 0);
            note("tables", !of.tables.is_empty());
            note("wrapped", of.steps.iter().any(|s| s.grid[1] > 1));
            note("in place", of.args.iter().any(|a| a.access == Access::Update));
            note("words", of.args.iter().any(|a| a.access == Access::Write && a.dtype == DType::U32));
            note("halves", of.args.iter().any(|a| a.dtype.size() == 2));
            note(
                "windows",
                of.steps.iter().any(|s| s.bindings.iter().any(|b| matches!(b, op::portable::Place::Arg { offset: 1.., .. }))),
            );
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["halves", "in place", "scratch", "steps", "tables", "windows", "words", "wrapped"]
    );
}

/// Each part of the JSON matters: with another one, the comparison above fails.
#[test]
fn what_the_json_says_is_used() {
    let (host, caps) = (Host::new(), plain_gpu());
    let groups = vec![ElasticNet { l1: 0.25, l2: 0.5, ..ElasticNet::NONE }, ElasticNet::l1(2.0)];
    let segments = Segment::pack(&[5, 3000], 4).into_iter().enumerate().map(|(i, s)| Segment { group: i, ..s }).collect();
    let op = ops::Penalty { dtype: DType::F32, segments, groups, per: Per::default() };
    let weight = HostData::F32((0..3008).map(|i| (i % 7) as f32 - 2.5).collect());
    let of = Portable::new(&op, &caps).unwrap();
    let run = |of: &Value| {
        let before = of["args"].as_array().unwrap().iter().map(|a| {
            let name = a["name"].as_str().unwrap();
            (name.to_string(), if name == "weight" { weight.bytes().to_vec() } else { vec![0xff; 4] })
        });
        host.run(&of.to_string(), &before.collect())["value"].clone()
    };
    let right: Value = serde_json::from_str(&of.to_json()).unwrap();
    let want = run(&right);
    assert_eq!(want[..4], *session().with_caps(caps).run(&op, std::slice::from_ref(&weight)).unwrap()[0].bytes());
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut other = right.clone();
        change(&mut other);
        assert_ne!(other, right);
        run(&other)
    };
    assert_ne!(changed(&|of| of["tables"].as_array_mut().unwrap().iter_mut().for_each(|w| *w = 0.into())), want, "tables");
    assert_ne!(changed(&|of| of["steps"].as_array_mut().unwrap().reverse()), want, "the order of steps");
    assert_ne!(changed(&|of| drop(of["steps"].as_array_mut().unwrap().remove(0))), want, "a step");
    assert_ne!(
        changed(&|of| of["steps"][0]["uniform"].as_array_mut().unwrap().iter_mut().for_each(|w| *w = 0.into())),
        want,
        "uniform"
    );
    assert_ne!(changed(&|of| of["steps"][0]["grid"] = serde_json::json!([1, 0, 1])), want, "the grid");
}

/// Without a device: whatever an op lowers to, its JSON is complete by itself.
#[test]
fn the_json_of_every_case_is_complete() {
    for caps in [plain_gpu(), plain_cpu()] {
        let mut texts: HashMap<String, (BTreeSet<String>, usize)> = HashMap::new();
        for op in ops::all().flat_map(|e| (e.cases)()) {
            let of: Value = serde_json::from_str(&Portable::new(op.as_ref(), &caps).expect("valid").to_json()).expect("JSON");
            let args: HashMap<&str, &Value> =
                of["args"].as_array().unwrap().iter().map(|a| (a["name"].as_str().unwrap(), a)).collect();
            let lowered = op.lower(&caps).expect("valid");
            assert_eq!(args.len(), op.args().len(), "{op:?}: names are names");
            assert_eq!(of["tables"].as_array().unwrap().len() * 4, lowered.tables().len());
            assert_eq!(of["steps"].as_array().unwrap().len(), lowered.steps().len());
            for (step, lowered) in of["steps"].as_array().unwrap().iter().zip(lowered.steps()) {
                let pipeline = &of["pipelines"][step["pipeline"].as_u64().unwrap() as usize];
                let text = pipeline["wgsl"].as_str().unwrap();
                let (declared, bindings) = texts.entry(text.to_string()).or_insert_with(|| declarations(text));
                assert_eq!(*bindings, pipeline["bindings"].as_array().unwrap().len(), "{op:?}");
                assert_eq!(*bindings, 1 + step["bindings"].as_array().unwrap().len(), "{op:?}");
                // What an API would refuse: a value for what the text does not declare.
                for name in pipeline["constants"].as_object().unwrap().keys() {
                    assert!(declared.contains(name), "{op:?}: `override {name}` is not in {}", pipeline["kernel"]);
                }
                let uniform = step["uniform"].as_array().unwrap();
                assert_eq!((uniform.len() % 4, uniform.len() * 4), (0, lowered.params.bytes.len()), "{op:?}");
                assert!(pipeline["params"].as_array().unwrap().len() <= uniform.len());
                for place in step["bindings"].as_array().unwrap() {
                    let end = place["offset"].as_u64().unwrap() + place["size"].as_u64().unwrap();
                    let room = match place["buffer"].as_str().unwrap() {
                        "arg" => args[place["name"].as_str().unwrap()]["bytes"].as_u64().unwrap(),
                        "scratch" => of["scratch"].as_u64().unwrap(),
                        "tables" => 4 * of["tables"].as_array().unwrap().len() as u64,
                        other => panic!("{other}"),
                    };
                    assert!(end <= room && place["size"] != 0, "{op:?}: {place}");
                }
            }
        }
        assert!(texts.len() > 300, "{} texts", texts.len());
    }
}

/// The `override` names of a text, and how many bindings it declares.
fn declarations(text: &str) -> (BTreeSet<String>, usize) {
    let module = naga::front::wgsl::parse_str(text).unwrap_or_else(|e| panic!("{}", e.emit_to_string(text)));
    let names = module.overrides.iter().filter_map(|(_, o)| o.name.clone()).collect();
    (names, module.global_variables.iter().filter(|(_, v)| v.binding.is_some()).count())
}

#[test]
fn the_example_on_the_page_is_an_op() {
    let op = ops::PenaltyGrad::new(DType::F32, Segment::one(3), vec![ElasticNet::l1(0.5)]);
    let of = Portable::new(&op, &plain_gpu()).unwrap();
    let got: Value = serde_json::from_str(&of.to_json()).unwrap();
    let page = include_str!("../../../src/op/portable.rs");
    let said = page.lines().skip_while(|l| *l != "//! ```json").skip(1).take_while(|l| *l != "//! ```");
    let said: Value = serde_json::from_str(&said.map(|l| l.trim_start_matches("//!")).collect::<String>()).expect("JSON");
    // The page has the same keys, everywhere; of long values it has the beginning.
    fn keys(said: &Value, got: &Value, place: &str) {
        match (said, got) {
            (Value::Object(a), Value::Object(b)) if place.contains(".device") || place.ends_with(".constants") => {
                a.iter().for_each(|(k, v)| keys(v, b.get(k).unwrap_or_else(|| panic!("{place}.{k}")), &format!("{place}.{k}")));
            }
            (Value::Object(a), Value::Object(b)) => {
                assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{place}");
                a.iter().for_each(|(k, v)| keys(v, &b[k], &format!("{place}.{k}")));
            }
            (Value::Array(a), Value::Array(b)) if a.iter().all(Value::is_object) => {
                a.iter().zip(b).for_each(|(a, b)| keys(a, b, &format!("{place}[]")));
            }
            _ => assert_eq!(std::mem::discriminant(said), std::mem::discriminant(got), "{place}"),
        }
    }
    keys(&said, &got, "op");
    assert_eq!((&got["args"], &got["scratch"], &got["op"]), (&said["args"], &said["scratch"], &said["op"]));
    assert_eq!(got["device"], serde_json::to_value(plain_gpu()).unwrap());
}

#[test]
fn refusals_are_those_of_a_plan() {
    let gpu = session();
    let mut caps = gpu.gpu().caps().clone();
    (caps.fold, caps.limits.max_compute_workgroups_per_dimension) = (2, 2);
    let gpu = gpu.with_caps(caps.clone());
    let arena = ops::PenaltyGrad::new(DType::F32, Segment::one(1 << 22), vec![ElasticNet::l1(0.5)]);
    let mut wrong = arena.clone();
    wrong.groups = vec![ElasticNet::l1(-1.0)];
    let mut narrow = caps.clone();
    narrow.limits.max_storage_buffers_per_shader_stage = 1;
    let small = ops::PenaltyGrad::new(DType::F32, Segment::one(8), vec![ElasticNet::l1(0.5)]);
    for (op, caps) in [(&arena, &caps), (&wrong, &caps), (&small, &narrow)] {
        let plan = gpu.gpu().restricted(caps.clone()).plan(op).err().expect("refused");
        assert_eq!(Portable::new(op, caps).expect_err("refused"), plan);
    }
    // What is more than kernels can number is not claimed.
    let mut vast = plain_gpu();
    vast.limits.max_storage_buffer_binding_size = 1 << 40;
    assert_eq!(Portable::new(&small, &vast).unwrap().device.limits.max_storage_buffer_binding_size, u64::from(u32::MAX));
}
