//! The dispatches of the three stages.
use super::{Cut, Units};
use crate::{
    kernels::{
        arena::ArenaWindow,
        partition::Window,
        reduce::{Monoid, Partials},
    },
    op::{Arg, Caps, Lowered, Slot, Step},
    params,
    types::{DType, Error},
    wgsl::{Decl, Source, Spec, View, parts},
};
use std::ops::Range;

params! { UnitPartialsParams { matrices: u32, first: u32, blocks: u32, base: u32, end: u32 } }
params! { UnitCoefsParams { matrices: u32, blocks: u32, partials: u32, coefs: u32, beside: u32 } }
params! { UnitMapParams { window: ArenaWindow, units: u32 } }

const TABLE: Decl = Decl { name: "table", dtype: DType::U32, view: View::Raw("vec4<u32>"), writes: false };

/// What the second stage leaves for each unit, and how.
pub(crate) struct Coefs {
    /// A kernel file that uses `lib/unitwise/coefs`, or that itself.
    pub shader: Source,
    /// What fills its open names, but for `coef_store`.
    pub parts: Vec<Source>,
    /// What an earlier second stage left, if it is read too.
    pub norms: Option<Partials>,
}

impl Coefs {
    /// By a kernel file of an op.
    pub fn by(shader: Source) -> Self {
        Self { shader, parts: vec![], norms: None }
    }

    /// By this part of the library.
    pub fn part(part: Source) -> Self {
        Self { parts: vec![part], ..Self::by(parts::unitwise::COEFS) }
    }
}

/// What the map changes, and how.
pub(crate) struct Map {
    /// A kernel file that uses `lib/unitwise/map`.
    pub shader: Source,
    /// The argument that is updated.
    pub target: usize,
    /// Arguments that are read beside it, element by element.
    pub reads: Vec<(&'static str, usize)>,
}

impl Units<'_> {
    fn arg(&self) -> Arg {
        Arg::update("x", self.dtype, self.len())
    }

    /// The first stage, over argument `arg`; `visit` names what is summed.
    pub fn partials(
        &self,
        caps: &Caps,
        out: &mut Lowered,
        (cut, table): (&Cut, &Range<u64>),
        arg: usize,
        visit: Source,
    ) -> Result<Partials, Error> {
        let partials = Partials::new(self.name, out, caps, Monoid::SUM4, 1, cut.partials)?;
        let x = Decl { name: "x", dtype: self.dtype, view: View::Four(cut.aligned), writes: false };
        for piece in cut.pieces(self.name, caps, self.dtype.size())? {
            let Window { first, blocks, base, end, .. } = piece.window();
            out.steps.push(Step {
                spec: Spec {
                    shader: parts::unitwise::PARTIALS,
                    entry: "unit_partials",
                    parts: vec![visit],
                    bindings: vec![x, TABLE, partials.monoid.decl("partials", true)],
                    consts: vec![("WG", caps.lanes)],
                },
                params: UnitPartialsParams { matrices: cut.matrices(), first, blocks, base, end }.into(),
                slots: vec![piece.slot(arg, &self.arg()), Slot::Table(table.clone()), partials.slot()],
                workgroups: piece.workgroups(),
                trips: cut.trips[0] + 32 + 4 + u64::from(caps.lanes.ilog2()),
            });
        }
        Ok(partials)
    }

    /// The second stage: one f32 for each unit.
    pub fn coefs(
        &self,
        caps: &Caps,
        out: &mut Lowered,
        cut: (&Cut, &Range<u64>),
        partials: &Partials,
        how: &Coefs,
    ) -> Result<Partials, Error> {
        let coefs = Partials::new(self.name, out, caps, Monoid::SUM, 1, cut.0.units)?;
        self.second(caps, out, cut, (partials, &coefs, how.norms.as_ref()), how, parts::unitwise::COEF_KEEP)?;
        Ok(coefs)
    }

    /// The same, and a 1 for each unit whose coefficient is 0, to be counted.
    pub fn counted_coefs(
        &self,
        caps: &Caps,
        out: &mut Lowered,
        cut: (&Cut, &Range<u64>),
        partials: &Partials,
        how: &Coefs,
    ) -> Result<[Partials; 2], Error> {
        let coefs = Partials::new(self.name, out, caps, Monoid::SUM, 1, cut.0.units)?;
        let zeros = Partials::new(self.name, out, caps, Monoid::COUNT, 1, cut.0.units)?;
        self.second(caps, out, cut, (partials, &coefs, Some(&zeros)), how, parts::unitwise::COEF_COUNT)?;
        Ok([coefs, zeros])
    }

    /// All that is read and written lies in scratch, which is one buffer: hence one binding, from the first to the last of it.
    fn second(
        &self,
        caps: &Caps,
        out: &mut Lowered,
        (cut, table): (&Cut, &Range<u64>),
        (partials, coefs, beside): (&Partials, &Partials, Option<&Partials>),
        how: &Coefs,
        store: Source,
    ) -> Result<(), Error> {
        if cut.units == 0 {
            return Ok(());
        }
        let all = [partials, coefs, beside.unwrap_or(coefs)].map(|p| p.range.clone());
        let start = all.iter().map(|r| r.start).min().unwrap_or(0);
        let end = all.iter().map(|r| r.end).max().unwrap_or(0);
        if end - start > caps.limits.max_storage_buffer_binding_size {
            return Err(Error::unsupported(
                self.name,
                format!(
                    "needs to bind {} bytes of partial results of {} rows or columns at once, max_storage_buffer_binding_size is {}",
                    end - start,
                    cut.units,
                    caps.limits.max_storage_buffer_binding_size
                ),
            ));
        }
        let [partials, coefs, beside] = all.map(|r| ((r.start - start) / 4) as u32);
        let scratch = Decl { name: "scratch", dtype: DType::U32, view: View::Raw("u32"), writes: true };
        out.steps.push(Step {
            spec: Spec {
                shader: how.shader,
                entry: "unit_coefs",
                parts: how.parts.iter().copied().chain([store]).collect(),
                bindings: vec![scratch, TABLE],
                consts: vec![("WG", caps.lanes)],
            },
            params: UnitCoefsParams { matrices: cut.matrices(), blocks: cut.unit_blocks as u32, partials, coefs, beside }.into(),
            slots: vec![Slot::Scratch(start..end), Slot::Table(table.clone())],
            workgroups: cut.unit_blocks,
            trips: cut.trips[1] + 32 + u64::from(caps.lanes.ilog2()),
        });
        Ok(())
    }

    /// The last stage. `table` is that of [`Cut::map_table`].
    pub fn map(
        &self,
        caps: &Caps,
        out: &mut Lowered,
        (cut, table): (&Cut, &Range<u64>),
        coefs: &Partials,
        map: &Map,
    ) -> Result<(), Error> {
        for piece in cut.arena.pieces(self.name, caps, self.dtype.size())? {
            let decl = |name, writes| Decl { name, dtype: self.dtype, view: piece.view(), writes };
            let mut bindings = vec![decl("x", true)];
            let mut slots = vec![piece.slot(map.target, &self.arg())];
            for (name, arg) in &map.reads {
                bindings.push(decl(*name, false));
                slots.push(piece.slot(*arg, &self.arg()));
            }
            bindings.push(TABLE);
            bindings.push(Decl { name: "coefs", dtype: DType::F32, view: View::Elements, writes: false });
            slots.extend([Slot::Table(table.clone()), coefs.slot()]);
            out.steps.push(Step {
                spec: Spec {
                    shader: map.shader,
                    entry: "unit_map",
                    parts: vec![],
                    bindings,
                    consts: vec![("WG", caps.lanes), ("QUADS", caps.quads)],
                },
                params: UnitMapParams { window: cut.arena.window(&piece), units: cut.units as u32 }.into(),
                slots,
                workgroups: piece.workgroups(),
                trips: u64::from(caps.quads) + 32,
            });
        }
        Ok(())
    }
}
