//! Reads a model, and checks all of it: what is accepted can be applied to any row.
use super::{
    Fit, Kind, Layer, Linear, Model, Network, Norm,
    json::{ACTIVATION, FORMAT, VERSION, word},
    tensors,
};
use crate::{
    Failure,
    data::{Column, Feature, Format, Holds, Layout, Missing},
    glm::Family,
    input, text,
    text::quoted,
};
use safetensors::SafeTensors;
use serde::Deserialize;
use std::{collections::HashSet, path::Path};

/// What says whether the rest can be read.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "format")]
    _format: String,
    #[serde(rename = "version")]
    _version: u64,
    #[serde(rename = "program")]
    _program: String,
    data: String,
    fitted: String,
    missing: Missing,
    columns: Vec<FileColumn>,
    left_out: Vec<String>,
    features: Vec<FileFeature>,
    target: FileTarget,
    linear: Option<FileLinear>,
    network: Option<FileNetwork>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileColumn {
    name: String,
    kind: String,
    levels: Option<Vec<Option<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFeature {
    name: String,
    column: usize,
    level: Option<usize>,
    mean: f64,
    scale: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTarget {
    name: String,
    classes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLinear {
    family: String,
    path: Vec<FileFit>,
    best: usize,
    one_standard_error: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFit {
    lambda: f64,
    intercept: f64,
    coefficients: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileNetwork {
    tensors: String,
    sha256: String,
    activation: String,
    target_mean: f64,
    target_scale: f64,
    layers: Vec<FileLayer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLayer {
    inputs: usize,
    outputs: usize,
    weight: String,
    bias: Option<String>,
    norm: Option<FileNorm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileNorm {
    gamma: String,
    beta: String,
    mean: String,
    variance: String,
    epsilon: f64,
}

/// The model in a file of JSON, and of a network the tensors in the file beside it that it names. Both have the limit of `layout`.
///
/// # Errors
/// [`Failure::Usage`] names the file, and what in it is no model.
pub fn read(path: &Path, layout: &Layout) -> Result<Model, Failure> {
    let bytes = input::read(path, layout.limit(), Format::RAISE)?;
    let refused = |why: String| Failure::usage(format!("{}: {why}", text::path(path)));
    let (json, _) = input::decode(bytes).map_err(refused)?;
    let file = parse(&json).map_err(refused)?;
    let network = match &file.network {
        None => None,
        Some(network) => {
            plain_name(&network.tensors).map_err(refused)?;
            let beside = path.with_file_name(&network.tensors);
            let bytes = tensors::bytes(&beside, &network.sha256, layout)?;
            let wrong = |why: String| Failure::usage(format!("{}: {why}", text::path(&beside)));
            let all = SafeTensors::deserialize(&bytes);
            let all = all.map_err(|e| wrong(ridgepole::types::excerpt(&format!("not a safetensors file: {e}"))))?;
            let layers = network.layers.iter().map(|l| layer(l, &all).map_err(wrong)).collect::<Result<Vec<_>, _>>()?;
            Some(layers)
        }
    };
    model(file, network).map_err(refused)
}

/// The JSON, whose numbers and names are not checked yet.
fn parse(json: &str) -> Result<File, String> {
    let no = |e: serde_json::Error| {
        let (place, said) = (format!(" at line {} column {}", e.line(), e.column()), e.to_string());
        let what = said.strip_suffix(&place).unwrap_or(&said);
        format!("line {}: is no model: {}", e.line(), text::short(what))
    };
    let head: Head = serde_json::from_str(json).map_err(no)?;
    if head.format != FORMAT {
        return Err(format!("is no model: its format is {}, must be {FORMAT:?}", quoted(&head.format)));
    }
    if head.version != VERSION {
        return Err(format!(
            "is a model of version {}, and this program reads version {VERSION}: use the version of ridgepole that wrote it",
            head.version
        ));
    }
    serde_json::from_str(json).map_err(no)
}

/// A file beside the JSON: what a path could lead to is not read.
fn plain_name(name: &str) -> Result<(), String> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0']);
    if plain { Ok(()) } else { Err(format!("network: tensors is {}, must be the name of a file beside it", quoted(name))) }
}

/// The checked model; `layers` are those of a network.
fn model(file: File, layers: Option<Vec<Layer>>) -> Result<Model, String> {
    let columns = file.columns.into_iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    if let Some(twice) = columns.iter().find(|c| !seen.insert(&c.name)) {
        return Err(format!("columns: two are called {}", quoted(&twice.name)));
    }
    if seen.contains(&file.target.name) {
        return Err(format!("columns: {} is the target", quoted(&file.target.name)));
    }
    let mut features = Vec::with_capacity(file.features.len());
    let mut taken = HashSet::new();
    let mut used = vec![false; columns.len()];
    for (i, f) in file.features.iter().enumerate() {
        let feature = feature(f, &columns).map_err(|why| format!("features: that at place {i}, {}, {why}", quoted(&f.name)))?;
        if !taken.insert((feature.column, feature.level)) {
            return Err(format!("features: that at place {i}, {}, is there twice", quoted(&f.name)));
        }
        used[feature.column] = true;
        features.push(feature);
    }
    if let Some(idle) = used.iter().position(|used| !used) {
        return Err(format!("columns: {} has no feature", quoted(&columns[idle].name)));
    }
    let classes = file.target.classes;
    if let Some(names) = &classes {
        let mut seen = HashSet::new();
        if names.len() < 2 {
            return Err(format!("target: has {}, must be at least 2", text::count(names.len(), "class")));
        }
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            return Err(format!("target: two classes are called {}", quoted(twice)));
        }
    }
    let kind = match (file.linear, file.network, layers) {
        (Some(of), None, _) => Kind::Linear(linear(of, features.len(), classes.as_deref())?),
        (None, Some(of), Some(layers)) => {
            let scales = file.features.iter().enumerate().map(|(i, f)| match f.scale {
                Some(scale) if scale > 0.0 && scale.is_finite() => Ok(scale),
                _ => Err(format!("features: that at place {i}, {}, must have a scale greater than 0", quoted(&f.name))),
            });
            let scales = scales.collect::<Result<Vec<_>, _>>()?;
            Kind::Network(network(&of, layers, scales, classes.as_ref().map_or(1, Vec::len))?)
        }
        _ => return Err("must have either linear or network".into()),
    };
    Ok(Model {
        data: file.data,
        fitted: file.fitted,
        missing: file.missing,
        means: file.features.iter().map(|f| f.mean).collect(),
        names: file.features.into_iter().map(|f| f.name).collect(),
        columns,
        features,
        left_out: file.left_out,
        target: file.target.name,
        classes,
        kind,
    })
}

fn column(of: FileColumn) -> Result<Column, String> {
    let name = quoted(&of.name);
    let holds = match (of.kind.as_str(), of.levels) {
        ("number", None) => Holds::Number,
        ("category", Some(levels)) => {
            let mut seen = HashSet::new();
            if let Some(twice) = levels.iter().find(|level| !seen.insert(*level)) {
                let level = twice.as_ref().map_or("null".into(), |level| quoted(level));
                return Err(format!("columns: {name} has the level {level} twice"));
            }
            Holds::Category { levels }
        }
        ("number", Some(_)) => return Err(format!("columns: {name} holds numbers, and has levels")),
        ("category", None) => return Err(format!("columns: {name} is a category without levels")),
        (other, _) => return Err(format!("columns: {name} is of kind {}, must be number or category", quoted(other))),
    };
    Ok(Column { name: of.name, holds, missing: 0 })
}

fn feature(of: &FileFeature, columns: &[Column]) -> Result<Feature, String> {
    let Some(column) = columns.get(of.column) else {
        return Err(format!("is of column {}, must be below {}", of.column, columns.len()));
    };
    match (&column.holds, of.level) {
        (Holds::Number, None) => {}
        (Holds::Number, Some(_)) => return Err("has a level, and its column holds numbers".into()),
        (Holds::Category { .. }, None) => return Err("has no level, and its column is a category".into()),
        (Holds::Category { levels }, Some(level)) if level >= levels.len() => {
            return Err(format!("is of level {level}, must be below {}", levels.len()));
        }
        _ => {}
    }
    Ok(Feature { column: of.column, level: of.level })
}

fn linear(of: FileLinear, features: usize, classes: Option<&[String]>) -> Result<Linear, String> {
    let family = [Family::Linear, Family::Logistic].into_iter().find(|f| word(*f) == of.family);
    let family = family.ok_or_else(|| format!("linear: family is {}, must be linear or logistic", quoted(&of.family)))?;
    match (family, classes.map(<[String]>::len)) {
        (Family::Linear, None) | (Family::Logistic, Some(2)) => {}
        (Family::Linear, Some(n)) => return Err(format!("linear: the family is linear, and the target has {n} classes")),
        (Family::Logistic, n) => {
            return Err(format!("linear: the family is logistic, and the target has {} classes, must be 2", n.unwrap_or(0)));
        }
    }
    for (i, fit) in of.path.iter().enumerate() {
        let bad = |why: String| Err(format!("linear: the model at place {i} of path {why}"));
        if fit.lambda.is_nan() || fit.lambda <= 0.0 {
            return bad(format!("has the lambda {:e}, must be greater than 0", fit.lambda));
        }
        if i > 0 && fit.lambda >= of.path[i - 1].lambda {
            return bad(format!(
                "has the lambda {:e}, must be less than the one before, {:e}",
                fit.lambda,
                of.path[i - 1].lambda
            ));
        }
        if fit.coefficients.len() != features {
            return bad(format!(
                "has {}, must have one for each feature, {features}",
                text::count(fit.coefficients.len(), "coefficient")
            ));
        }
    }
    for (name, place) in [("best", of.best), ("one_standard_error", of.one_standard_error)] {
        if place >= of.path.len() {
            return Err(format!("linear: {name} is {place}, must be below the number of models of path, {}", of.path.len()));
        }
    }
    let fit = |f: FileFit| Fit { lambda: f.lambda, intercept: f.intercept, coef: f.coefficients };
    Ok(Linear { family, path: of.path.into_iter().map(fit).collect(), best: of.best, one_se: of.one_standard_error })
}

/// A layer with its tensors.
fn layer(of: &FileLayer, file: &SafeTensors) -> Result<Layer, String> {
    let unit = |name: &String| tensors::tensor(file, name, &[of.outputs]);
    let norm = |n: &FileNorm| -> Result<Norm, String> {
        Ok(Norm {
            gamma: unit(&n.gamma)?,
            beta: unit(&n.beta)?,
            mean: unit(&n.mean)?,
            variance: unit(&n.variance)?,
            epsilon: n.epsilon,
        })
    };
    Ok(Layer {
        shape: [of.inputs, of.outputs],
        weight: tensors::tensor(file, &of.weight, &[of.inputs, of.outputs])?,
        bias: of.bias.as_ref().map(unit).transpose()?,
        norm: of.norm.as_ref().map(norm).transpose()?,
    })
}

fn network(of: &FileNetwork, layers: Vec<Layer>, scales: Vec<f64>, outputs: usize) -> Result<Network, String> {
    if of.activation != ACTIVATION {
        return Err(format!("network: activation is {}, must be {ACTIVATION:?}", quoted(&of.activation)));
    }
    let scale = of.target_scale;
    if scale.is_nan() || scale <= 0.0 {
        return Err(format!("network: target_scale is {scale:e}, must be greater than 0"));
    }
    if layers.is_empty() {
        return Err("network: has no layers".into());
    }
    let mut width = scales.len();
    for (i, layer) in layers.iter().enumerate() {
        let [inputs, given] = layer.shape;
        if inputs != width {
            let before = if i == 0 { "features" } else { "outputs of the layer before" };
            return Err(format!("network: the layer at place {i} has {inputs} inputs, must be the number of {before}, {width}"));
        }
        if given == 0 {
            return Err(format!("network: the layer at place {i} has no outputs"));
        }
        if let Some(n) = &layer.norm
            && (n.epsilon.is_nan() || n.epsilon <= 0.0 || n.variance.iter().any(|v| *v < 0.0))
        {
            return Err(format!("network: the layer at place {i} has a variance below 0, or an epsilon that is not above it"));
        }
        width = given;
    }
    if width != outputs {
        return Err(format!(
            "network: the last layer has {width} outputs, must be one for each class, or 1 for numbers: {outputs}"
        ));
    }
    Ok(Network { scales, target: [of.target_mean, of.target_scale], layers })
}
