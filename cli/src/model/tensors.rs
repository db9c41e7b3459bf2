//! The tensors of a network, in a safetensors file beside the JSON.
use super::{Layer, Network, Norm};
use crate::{Failure, data::Layout, input, seal, text};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::path::Path;

impl Layer {
    /// Its tensors: what each is called, its shape and its values.
    pub(super) fn tensors(&self) -> Vec<(&'static str, Vec<usize>, &[f32])> {
        let [inputs, outputs] = self.shape;
        let mut all = vec![("weight", vec![inputs, outputs], &self.weight[..])];
        all.extend(self.bias.as_ref().map(|bias| ("bias", vec![outputs], &bias[..])));
        if let Some(Norm { gamma, beta, mean, variance, .. }) = &self.norm {
            let units = [("gamma", gamma), ("beta", beta), ("mean", mean), ("variance", variance)];
            all.extend(units.map(|(name, values)| (name, vec![outputs], &values[..])));
        }
        all
    }
}

/// What a tensor of a layer is called in the file.
pub(super) fn name(layer: usize, tensor: &str) -> String {
    format!("layers.{layer}.{tensor}")
}

impl Network {
    /// The file of its tensors: the same bytes for the same network.
    pub(super) fn file(&self) -> Vec<u8> {
        let mut all: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (i, layer) in self.layers.iter().enumerate() {
            all.extend(
                layer.tensors().into_iter().map(|(tensor, shape, values)| {
                    (name(i, tensor), shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
                }),
            );
        }
        let views = all.iter().map(|(name, shape, bytes)| {
            (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as long as its shape"))
        });
        safetensors::serialize(views, None).expect("tensors of memory have a header")
    }
}

/// The bytes of a file of tensors that has this hash.
///
/// # Errors
/// [`Failure::Usage`] if it cannot be read, is too long, or is another.
pub(super) fn bytes(path: &Path, hash: &str, layout: &Layout) -> Result<Vec<u8>, Failure> {
    match std::fs::metadata(path) {
        // A pipe or a device would be waited for, or would never end.
        Ok(found) if !found.is_file() => return Err(Failure::file("read", path, "it is no file")),
        _ => {}
    }
    let bytes = input::plain(path, layout.limit(), crate::data::Format::RAISE)?;
    let found = seal::digest(&bytes);
    if found != hash {
        return Err(Failure::usage(format!(
            "{}: its SHA-256 is {found}, and that of the model's tensors is {}: it is damaged, or of another model",
            text::path(path),
            text::visible(hash)
        )));
    }
    Ok(bytes)
}

/// A tensor of this name and shape.
///
/// # Errors
/// Says what is there instead.
pub(super) fn tensor(file: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
    let tensor = file.tensor(name).map_err(|_| format!("has no tensor {}", text::quoted(name)))?;
    if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
        return Err(format!(
            "tensor {} is {:?} of shape {:?}, must be F32 of shape {shape:?}",
            text::quoted(name),
            tensor.dtype(),
            tensor.shape()
        ));
    }
    let values: Vec<f32> = tensor.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(format!("tensor {} has {} at place {at}, must be finite", text::quoted(name), values[at])),
        None => Ok(values),
    }
}
