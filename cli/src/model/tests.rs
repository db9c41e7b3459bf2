//! What is written is read back, what is no model is refused, and networks say on the host what they say on the device.
use super::*;
use crate::{
    adapter,
    data::{Cells, Layout, NETWORKS, Table, Target, prepare, split::Split},
    glm::Family,
    training::{Hyper, Member, NEVER, Optimizer, Recipe, Rule, Setup, Shape, State, Trainer},
};
use ridgepole::{Approx, Rng};
use serde_json::{Value, json};
use std::path::Path;

/// 90 rows: two numbers of unlike scale, one with gaps; a city; a constant; and what is to be predicted of them.
fn table(classes: usize) -> Table {
    let row = |i: usize| {
        let (city, member) = (["Bern", "Lima", "Oslo"][i * i % 7 % 3], ["no", "yes"][i * 5 % 7 % 2]);
        let gap = if i % 11 == 4 { String::new() } else { format!("{}", 1_700_000_000 + i * 37 % 101) };
        let y = i * i % 7 % 3 + i * 17 % 5;
        let target = if classes > 0 { format!("c{}", y % classes) } else { format!("{y}.5") };
        format!("{city},{member},{gap},{},8,{target}\n", (i * 23 % 61) as f64 / 1e6)
    };
    let text = format!("city,member,year,b,flat,y\n{}", (0..90).map(row).collect::<String>());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let format: crate::data::Format = options(&["--categorical=auto", "--missing=mean"]);
    Table::csv(&path, Target { column: "y", task: None, asks: &NETWORKS }, &format).unwrap()
}

fn options<T: clap::Args>(words: &[&str]) -> T {
    let command = T::augment_args(clap::Command::new("t"));
    T::from_arg_matches(&command.try_get_matches_from([&["t"], words].concat()).unwrap()).unwrap()
}

fn linear(classes: usize) -> Model {
    let table = table(classes);
    let fit = |lambda: f64| Fit { lambda, intercept: 0.1 + lambda / 3.0, coef: vec![1.0 / 3.0, 0.0, -1e-9, 0.0, 7e300, 1e-300] };
    let family = if classes > 0 { Family::Logistic } else { Family::Linear };
    let linear = Linear { family, path: [2.0, 1.0, 0.1].map(fit).to_vec(), best: 2, one_se: 1 };
    Model::of_path(&table, &[0.5; 6], linear, "fitted by a test".into())
}

/// A network after three epochs, with the table, its training rows and what the device says of them.
fn network(classes: usize, batch_norm: bool) -> (Model, Table, Split, Vec<f32>) {
    let session = adapter::open(None).expect("an adapter");
    let table = table(classes);
    let split = Split { train: (0..70).collect(), validation: (70..80).collect(), test: (80..90).collect() };
    let data = prepare::prepare(&table, &split).unwrap();
    let hyper = Hyper { hidden: vec![12, 8], epochs: 3, batch: 10, lr: 1e-2, optimizer: Optimizer::AdamW };
    let shape = &Shape::new(&data, &hyper, batch_norm);
    let member = Member { recipe: Recipe { p: 0.3, batch_norm, ..Recipe::default() }, split: 0, seed: 3 };
    let rule = Rule { watch: [false; 2], patience: Some(NEVER) };
    let setup = Setup { splits: &[data], shape, hyper: &hyper, classes: classes > 0, seed: 3, rule };
    let mut trainer = Trainer::new(&session, &setup, &[member], vec![State::new(shape, 3, true)]).unwrap();
    trainer.run(3, &mut || ()).unwrap();
    let state = trainer.states().unwrap()[0].clone();
    let (params, running) = state.best.expect("the best is kept");
    trainer.restore_best();
    let said = trainer.outputs(0).unwrap().remove(0);
    let trained = Trained { shape, params: &params, running: &running };
    let model = Model::of_network(&table, &split.train, &table.targets, trained, "trained by a test".into()).unwrap();
    (model, table, split, said)
}

fn save(model: &Model, folder: &Path) {
    for (name, bytes) in model.files() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

fn load(folder: &Path) -> Result<Model, String> {
    read(&folder.join(JSON), &Layout::default()).map_err(|e| e.to_string().replace(&format!("{}/", folder.display()), ""))
}

#[test]
fn what_is_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    for model in [linear(0), linear(2), network(0, true).0, network(3, false).0] {
        save(&model, dir.path());
        let read = load(dir.path()).unwrap();
        // How many cells are missing is no part of a model.
        let columns = model.columns.iter().cloned().map(|c| Column { missing: 0, ..c }).collect();
        assert_eq!(read, Model { columns, ..model.clone() });
        assert_eq!(model.files(), model.files());
    }
    let model = linear(0);
    assert_eq!(model.names, ["city=Bern", "city=Lima", "city=Oslo", "member=yes", "year", "b"]);
    assert_eq!(model.left_out, ["flat"]);
}

/// What the device may say of a row: the same in f32, each sum in any order. A network has at most 15 inputs of a unit here.
fn bounded(network: &Network, means: &[f64], row: &[f64]) -> Vec<Approx> {
    // A gap is the mean.
    let far = |(v, mean): (&f64, &f64)| if v.is_nan() { 0.0 } else { v - mean };
    let standard = row.iter().zip(means).map(far).zip(&network.scales).map(|(v, scale)| Approx::host(v / scale));
    network.layers.iter().enumerate().fold(standard.collect(), |x: Vec<Approx>, (i, layer)| {
        let unit = |j: usize| {
            let of = |values: &[f32]| Approx::exact(values[j].into());
            let product = |k: usize| x.get(k).map(|x| x.times(Approx::exact(layer.weight[k * layer.shape[1] + j].into())));
            let bias = layer.bias.as_deref().map_or(Approx::exact(0.0), of);
            let sum: [Approx; 16] = std::array::from_fn(|k| if k < 15 { product(k).unwrap_or(Approx::exact(0.0)) } else { bias });
            let normed = layer.norm.as_ref().map_or(Approx::sum(sum), |n| {
                let far = Approx::sum([Approx::sum(sum), of(&n.mean).negative()]);
                let root = Approx::sum([of(&n.variance), Approx::host(n.epsilon)]).root();
                Approx::sum([far.times(Approx::exact(1.0).over(root)).times(of(&n.gamma)), of(&n.beta)])
            });
            if i + 1 < network.layers.len() { normed.at_least_zero() } else { normed }
        };
        (0..layer.shape[1]).map(unit).collect()
    })
}

#[test]
fn a_network_says_on_the_host_what_it_says_on_the_device() {
    for (classes, batch_norm) in [(0, false), (0, true), (3, false), (3, true)] {
        let (model, table, split, said) = network(classes, batch_norm);
        let Kind::Network(network) = &model.kind else { panic!("a network") };
        // The constant column is none of the table; in `kept` every feature has a spread.
        let rows: Vec<Vec<f64>> = split.train.iter().map(|&r| table.row(r).collect()).collect();
        let found = model.predict(rows.concat(), rows.len(), 0).unwrap();
        let [mean, scale] = network.target;
        let may: Vec<Approx> = rows.iter().flat_map(|row| bounded(network, &model.means, row)).collect();
        assert_eq!([found.link.len(), said.len()], [may.len(); 2]);
        let [mut worst, mut widest] = [0.0f64; 2];
        for ((link, said), may) in found.link.iter().zip(&said).zip(may) {
            let (value, error) = ((link - mean) / scale, may.error);
            // The host's sums are in another order, which f64 shows in its last digits.
            assert!((value - may.value).abs() < 1e-12, "{value} on the host, {} here", may.value);
            assert!((f64::from(*said) - may.value).abs() <= error, "{said} on the device, {value} ± {error:e}");
            (worst, widest) = (worst.max((f64::from(*said) - may.value).abs()), widest.max(error));
        }
        println!("{classes} classes, batch norm {batch_norm}: at most {worst:e} apart, {widest:e} allowed");
        let sums = found.response.chunks(3).map(|row| row.iter().sum::<f64>());
        assert!(classes == 0 || sums.into_iter().all(|sum| (sum - 1.0).abs() < 1e-15));
        assert_eq!(found.class.is_some(), classes > 0);
    }
}

#[test]
fn features_without_a_spread_are_none_of_a_network() {
    let table = table(3);
    let Cells::Numbers(mut cells) = table.cells.clone() else { panic!("numbers") };
    // Among the first 70 rows nobody is a member, and the last column is constant.
    (0..70).for_each(|r| (cells[6 * r + 3], cells[6 * r + 5]) = (0.0, 7.0));
    let table = Table { cells: Cells::Numbers(cells), ..table };
    let rows: Vec<usize> = (0..70).collect();
    let data = prepare::prepare(&table, &Split { train: rows.clone(), validation: vec![70], test: vec![71] }).unwrap();
    let hyper = Hyper { hidden: vec![4], epochs: 1, batch: 10, lr: 1e-2, optimizer: Optimizer::Sgd };
    let shape = &Shape::new(&data, &hyper, false);
    let state = State::new(shape, 1, false);
    let trained = Trained { shape, params: &state.params, running: &[] };
    let model = Model::of_network(&table, &rows, &table.targets, trained, String::new()).unwrap();
    assert_eq!(
        (model.names.join(" ").as_str(), model.left_out.join(" ").as_str()),
        ("city=Bern city=Lima city=Oslo year", "member b flat")
    );
    // A network has 0 there, whatever the value: so with the first layer on what `prepare` gives.
    let mut rng = Rng::new(1);
    let initial = crate::training::network::initial(shape, &mut Rng::new(1 ^ 0x696e_6974));
    assert_eq!(initial, state.params);
    let Kind::Network(network) = &model.kind else { panic!("a network") };
    assert_eq!(network.layers[0].weight, [0, 1, 2, 4].map(|r| &initial[4 * r..4 * r + 4]).concat());
    let broken: Vec<f32> = initial.iter().map(|v| if rng.unit() < 0.1 { f32::NAN } else { *v }).collect();
    let trained = Trained { params: &broken, ..trained };
    let why = Model::of_network(&table, &rows, &table.targets, trained, String::new()).unwrap_err();
    assert_eq!(why, "the network has diverged: it has numbers that are not finite");
}

/// A change to the JSON, and all that is said of it.
type Case<'a> = (&'a dyn Fn(&mut Value), &'a str);

fn refused(model: &Model, cases: &[Case]) {
    let dir = tempfile::tempdir().unwrap();
    save(model, dir.path());
    let good: Value = serde_json::from_slice(&std::fs::read(dir.path().join(JSON)).unwrap()).unwrap();
    for (change, why) in cases {
        let mut bad = good.clone();
        change(&mut bad);
        std::fs::write(dir.path().join(JSON), serde_json::to_string(&bad).unwrap()).unwrap();
        assert_eq!(load(dir.path()).expect_err(why), *why);
    }
}

#[test]
fn what_is_no_model_is_refused() {
    refused(
        &linear(2),
        &[
            (&|v| v["format"] = json!("other"), "model.json: is no model: its format is \"other\", must be \"ridgepole-model\""),
            (
                &|v| v["version"] = json!(2),
                "model.json: is a model of version 2, and this program reads version 1: use the version of ridgepole that wrote it",
            ),
            (&|v| v["version"] = json!("1"), "model.json: line 1: is no model: invalid type: string \"1\", expected u64"),
            (&|v| *v = json!([]), "model.json: line 1: is no model: invalid length 0, expected struct Head with 2 elements"),
            (&|v| drop(v.as_object_mut().unwrap().remove("columns")), "model.json: line 1: is no model: missing field `columns`"),
            (&|v| v["features"][0]["mean"] = Value::Null, "model.json: line 1: is no model: invalid type: null, expected f64"),
            (
                &|v| v["features"][0]["more"] = json!(1),
                "model.json: line 1: is no model: unknown field `more`, expected one of `name`, `column`, `level`, `mean`, `scale`",
            ),
            (
                &|v| v["missing"] = json!("guess"),
                "model.json: line 1: is no model: unknown variant `guess`, expected one of `refuse`, `mean`, `drop-rows`",
            ),
            (&|v| v["columns"][1]["name"] = json!("city"), "model.json: columns: two are called \"city\""),
            (&|v| v["columns"][1]["name"] = json!("y"), "model.json: columns: \"y\" is the target"),
            (
                &|v| v["columns"][0]["kind"] = json!("date"),
                "model.json: columns: \"city\" is of kind \"date\", must be number or category",
            ),
            (&|v| v["columns"][0]["kind"] = json!("number"), "model.json: columns: \"city\" holds numbers, and has levels"),
            (&|v| v["columns"][2]["kind"] = json!("category"), "model.json: columns: \"year\" is a category without levels"),
            (&|v| v["columns"][0]["levels"][1] = json!("Bern"), "model.json: columns: \"city\" has the level \"Bern\" twice"),
            (
                &|v| v["columns"].as_array_mut().unwrap().push(json!({"name": "z", "kind": "number"})),
                "model.json: columns: \"z\" has no feature",
            ),
            (
                &|v| v["features"][1]["column"] = json!(9),
                "model.json: features: that at place 1, \"city=Lima\", is of column 9, must be below 4",
            ),
            (
                &|v| v["features"][1]["column"] = json!(-1),
                "model.json: line 1: is no model: invalid value: integer `-1`, expected usize",
            ),
            (
                &|v| v["features"][1]["level"] = json!(3),
                "model.json: features: that at place 1, \"city=Lima\", is of level 3, must be below 3",
            ),
            (&|v| v["features"][1]["level"] = json!(0), "model.json: features: that at place 1, \"city=Lima\", is there twice"),
            (
                &|v| v["features"][1]["level"] = Value::Null,
                "model.json: features: that at place 1, \"city=Lima\", has no level, and its column is a category",
            ),
            (
                &|v| v["features"][4]["level"] = json!(0),
                "model.json: features: that at place 4, \"year\", has a level, and its column holds numbers",
            ),
            (&|v| v["target"]["classes"] = json!(["one"]), "model.json: target: has 1 class, must be at least 2"),
            (&|v| v["target"]["classes"] = json!(["one", "one"]), "model.json: target: two classes are called \"one\""),
            (
                &|v| v["target"]["classes"] = Value::Null,
                "model.json: linear: the family is logistic, and the target has 0 classes, must be 2",
            ),
            (
                &|v| v["target"]["classes"] = json!(["a", "b", "c"]),
                "model.json: linear: the family is logistic, and the target has 3 classes, must be 2",
            ),
            (
                &|v| v["linear"]["family"] = json!("linear"),
                "model.json: linear: the family is linear, and the target has 2 classes",
            ),
            (
                &|v| v["linear"]["family"] = json!("probit"),
                "model.json: linear: family is \"probit\", must be linear or logistic",
            ),
            (&|v| v["linear"]["best"] = json!(3), "model.json: linear: best is 3, must be below the number of models of path, 3"),
            (
                &|v| v["linear"]["path"] = json!([]),
                "model.json: linear: best is 2, must be below the number of models of path, 0",
            ),
            (
                &|v| v["linear"]["path"][0]["lambda"] = json!(0),
                "model.json: linear: the model at place 0 of path has the lambda 0e0, must be greater than 0",
            ),
            (
                &|v| v["linear"]["path"][1]["lambda"] = json!(2),
                "model.json: linear: the model at place 1 of path has the lambda 2e0, must be less than the one before, 2e0",
            ),
            (
                &|v| v["linear"]["path"][1]["coefficients"] = json!([1]),
                "model.json: linear: the model at place 1 of path has 1 coefficient, must have one for each feature, 6",
            ),
            (&|v| drop(v.as_object_mut().unwrap().remove("linear")), "model.json: must have either linear or network"),
        ],
    );
    let dir = tempfile::tempdir().unwrap();
    let of = |text: &[u8]| {
        std::fs::write(dir.path().join(JSON), text).unwrap();
        load(dir.path()).expect_err("it was accepted")
    };
    assert_eq!(of(b""), "model.json: line 1: is no model: EOF while parsing a value");
    assert_eq!(
        of(b"{\"format\": \"ridgepole-model\",\n\"version\": 1, \"version\": 1}"),
        "model.json: line 2: is no model: duplicate field `version`"
    );
    assert_eq!(of(b"{\"format\": NaN}"), "model.json: line 1: is no model: expected value");
    assert_eq!(of(&[b'['; 1 << 20]), "model.json: line 1: is no model: invalid type: sequence, expected a string");
    save(&linear(2), dir.path());
    let text = String::from_utf8(std::fs::read(dir.path().join(JSON)).unwrap()).unwrap();
    let why = of(text.replace("7e+300", "1e999").replace("7e300", "1e999").as_bytes());
    assert!(why.ends_with(": is no model: number out of range"), "{why}");
    for cut in 0..text.trim_end().len() {
        assert!(text.is_char_boundary(cut) && of(&text.as_bytes()[..cut]).starts_with("model.json: line "), "cut at {cut}");
    }
}

#[test]
fn what_is_no_network_is_refused() {
    let model = network(3, true).0;
    refused(
        &model,
        &[
            (&|v| v["network"]["activation"] = json!("tanh"), "model.json: network: activation is \"tanh\", must be \"relu\""),
            (&|v| v["network"]["target_scale"] = json!(0), "model.json: network: target_scale is 0e0, must be greater than 0"),
            (&|v| v["network"]["layers"] = json!([]), "model.json: network: has no layers"),
            (
                &|v| v["features"][0]["scale"] = json!(0),
                "model.json: features: that at place 0, \"city=Bern\", must have a scale greater than 0",
            ),
            (
                &|v| drop(v["features"][0].as_object_mut().unwrap().remove("scale")),
                "model.json: features: that at place 0, \"city=Bern\", must have a scale greater than 0",
            ),
            (&|v| drop(v["features"].as_array_mut().unwrap().pop()), "model.json: columns: \"b\" has no feature"),
            (
                &|v| drop((v["features"].as_array_mut().unwrap().pop(), v["columns"].as_array_mut().unwrap().pop())),
                "model.json: network: the layer at place 0 has 6 inputs, must be the number of features, 5",
            ),
            (
                &|v| drop(v["network"]["layers"].as_array_mut().unwrap().remove(1)),
                "model.json: network: the layer at place 1 has 8 inputs, must be the number of outputs of the layer before, 12",
            ),
            (
                &|v| drop(v["network"]["layers"].as_array_mut().unwrap().pop()),
                "model.json: network: the last layer has 8 outputs, must be one for each class, or 1 for numbers: 3",
            ),
            (
                &|v| v["network"]["layers"][0]["outputs"] = json!(8),
                "model.safetensors: tensor \"layers.0.weight\" is F32 of shape [6, 12], must be F32 of shape [6, 8]",
            ),
            (&|v| v["network"]["layers"][0]["weight"] = json!("w"), "model.safetensors: has no tensor \"w\""),
            (
                &|v| v["network"]["layers"][0]["norm"]["epsilon"] = json!(0),
                "model.json: network: the layer at place 0 has a variance below 0, or an epsilon that is not above it",
            ),
            (
                &|v| v["network"]["tensors"] = json!("../model.safetensors"),
                "model.json: network: tensors is \"../model.safetensors\", must be the name of a file beside it",
            ),
            (
                &|v| v["network"]["tensors"] = json!("/etc/passwd"),
                "model.json: network: tensors is \"/etc/passwd\", must be the name of a file beside it",
            ),
            (
                &|v| v["network"]["tensors"] = json!(""),
                "model.json: network: tensors is \"\", must be the name of a file beside it",
            ),
            (&|v| v["network"]["tensors"] = json!("none"), "cannot read none: No such file or directory (os error 2)"),
        ],
    );
    let dir = tempfile::tempdir().unwrap();
    save(&model, dir.path());
    let tensors = dir.path().join(TENSORS);
    let good = std::fs::read(&tensors).unwrap();
    let hash = crate::seal::digest(&good);
    for bad in [&good[..good.len() - 1], &good[..40], b"", &[&good[..], b"\0"].concat(), &network(3, false).0.files()[1].1] {
        std::fs::write(&tensors, bad).unwrap();
        let said = format!(
            "model.safetensors: its SHA-256 is {}, and that of the model's tensors is {hash}: it is damaged, or of another model",
            crate::seal::digest(bad)
        );
        assert_eq!(load(dir.path()).unwrap_err(), said);
    }
    // With a hash that fits.
    let json = std::fs::read_to_string(dir.path().join(JSON)).unwrap();
    let forged = |bytes: &[u8]| {
        std::fs::write(&tensors, bytes).unwrap();
        std::fs::write(dir.path().join(JSON), json.replace(&hash, &crate::seal::digest(bytes))).unwrap();
        load(dir.path()).expect_err("it was accepted")
    };
    for cut in [0, 7, 8, 40, good.len() - 1] {
        assert!(forged(&good[..cut]).starts_with("model.safetensors: not a safetensors file: "));
    }
    let mut nan = good.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let why = forged(&nan);
    assert!(why.starts_with("model.safetensors: tensor \"layers.") && why.ends_with(", must be finite"), "{why}");
}

/// Every value of a model is replaced by values of other kinds, and left out: refused or read, and what is read predicts.
#[test]
fn no_change_makes_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let (mut read, mut tried) = (0, 0);
    for model in [linear(2), network(0, true).0] {
        save(&model, dir.path());
        let good: Value = serde_json::from_slice(&std::fs::read(dir.path().join(JSON)).unwrap()).unwrap();
        let mut places = Vec::new();
        walk(&good, String::new(), &mut places);
        for place in &places {
            for other in
                [json!(null), json!(0), json!(-1), json!(1e300), json!(u64::MAX), json!("x"), json!([]), json!({}), json!([[]])]
            {
                let mut bad = good.clone();
                *bad.pointer_mut(place).unwrap() = other;
                std::fs::write(dir.path().join(JSON), bad.to_string()).unwrap();
                tried += 1;
                if let Ok(model) = load(dir.path()) {
                    read += 1;
                    model.predict(vec![1.0; model.features.len()], 1, 0).unwrap();
                }
            }
        }
    }
    assert!(read > 20 && tried > 1000, "{read} of {tried} were read");
}

fn walk(value: &Value, at: String, to: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(all) => all.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(all) => all.iter().enumerate().map(|(k, v)| (k.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in below {
        let place = format!("{at}/{key}");
        walk(value, place.clone(), to);
        to.push(place);
    }
}

#[test]
fn a_strength_is_one_of_the_path() {
    let Kind::Linear(mut path) = linear(0).kind else { panic!("a path") };
    let at = |path: &Linear, text: &str| path.at(text.parse().unwrap()).map_err(|e| e.to_string());
    assert_eq!(["best", "one-se", "2", "1e-1", "0.100001"].map(|s| at(&path, s)), [Ok(2), Ok(1), Ok(0), Ok(2), Ok(2)]);
    let why = |path: &Linear, text: &str, rest: &str| {
        let said = format!("--lambda is {text}, must be best, one-se, or a λ of the model's path, to five digits; {rest}");
        assert_eq!(at(path, text), Err(said));
    };
    why(&path, "3", "its largest is 2");
    why(&path, "1.5", "the next ones are 2 and 1");
    why(&path, "0.0999", "its smallest is 0.1");
    path.path[1].lambda = 2.0 - 1e-6;
    assert_eq!(at(&path, "1.999999"), Ok(1));
    why(&path, "2.00001", "2 and 1.999999 are equally near: give it all digits");
    for bad in ["", "worst", "0", "-1", "inf", "NaN"] {
        assert!(bad.parse::<Strength>().unwrap_err().starts_with("must be best, one-se, or a λ"), "{bad:?}");
    }
}

#[test]
fn an_earlier_model_does_not_stay_where_none_was_made() {
    let dir = tempfile::tempdir().unwrap();
    let left = || [JSON, TENSORS].map(|name| dir.path().join(name).exists());
    save(&network(3, true).0, dir.path());
    without(dir.path(), &network(3, false).0.files()).unwrap();
    assert_eq!(left(), [true, true]);
    without(dir.path(), &linear(0).files()).unwrap();
    assert_eq!(left(), [true, false]);
    without(dir.path(), &[]).unwrap();
    assert_eq!(left(), [false, false]);
}
