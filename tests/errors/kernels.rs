//! Kernels of a user's own: what is written for them, and what they may not write themselves.
use crate::common::{plain_gpu, rig};
use ridgepole::{
    Arg, Caps, DType, Error, Gpu, Lowered, Op, Portable, Step, params,
    wgsl::{Decl, Source, Spec, View},
};

params! { OwnParams { factor: f32 } }

/// Writes four elements with this kernel.
#[derive(Clone, Debug)]
struct Own(&'static str);

impl Op for Own {
    fn name(&self) -> &'static str {
        "own"
    }
    fn args(&self) -> Vec<Arg> {
        vec![Arg::write("y", DType::F32, 4)]
    }
    fn lower(&self, _: &Caps) -> Result<Lowered, Error> {
        let mut out = Lowered::default();
        out.push(Step {
            spec: Spec {
                shader: Source { name: "tests/own", text: self.0 },
                entry: "own",
                parts: vec![],
                bindings: vec![Decl { name: "y", dtype: DType::F32, view: View::Quads, writes: true }],
                consts: vec![],
            },
            params: OwnParams { factor: 2.0 }.into(),
            slots: vec![ridgepole::Slot::Arg(0, 0..16)],
            workgroups: 1,
            trips: 0,
        });
        Ok(out)
    }
}

const KERNEL: &str = "// struct Params is written by the host, var<uniform> params too.
@compute @workgroup_size(1)
fn own() { y_store(0u, vec4<f32>(params.factor)); }
";

fn planned(text: &'static str) -> Result<(), Error> {
    Gpu::new(&rig().device).plan(&Own(text)).map(drop)
}

#[test]
fn parameters_declared_by_the_kernel() {
    planned(KERNEL).expect("what a comment says is no declaration");
    let declared = [
        "struct  Params{ factor: f32 }\n@group(0) @binding(0) var<uniform> params: Params;\n",
        "struct Params { factor: f32 }\n",
        "struct Mine { factor: f32 }\n@group(0) @binding(0) var<uniform> mine: Mine;\n",
    ];
    for head in declared {
        let text: &'static str = format!("{head}{KERNEL}").leak();
        let want = "own: `tests/own` declares its parameters, `struct Params` or a `var<uniform>`: leave both out, they are written \
                    from the host's `params!`";
        assert_eq!(planned(text).expect_err("declared twice").to_string(), want);
        assert_eq!(Portable::new(&Own(text), &plain_gpu()).expect_err("declared twice").to_string(), want);
    }
}

#[test]
fn a_parameter_that_the_host_does_not_declare() {
    let text: &'static str = KERNEL.replace("params.factor", "params.facter").leak();
    let Err(Error::Device { what, message }) = planned(text) else { panic!("must be refused by wgpu") };
    assert_eq!(what, "tests/own");
    assert!(message.contains("facter") && message.contains("y_store(0u, vec4<f32>(params.facter))"), "{message}");
}
