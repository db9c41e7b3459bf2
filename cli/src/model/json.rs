//! The files of a model.
use super::{JSON, Kind, Linear, Model, Network, TENSORS, tensors};
use crate::{
    data::{Column, Holds},
    glm::Family,
    seal, text, timing,
};
use serde_json::{Value, json};

/// What the JSON says that it is.
pub(super) const FORMAT: &str = "ridgepole-model";
/// The version of the format: it changes where an earlier reader would read wrongly.
pub(super) const VERSION: u64 = 1;
/// What stands behind all layers but the last.
pub(super) const ACTIVATION: &str = "relu";

/// What a family is called.
pub(super) fn word(family: Family) -> &'static str {
    match family {
        Family::Linear => "linear",
        Family::Logistic => "logistic",
    }
}

impl Model {
    /// The files, by name: the JSON, and the tensors of a network. The same bytes for the same model.
    pub fn files(&self) -> Vec<(&'static str, Vec<u8>)> {
        let mut all = json!({
            "format": FORMAT,
            "version": VERSION,
            "program": format!("ridgepole {}", timing::version()),
            "data": self.data,
            "fitted": self.fitted,
            "missing": self.missing,
            "columns": self.columns.iter().map(column).collect::<Vec<_>>(),
            "left_out": self.left_out,
            "features": (0..self.features.len()).map(|i| self.feature(i)).collect::<Vec<_>>(),
            "target": { "name": self.target, "classes": self.classes },
        });
        let mut files = Vec::new();
        match &self.kind {
            Kind::Linear(linear) => all["linear"] = path(linear),
            Kind::Network(network) => {
                let bytes = network.file();
                all["network"] = layers(network, &bytes);
                files.push((TENSORS, bytes));
            }
        }
        files.insert(0, (JSON, text::json(&all).into_bytes()));
        files
    }

    fn feature(&self, i: usize) -> Value {
        let mut one = json!({ "name": self.names[i], "column": self.features[i].column, "mean": self.means[i] });
        if let Some(level) = self.features[i].level {
            one["level"] = level.into();
        }
        if let Kind::Network(network) = &self.kind {
            one["scale"] = network.scales[i].into();
        }
        one
    }
}

fn column(column: &Column) -> Value {
    match &column.holds {
        Holds::Number => json!({ "name": column.name, "kind": "number" }),
        Holds::Category { levels } => json!({ "name": column.name, "kind": "category", "levels": levels }),
    }
}

fn path(linear: &Linear) -> Value {
    let fits = linear.path.iter().map(|f| json!({ "lambda": f.lambda, "intercept": f.intercept, "coefficients": f.coef }));
    json!({
        "family": word(linear.family),
        "path": fits.collect::<Vec<_>>(),
        "best": linear.best,
        "one_standard_error": linear.one_se,
    })
}

fn layers(network: &Network, bytes: &[u8]) -> Value {
    let layer = |(i, layer): (usize, &super::Layer)| {
        let mut one = json!({ "inputs": layer.shape[0], "outputs": layer.shape[1], "weight": tensors::name(i, "weight") });
        if layer.bias.is_some() {
            one["bias"] = tensors::name(i, "bias").into();
        }
        if let Some(norm) = &layer.norm {
            let of = |tensor| tensors::name(i, tensor);
            one["norm"] = json!({
                "gamma": of("gamma"), "beta": of("beta"), "mean": of("mean"), "variance": of("variance"), "epsilon": norm.epsilon,
            });
        }
        one
    };
    json!({
        "tensors": TENSORS,
        "sha256": seal::digest(bytes),
        "activation": ACTIVATION,
        "target_mean": network.target[0],
        "target_scale": network.target[1],
        "layers": network.layers.iter().enumerate().map(layer).collect::<Vec<_>>(),
    })
}
