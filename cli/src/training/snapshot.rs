//! A trainer's networks to the host and back.
use super::{State, trainer::Trainer};
use ridgepole::{DType, Error, HostData, wgpu};

impl Trainer<'_> {
    /// The networks' states, downloaded.
    ///
    /// # Errors
    /// What running reports.
    pub fn states(&mut self) -> Result<&[State], Error> {
        let (layout, models) = (&self.model.layout, self.members.len());
        let params = self.download(&self.model.params, layout.len)?;
        let moments = self.moments.iter().map(|b| self.download(b, layout.len)).collect::<Result<Vec<_>, _>>()?;
        let running = self.units(&self.model.running)?;
        let best = self.stopping.as_ref().map(|s| -> Result<_, Error> {
            Ok((self.download(&s.best, layout.len)?, self.units(&s.running)?, self.download(&s.state, 4 * models)?))
        });
        let best = best.transpose()?;
        let of = |units: &[Vec<f32>], m: usize| -> Vec<Vec<f32>> {
            units.iter().map(|u| u[m * u.len() / models..(m + 1) * u.len() / models].to_vec()).collect()
        };
        for (m, state) in self.states.iter_mut().enumerate() {
            state.epoch = self.epoch;
            state.params = layout.take(&params, m);
            state.moments = moments.iter().map(|b| layout.take(b, m)).collect();
            state.running = of(&running, m);
            if let Some((params, running, status)) = &best {
                state.best = Some((layout.take(params, m), of(running, m)));
                state.stopping = [0, 1, 2, 3].map(|i| status[i * models + m]);
                // It ran on to the end of the round, which does not belong to its curve.
                if let (true, Some(s)) = (state.stopped(), &self.stopping) {
                    state.curve.truncate(state.best_epoch() + s.patience as usize);
                }
            }
        }
        Ok(&self.states[..self.real])
    }

    /// Uploads the networks' states.
    pub(super) fn resume(&self) {
        let (layout, models) = (&self.model.layout, self.members.len());
        let queue = self.session.queue();
        let arena = |of: &dyn Fn(&State) -> Option<Vec<f32>>| {
            let mut arena = vec![0.0; layout.len];
            for (m, state) in self.states.iter().enumerate() {
                if let Some(values) = of(state) {
                    layout.put(&mut arena, m, &values);
                }
            }
            bytemuck::cast_slice(&arena).to_vec()
        };
        queue.write_buffer(&self.model.params, 0, &arena(&|s| Some(s.params.clone())));
        for (i, buffer) in self.moments.iter().enumerate() {
            queue.write_buffer(buffer, 0, &arena(&|s| s.moments.get(i).cloned()));
        }
        let units = |to: &[Option<[wgpu::Buffer; 2]>], of: &dyn Fn(&State) -> Vec<Vec<f32>>| {
            let all: Vec<_> = self.states.iter().map(of).collect();
            for (i, buffer) in to.iter().flatten().flatten().enumerate() {
                let side_by_side: Vec<f32> = all.iter().flat_map(|units| &units[i]).copied().collect();
                queue.write_buffer(buffer, 0, bytemuck::cast_slice(&side_by_side));
            }
        };
        units(&self.model.running, &|s| s.running.clone());
        if let Some(s) = &self.stopping {
            let best = |state: &State| state.best.clone().expect("with early stopping the best is kept");
            queue.write_buffer(&s.best, 0, &arena(&|s| Some(best(s).0)));
            units(&s.running, &|s| best(s).1);
            let status: Vec<f32> = (0..4).flat_map(|i| self.states.iter().map(move |s| s.stopping[i])).collect();
            debug_assert_eq!(status.len(), 4 * models);
            queue.write_buffer(&s.state, 0, bytemuck::cast_slice(&status));
        }
    }

    fn units(&self, buffers: &[Option<[wgpu::Buffer; 2]>]) -> Result<Vec<Vec<f32>>, Error> {
        let all = buffers.iter().flatten().flatten();
        all.map(|b| self.download(b, b.size() as usize / 4)).collect()
    }

    pub(super) fn download(&self, buffer: &wgpu::Buffer, len: usize) -> Result<Vec<f32>, Error> {
        match self.session.download(buffer, DType::F32, len)? {
            HostData::F32(values) => Ok(values),
            _ => unreachable!("downloaded as f32"),
        }
    }
}
