//! Regularization kernels of deep learning for every GPU that [wgpu](https://wgpu.rs) reaches: dropout, batch norm and its
//! relatives, L1, L2 and elastic-net penalties, proximal steps, gradient transforms, and optimizers that have penalty and
//! proximal step in the same pass. Kernels are WGSL; they run on Vulkan, Metal, DirectX 12 and WebGPU.
//!
//! An op is a plain struct of shapes, types and scalars, such as [`ops::Prox`]. It runs in one of two ways: a [`Session`]
//! uploads, runs and downloads, or a [`Gpu`] adopts your device and records the op's dispatches into your own compute pass. The
//! crate has no tensor type, no automatic differentiation and no layers.
//!
//! # Example: run an op
//!
//! [`Session::run`] takes what the op reads and returns what it writes, as [`HostData`]. Here, two elements of a weight become
//! exactly zero, and are counted on the GPU:
//!
//! ```
//! use ridgepole::{DType, ElasticNet, HostData, Segment, Session, ops::Prox};
//!
//! let session = Session::new()?;
//! // A proximal step of size 1 with λ1 = 0.25: soft thresholding.
//! let op = Prox { dtype: DType::F32, segments: Segment::one(4), groups: vec![ElasticNet::l1(0.25)], step: 1.0 };
//! let out = session.run(&op, &[vec![0.125, -2.0, 0.5, -0.25].into()])?;
//! assert_eq!(out, [HostData::F32(vec![0.0, -1.75, 0.25, 0.0]), HostData::U32(vec![2])]);
//! # Ok::<(), ridgepole::Error>(())
//! ```
//!
//! # Example: your own device, buffers and compute pass
//!
//! Adopt the device once, plan an op once, bind buffers once; then record every step, between your own commands. [`Gpu::plan`]
//! checks the op and compiles its pipelines, [`Plan::bind`] takes the buffers that are read and those that are written, and
//! [`Bound::record`] allocates nothing and submits nothing. [`Plan::update`] changes scalars, such as a learning rate, between
//! steps.
//!
//! ```
//! use ridgepole::{DType, ElasticNet, Gpu, Segment, ops::PenaltyGrad, readback, wgpu};
//! # use wgpu::util::DeviceExt;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
//! # let adapter = pollster::block_on(wgpu::util::initialize_adapter_from_env_or_default(&instance, None))?;
//! # let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()))?;
//! # let buffer = |values: &[f32]| {
//! #     device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
//! #         label: None,
//! #         contents: bytemuck::cast_slice(values),
//! #         usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
//! #     })
//! # };
//! # let (weight, grad) = (buffer(&[0.5, -2.0, 0.0]), buffer(&[0.0, 1.0, 2.0]));
//!
//! // Once. `device` and `queue` are yours, and so are the storage buffers `weight` and `grad`.
//! let gpu = Gpu::new(&device);
//! let op = PenaltyGrad::new(DType::F32, Segment::one(3), vec![ElasticNet::l1(0.5)]);
//! let plan = gpu.plan(&op)?;
//! let penalty = plan.bind(&[weight.slice(..)], &[grad.slice(..)], None)?;
//!
//! // Every step.
//! let mut encoder = device.create_command_encoder(&Default::default());
//! {
//!     let mut pass = encoder.begin_compute_pass(&Default::default());
//!     penalty.record(&mut pass);
//! }
//! queue.submit([encoder.finish()]);
//!
//! // `grad` was [0, 1, 2] and `weight` is [0.5, -2, 0]: 0.5·sign(w) has been added.
//! let bytes = readback::read(&device, &queue, &grad, 12)?;
//! assert_eq!(bytemuck::pod_collect_to_vec::<u8, f32>(&bytes), [0.5, 0.5, 2.0]);
//! # Ok(())
//! # }
//! ```
//!
//! The program `examples/hello.rs` does the same in full, beside a kernel of its own.
//!
//! # Where things are
//!
//! | names | what they are |
//! |---|---|
//! | [`ops`] | every op, a page per family, and the ops table, which lists them |
//! | [`Session`] | the convenient way: a device of its own |
//! | [`Gpu`], [`Plan`], [`Bound`] | your device, an op compiled for it, an op with its buffers |
//! | [`DType`], [`HostData`], [`Segment`], [`Space`], [`Layout`] | storage types, data on the host, tensors of an arena, shapes of activations |
//! | [`options`] | values of the ops' fields: [`ElasticNet`], [`Group`], [`Key`], [`Share`], [`Activation`], [`Running`] and others |
//! | [`Op`], [`Arg`], [`Lowered`], [`Step`], [`Caps`] | what an op is: implement [`Op`] to add your own, and [`Verify`] to have it checked; `examples/custom_op.rs` shows how |
//! | [`Portable`] | an op as texts, byte ranges and grids, or as JSON, for a device that this crate does not drive |
//! | [`cpu`] | a reference of every op in f64, written to be read |
//! | [`check`] | the cross-check: any op on your device against its reference |
//! | [`bench`](mod@bench) | timing, beside a copy of as many bytes on the same device |
//! | [`readback`] | copies a buffer to the host |
//! | [`wgsl`] | how the text of a shader is composed, and its parts |
//! | [`partition`], [`reduce`] | for ops of your own: how a tensor is cut into dispatches, how partial results are merged |
//!
//! Names at the root are also on the pages of the modules that they belong to: [`types`], [`op`], [`options`], [`device`] and
//! [`verify`].
//!
//! The families of ops:
//!
//! - [`ops::penalties`]: value, gradient and proximal step of L1, L2, elastic net and group lasso; soft orthogonality
//! - [`ops::constraints`]: maximum, unit and min-max norm, non-negativity, box, L2 ball
//! - [`ops::transforms`]: gradient clipping, centralization, noise, loss scaling
//! - [`ops::optimizers`]: SGD, Adam and AMSGrad, AdamW, Lion, RMSprop, Adagrad and FTRL
//! - [`ops::averaging`]: exponential and stochastic weight averages; SAM and ASAM
//! - [`ops::dropouts`]: dropout and its relatives, alone or fused with bias, activation, residual and norm
//! - [`ops::norms`]: batch, group, instance, layer, RMS, local response, weight and spectral norm
//! - [`ops::losses`]: cross-entropy, squared, absolute and Huber error, with their gradients
//! - [`ops::linear`]: FISTA and duality gaps for batches of linear and logistic models
//! - [`ops::batched`]: many small networks trained side by side, early stopping, bootstrap samples
//! - [`ops::mixing`]: mixup, CutMix, cutout and random erasing
//!
//! # Storage types
//!
//! Tensors are stored as f32, f16 or bf16 ([`DType`]) on every device, without a device feature: halves travel two to a 32-bit
//! word. Linear and batched models are f32 only. Arithmetic is f32. Tensors may have any length, including zero. Most ops process
//! a buffer larger than the device's binding limit in windows, with the same result; where an op must bind a buffer whole,
//! [`Gpu::plan`] answers with [`Error::Unsupported`] if it is too large.
//!
//! # Determinism
//!
//! Two runs of an op on one device give equal bits. Random masks and numbers come from Philox4x32-10, a counter-based generator:
//! a decision depends on the [`Key`] (seed, stream and step) and on the element's index, and on nothing else: not on the device,
//! the layout, the storage type or the size of a workgroup. So masks are equal on all devices; floats agree within
//! twice the error bound that an op's reference states for each element.
//!
//! # Errors
//!
//! Whatever a caller, a device or a driver can cause is an [`Error`]. [`Gpu::plan`] checks every field of an op and
//! [`Plan::bind`] every buffer before anything is recorded; the message names the argument, its value and what is allowed. A
//! mistake of this crate itself, an invalid shader for example, panics.
//!
//! # Platforms
//!
//! Linux, Windows and macOS natively, and wasm32 in a browser with WebGPU. On wasm32, [`Session`], [`check`],
//! [`bench`](mod@bench) and [`readback`] are absent, since they wait for the device. OpenGL is not compiled in: name wgpu's feature
//! `gles` to have it.
//!
//! # Cargo features
//!
//! All are on by default. A program that computes with a few ops takes their families and its back end, and compiles a fraction:
//!
//! ```toml
//! ridgepole = { version = "0.1", default-features = false, features = ["optimizers", "dropouts", "vulkan"] }
//! ```
//!
//! | feature | what it brings |
//! |---|---|
//! | `penalties`, `constraints`, `transforms`, `optimizers`, `averaging`, `dropouts`, `norms`, `losses`, `linear`, `batched`, `mixing` | the family of ops of this name. `dropouts` brings `norms`, since one of its ops is a norm behind a dropout |
//! | `families` | all families |
//! | `verify` | what proves ops: [`Verify`], the references ([`cpu`]) and error bounds ([`verify`]), cases; with `wgpu-30` also [`check`] and [`bench`](mod@bench). An op runs without it |
//! | `wgpu-30` | [`Gpu`], [`Session`], [`readback`]: all that works on a device of wgpu 30, and wgpu itself |
//! | `vulkan`, `metal`, `dx12`, `webgpu` | wgpu's back ends of these names, each on the systems that have it |
//! | `parking_lot` | wgpu's feature of this name, its faster locks |
//!
//! A program that chooses wgpu's features itself adds none of ours to them:
//!
//! ```toml
//! ridgepole = { version = "0.1", default-features = false, features = ["families", "wgpu-30"] }
//! ```
//!
//! [`ops::FAMILIES`] lists what is compiled in. [`ops::from_json`] says which feature has an op that is not.
//!
//! Without `wgpu-30` the crate needs no wgpu. It still describes ops, lowers them, composes their text, sizes bindings, scratch and grids, and has
//! with `verify` the references and what compares with them: enough for a host with another wgpu, for Dawn and C++, for JavaScript.
//! [`Portable`] is all of that for one op; `examples/lower.rs` and `ridgepole lower OP.json` print it as JSON.
//!
//! A program's wgpu must be the one that this crate has, since a [`Gpu`] adopts the program's device. ridgepole 0.1 has wgpu 30.
//!
//! # Limits
//!
//! - There is no f64 on the GPU, and no integer quantization.
//! - A tensor or arena has at most 2^34 - 4 elements. Tensors of an arena start at multiples of four elements.
//! - A buffer that an op writes must not be one that it reads, unless the device is adopted with [`Caps::pooled`] set
//!   ([`Gpu::with_caps`]); then disjoint ranges of one buffer are allowed.
//!
//! # Guides
//!
//! In the repository: `docs/ops.md`, the table of ops with formulas, kernels and references; `docs/tutorial.md`, one op from its
//! formula to merged code; `docs/design.md`, the decisions; `docs/numerics.md`, where the error bounds come from;
//! `docs/performance.md`, what was measured; `docs/program.md`, the program `ridgepole`, which checks and times ops and runs
//! studies on your data.
#![warn(missing_docs)]
#![deny(unsafe_code)]
// `whole`, which the build script sets, is every family and `verify`. Where some are left out, helpers and imports of the rest have no user:
// they make no machine code, and an attribute at each would be wrong with every change of its users. In the whole crate, which all checks
// compile, the compiler names what nobody uses.
#![cfg_attr(not(whole), allow(dead_code, unused_imports, unused_macros))]
// On docs.rs, what only some targets have says so.
#![cfg_attr(docsrs, feature(doc_cfg))]
// Pages link to what wasm32 has not, and what the crate has not without wgpu, a family or verification.
#![cfg_attr(any(target_arch = "wasm32", not(whole), not(feature = "wgpu-30")), allow(rustdoc::broken_intra_doc_links))]

// The storeys, from the ground up: types, wgsl, op, options, device and verify, kernels and check, ops, bench. A file imports from
// storeys below its own; `tests/layers` holds that.
#[cfg(all(feature = "verify", feature = "wgpu-30", not(target_arch = "wasm32")))]
pub mod bench;
#[cfg(all(feature = "verify", feature = "wgpu-30", not(target_arch = "wasm32")))]
pub mod check;
#[cfg(feature = "wgpu-30")]
pub mod device;
mod kernels;
pub mod op;
pub mod ops;
pub mod options;
pub mod types;
#[cfg(feature = "verify")]
pub mod verify;
pub mod wgsl;

// What every user needs.
#[cfg(feature = "wgpu-30")]
pub use device::{Bound, Gpu, Plan};
#[cfg(all(feature = "wgpu-30", not(target_arch = "wasm32")))]
pub use device::{Session, readback};
pub use op::{Access, Arg, ByName, Caps, Contents, Cost, Features, Limits, Lowered, MAX_TRIPS, Op, Params, Portable, Slot, Step};
#[cfg(feature = "verify")]
pub use op::{Expected, Pattern, Rng, Verify};
pub use types::{DType, Error, HostData, Layout, Segment, Space};
#[cfg(feature = "verify")]
pub use verify::{Approx, reference as cpu};
#[cfg(feature = "wgpu-30")]
pub use wgpu;

// The values of fields: their pages are in `options`.
#[doc(no_inline)]
pub use options::{
    Activation, AlphaForm, Averaging, BatchedLossKind, Bits, Blend, ClipForm, Cut, DecayMode, ElasticNet, EpsPlace, Erasing,
    FilterAxis, Group, GroupPenalty, GroupWeighting, Holes, HuberForm, Key, L2Form, Lambda, LinearModel, LossReduction, MaskMode,
    Matrix, MaxNormForm, NoiseLevel, NonFinite, NonFiniteNorm, OneValue, OrthogonalSide, Partners, Per, Rect, Rounding, RowNorm,
    Running, RunningUpdate, RunningVariance, Scaling, Share, SquareForm, Targets, Unit, Warmup, WeightForm,
};

// For ops of a user's own: how tensors are cut into dispatches, and how partial results are merged.
pub use kernels::{partition, reduce};

// Names of earlier versions.
#[doc(hidden)]
pub use kernels::{partition as tile, reduce as fold};
#[doc(hidden)]
pub use options::{OrthogonalSide as Gram, filters, mixing};
#[doc(hidden)]
pub mod segment {
    pub use crate::{kernels::arena::Arena, op::check_float, types::Segment};
}

/// The README's example runs, too.
#[cfg(all(doctest, whole, feature = "wgpu-30"))]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
