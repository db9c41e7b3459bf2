//! The dispatches.
use super::Orthogonality;
use crate::{
    kernels::{
        matmul::{Product, ProductShape},
        partition::{self, Window},
        reduce::{Monoid, Partials},
    },
    op::{Arg, Caps, Lowered, MAX_TRIPS, Slot, Step},
    params,
    types::{DType, Error},
    wgsl::{Decl, Source, Spec, View, parts},
};
use std::ops::Range;

params! { DeviationParams { blocks: u32, side: u32, quads: u32, chunks: u32, per_lane: u32, scale: f32 } }
params! { AddParams { window: Window, cols: u32, pitch: u32, scale: f32 } }

/// A Gram matrix in scratch, in parts that are to be added.
pub(crate) struct Chunks {
    range: Range<u64>,
    count: u64,
}

const QUAD: &str = "vec4<f32>";

fn quads(name: &'static str, writes: bool) -> Decl {
    Decl { name, dtype: DType::F32, view: View::Raw(QUAD), writes }
}

impl Orthogonality {
    fn bindable(&self, caps: &Caps, bytes: u128, what: &str) -> Result<(), Error> {
        let limit = caps.limits.max_storage_buffer_binding_size;
        if bytes.next_multiple_of(16) <= u128::from(limit) {
            return Ok(());
        }
        let why = format!("must bind {bytes} bytes of {what} at once, max_storage_buffer_binding_size is {limit}");
        Err(Error::unsupported(self.op, why))
    }

    /// Bytes of a Gram matrix in scratch, whose rows are whole quads.
    fn gram_bytes(&self) -> u128 {
        let side = self.side() as u128;
        side * side.next_multiple_of(4) * 4
    }

    /// Appends the dispatch that forms the Gram matrix; without values there is none.
    pub fn append_gram(&self, out: &mut Lowered, caps: &Caps, args: &[Arg]) -> Result<Chunks, Error> {
        let (side, inner) = (self.side() as u64, self.inner() as u64);
        self.bindable(caps, args[0].binding_bytes().into(), "the weight")?;
        let bytes = self.gram_bytes().max(16);
        self.bindable(caps, bytes, &format!("a Gram matrix of {side} x {side}"))?;
        let bytes = bytes as u64;
        let product = Product::cut(caps, [side, side, inner], caps.limits.max_storage_buffer_binding_size / bytes);
        let (count, trips) = (product.chunks, product.trips());
        let range = out.scratch(bytes * count.max(1), caps);
        if trips > MAX_TRIPS {
            let why =
                format!("sums of {inner} products for a Gram matrix of {side} x {side} are too long, {trips} trips of a loop");
            return Err(Error::unsupported(self.op, why));
        }
        if side > 0 && inner > 0 {
            let bindings = vec![self.weight(), quads("gram", true)];
            let slots = vec![Slot::Arg(0, 0..args[0].binding_bytes()), Slot::Scratch(range.clone())];
            out.steps.push(self.product(caps, vec![parts::penalties::MATRIX_GRAM], (bindings, slots), product, self.parts(0.0)));
        }
        Ok(Chunks { range, count })
    }

    fn weight(&self) -> Decl {
        Decl { name: "weight", dtype: self.dtype, view: View::Four(self.of.cols.is_multiple_of(4)), writes: false }
    }

    fn product(
        &self,
        caps: &Caps,
        parts: Vec<Source>,
        buffers: (Vec<Decl>, Vec<Slot>),
        product: Product,
        of: ProductShape,
    ) -> Step {
        // Along the rows of the weight: for the sums of a Gram matrix of rows, and of the weight times that of columns.
        let along = self.by_row() == (parts[0] == parts::penalties::MATRIX_GRAM);
        product.step(caps, parts, buffers, &[("ALONG", u32::from(along))], of)
    }

    fn parts(&self, scale: f32) -> ProductShape {
        ProductShape {
            height: self.of.rows as u32,
            width: self.of.cols as u32,
            quads: self.side().div_ceil(4) as u32,
            end: self.of.len() as u32,
            scale,
            ..ProductShape::default()
        }
    }

    /// A dispatch over the quads of the Gram matrix. Lanes take several, unless they have many chunks to add for each.
    fn deviations(&self, caps: &Caps, of: &Chunks, shader: Source, entry: &'static str) -> Step {
        let (side, quad_row) = (self.side() as u64, self.side().div_ceil(4) as u64);
        let per_lane = (1024 / of.count.max(1)).clamp(1, u64::from(caps.quads));
        let blocks = (side * quad_row).div_ceil(per_lane * u64::from(caps.lanes));
        let bindings = vec![quads("gram", true)];
        Step {
            spec: Spec { shader, entry, parts: vec![], bindings, consts: vec![("WG", caps.lanes)] },
            params: DeviationParams {
                blocks: blocks as u32,
                side: side as u32,
                quads: quad_row as u32,
                chunks: of.count as u32,
                per_lane: per_lane as u32,
                scale: self.lambda as f32,
            }
            .into(),
            slots: vec![Slot::Scratch(of.range.clone())],
            workgroups: blocks,
            trips: per_lane * (1 + of.count) + u64::from(caps.lanes.ilog2()),
        }
    }

    /// Appends the sum of squared deviations, into the argument with this index.
    pub fn append_value(&self, out: &mut Lowered, caps: &Caps, args: &[Arg], of: &Chunks, shader: Source) -> Result<(), Error> {
        let mut step = self.deviations(caps, of, shader, "orthogonal_penalty");
        let partials = Partials::new(self.op, out, caps, Monoid::SUM, 1, step.workgroups)?;
        step.spec.bindings.push(Monoid::SUM.decl("partials", true));
        step.slots.push(partials.slot());
        if step.workgroups > 0 {
            out.steps.push(step);
        }
        partials.into_arg(out, caps, 1, &args[1]);
        Ok(())
    }

    /// Appends grad += 4λ·(G - I)·W, or 4λ·W·(G - I).
    pub fn append_gradient(
        &self,
        out: &mut Lowered,
        caps: &Caps,
        args: &[Arg],
        of: &Chunks,
        shader: Source,
    ) -> Result<(), Error> {
        out.steps.push(self.deviations(caps, of, shader, "orthogonal_penalty_grad"));
        let (rows, cols, side) = (self.of.rows as u64, self.of.cols as u64, self.side() as u64);
        let scale = (4.0 * self.lambda) as f32;
        let factors = Product::whole([rows, cols, side]);
        let mut bindings = vec![self.weight(), quads("gram", false)];
        let whole = |i: usize| Slot::Arg(i, 0..args[i].binding_bytes());
        let mut slots = vec![whole(0), Slot::Scratch(of.range.clone())];
        if cols.is_multiple_of(4) {
            bindings.push(Decl { name: "grad", dtype: self.dtype, view: View::Quads, writes: true });
            slots.push(whole(1));
            let parts = vec![parts::penalties::MATRIX_DEVIATION, parts::penalties::MATRIX_ADD];
            out.steps.push(self.product(caps, parts, (bindings, slots), factors, self.parts(scale)));
            return Ok(());
        }
        // Quads of the gradient lie across its rows: by way of a product whose rows are whole quads. It lies behind the matrix, in
        // the same binding: of two ranges of scratch, one read and one written, a dispatch may have none.
        let pitch = cols.next_multiple_of(4);
        let product = out.scratch(4 * rows * pitch, caps);
        let both = of.range.start..product.end;
        self.bindable(caps, (both.end - both.start).into(), "a Gram matrix and a product")?;
        bindings[1] = quads("gram", true);
        slots[1] = Slot::Scratch(both.clone());
        let parts = vec![parts::penalties::MATRIX_DEVIATION, parts::penalties::MATRIX_KEEP];
        let of = ProductShape { product: ((product.start - both.start) / 16) as u32, ..self.parts(scale) };
        out.steps.push(self.product(caps, parts, (bindings, slots), factors, of));
        for piece in partition::flat(self.op, caps, args[1].len as u64, self.dtype.size(), u64::from(caps.lanes * caps.quads))? {
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::penalties::MATRIX_ADD_ROWS,
                    entry: "matrix_add_rows",
                    parts: vec![],
                    bindings: vec![
                        Decl { name: "grad", dtype: self.dtype, view: piece.view(), writes: true },
                        Decl { name: "product", dtype: DType::F32, view: View::Raw("f32"), writes: false },
                    ],
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: AddParams { window: piece.window(), cols: cols as u32, pitch: pitch as u32, scale }.into(),
                slots: vec![piece.slot(1, &args[1]), Slot::Scratch(product.clone())],
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads),
            });
        }
        Ok(())
    }
}
