//! An op as data for a device that this crate does not drive: another version of wgpu, Dawn, a browser, a program in C++ or JavaScript.
//!
//! [`Portable`] has all that such a host needs, in a few lists of numbers and texts, and is JSON by [`Portable::to_json`], by `ridgepole
//! lower OP.json` and by `examples/lower.rs`. Field names are those of the structs here:
//!
//! ```json
//! {
//!   "ridgepole": "0.1.0", "op": "penalty_grad", "device": { "limits": { "max_storage_buffer_binding_size": 134217728 } },
//!   "alignment": 256,
//!   "args": [
//!     { "name": "weight", "access": "read", "dtype": "f32", "len": 3, "bytes": 12 },
//!     { "name": "grad", "access": "update", "dtype": "f32", "len": 3, "bytes": 12 }
//!   ],
//!   "scratch": 0,
//!   "tables": [0, 1056964608],
//!   "pipelines": [{
//!     "kernel": "penalties/penalty_grad", "entry": "penalty_grad", "constants": { "WG": 256 },
//!     "params": [["first", "u32"], ["blocks", "u32"]],
//!     "bindings": [
//!       { "name": "params", "access": "uniform" },
//!       { "name": "weight", "access": "read" },
//!       { "name": "grad", "access": "read_write" }
//!     ],
//!     "wgsl": "struct Params ..."
//!   }],
//!   "steps": [{
//!     "pipeline": 0, "uniform": [0, 1, 0, 1],
//!     "bindings": [
//!       { "buffer": "arg", "name": "weight", "offset": 0, "size": 12 },
//!       { "buffer": "arg", "name": "grad", "offset": 0, "size": 12 }
//!     ],
//!     "grid": [1, 1, 1]
//!   }]
//! }
//! ```
//!
//! A host does this:
//!
//! 1. It makes a storage buffer of `bytes` for each of `args`, one of `scratch` bytes if that is not 0, and one with the words of `tables`
//!    if there are any. Scratch may hold anything at first.
//! 2. It makes a compute pipeline of each of `pipelines`, with one bind group layout: binding 0 is the uniform buffer, binding 1 and those
//!    that follow are storage buffers, `read` ones read-only.
//! 3. For each of `steps`, in order, it makes a uniform buffer with the words of `uniform`, binds it as binding 0 and the step's
//!    `bindings` as bindings 1, 2, ... of group 0, and dispatches `grid` workgroups. One compute pass may hold them all: WebGPU makes each
//!    dispatch see what the ones before it wrote.
//!
//! Words are 32-bit and little-endian in the buffers. Halves lie two to a word, the first in the low bits. The device must allow what
//! `device` claims, and its subgroups, if `device` has the feature, must have sizes in `device.subgroup`.
use super::{Access, Arg, Caps, Lowered, Op, Slot, Step};
use crate::{
    types::{DType, Error},
    wgsl::{Spec, compose},
};
use serde::{Serialize, Serializer};
use std::collections::HashMap;

/// An op for a device that this crate does not drive. See [the module](self) for what a host does with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Portable {
    /// The version of this crate. Kernels and their parameters may differ between versions.
    pub ridgepole: &'static str,
    /// The op.
    pub op: &'static str,
    /// What the device is taken to be able to do.
    pub device: Caps,
    /// Where a binding may start: at multiples of so many bytes. Arguments need it where they share a buffer.
    pub alignment: u64,
    /// The buffers: those read first, then those written or updated.
    pub args: Vec<Buffer>,
    /// Bytes of scratch.
    pub scratch: u64,
    /// Constants that steps read, as 32-bit words.
    pub tables: Vec<u32>,
    /// What to compile, each once.
    pub pipelines: Vec<Pipeline>,
    /// The dispatches, in order. None for an empty tensor.
    pub steps: Vec<Dispatch>,
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Buffer {
    /// Its name.
    pub name: &'static str,
    /// `read`, `write` (every element is written) or `update` (read and written).
    #[serde(serialize_with = "access")]
    pub access: Access,
    /// How its elements are stored: `f32`, `f16`, `bf16` or `u32`.
    pub dtype: DType,
    /// The number of elements.
    pub len: u64,
    /// Bytes that a buffer for it has at least: whole words.
    pub bytes: u64,
}

/// A compute pipeline.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Pipeline {
    /// The kernel's file, for messages.
    pub kernel: &'static str,
    /// The entry point.
    pub entry: &'static str,
    /// Values of `override` declarations. In JSON an object.
    #[serde(serialize_with = "object")]
    pub constants: Vec<(&'static str, u32)>,
    /// Name and type of each word of the uniform buffer; zeros fill its last row of four.
    pub params: Vec<(&'static str, &'static str)>,
    /// Bindings 0, 1, ... of group 0.
    pub bindings: Vec<Binding>,
    /// The whole text of the module.
    pub wgsl: String,
}

/// A binding of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Binding {
    /// Its name in the kernel.
    pub name: &'static str,
    /// `uniform`, or `read` or `read_write` of a storage buffer.
    pub access: &'static str,
}

/// A dispatch.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Dispatch {
    /// The index of its pipeline.
    pub pipeline: usize,
    /// What binding 0 holds, as 32-bit words.
    pub uniform: Vec<u32>,
    /// Bindings 1, 2, ... of group 0.
    pub bindings: Vec<Place>,
    /// Workgroups in each dimension. Long rows are wrapped, and what is too much in the last one does nothing.
    pub grid: [u32; 3],
}

/// Bytes of a buffer. In JSON, `buffer` says which: `arg`, `scratch` or `tables`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "buffer", rename_all = "lowercase")]
pub enum Place {
    /// Of an argument.
    Arg {
        /// The argument's name.
        name: &'static str,
        /// The first byte.
        offset: u64,
        /// How many.
        size: u64,
    },
    /// Of scratch.
    Scratch {
        /// The first byte.
        offset: u64,
        /// How many.
        size: u64,
    },
    /// Of the tables.
    Tables {
        /// The first byte.
        offset: u64,
        /// How many.
        size: u64,
    },
}

impl Portable {
    /// Lowers `op` for a device that can do what `caps` says, and composes its texts.
    ///
    /// # Errors
    /// Those of `Gpu::plan`: all that can be wrong with the op's fields on such a device.
    pub fn new(op: &dyn Op, caps: &Caps) -> Result<Self, Error> {
        let caps = caps.clone().addressed();
        let (args, name) = (op.args(), op.name());
        let lowered = op.lower(&caps)?;
        lowered.check(name, &caps)?;
        let Lowered { steps, scratch, tables, .. } = lowered;
        let (mut pipelines, mut known, mut dispatches) = (Vec::new(), HashMap::new(), Vec::with_capacity(steps.len()));
        for step in steps {
            let grid = step.dispatched(name, &caps)?;
            let place = |slot: &Slot| match slot {
                Slot::Arg(i, r) => Place::Arg { name: args[*i].name, offset: r.start, size: r.end - r.start },
                Slot::Scratch(r) => Place::Scratch { offset: r.start, size: r.end - r.start },
                Slot::Table(r) => Place::Tables { offset: r.start, size: r.end - r.start },
            };
            let (bindings, uniform) = (step.slots.iter().map(place).collect(), words(&step.params.bytes));
            let Step { spec, params, .. } = step;
            let pipeline = *known.entry((spec, params.fields)).or_insert_with_key(|(spec, fields)| {
                pipelines.push(Pipeline::new(spec, fields, &caps));
                pipelines.len() - 1
            });
            dispatches.push(Dispatch { pipeline, uniform, bindings, grid });
        }
        let buffer =
            |a: &Arg| Buffer { name: a.name, access: a.access, dtype: a.dtype, len: a.len as u64, bytes: a.binding_bytes() };
        Ok(Self {
            ridgepole: env!("CARGO_PKG_VERSION"),
            op: name,
            alignment: caps.alignment(),
            device: caps,
            args: args.iter().map(buffer).collect(),
            scratch,
            tables: words(&tables),
            pipelines,
            steps: dispatches,
        })
    }

    /// As JSON, in one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts, under keys that are texts")
    }
}

impl Pipeline {
    fn new(spec: &Spec, fields: &[(&'static str, &'static str)], caps: &Caps) -> Self {
        let wgsl = compose(spec, fields, caps.pooled);
        let storage = spec
            .bindings
            .iter()
            .map(|decl| Binding { name: decl.name, access: if decl.writes || caps.pooled { "read_write" } else { "read" } });
        Self {
            kernel: spec.shader.name,
            entry: spec.entry,
            constants: overrides(spec, &wgsl, caps.reverse_lanes, caps.cpu),
            params: fields.to_vec(),
            bindings: std::iter::once(Binding { name: "params", access: "uniform" }).chain(storage).collect(),
            wgsl,
        }
    }
}

/// The values of a module's `override` declarations on such a device.
pub(crate) fn overrides(spec: &Spec, text: &str, reverse_lanes: bool, cpu: bool) -> Vec<(&'static str, u32)> {
    let mut values = spec.consts.clone();
    if reverse_lanes {
        values.push(("REVERSE_LANES", 1));
    }
    // Lanes of a software device wait for each other on both ways.
    if !cpu && text.contains("override BRANCHES") {
        values.push(("BRANCHES", 1));
    }
    values
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

fn access<S: Serializer>(of: &Access, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(match of {
        Access::Read => "read",
        Access::Write => "write",
        Access::Update => "update",
    })
}

fn object<S: Serializer>(of: &[(&'static str, u32)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(of.iter().copied())
}
