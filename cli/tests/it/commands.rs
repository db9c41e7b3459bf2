//! The subcommands that look at the table and at the machine.
use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};
use ridgepole::ops;
use serde_json::Value;
use std::process::Stdio;

fn ridgepole(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ridgepole").unwrap();
    command.args(args);
    command
}

fn json(args: &[&str]) -> Value {
    serde_json::from_slice(&ridgepole(args).assert().success().get_output().stdout).unwrap()
}

#[test]
fn every_subcommand_has_help_with_examples() {
    for name in ["devices", "ops", "check", "bench", "run", "lower", "study", "path", "predict", "tune"] {
        ridgepole(&[name, "--help"]).assert().success().stdout(contains("Examples:").and(contains("Usage: ridgepole")));
    }
    ridgepole(&["--help"]).assert().success().stdout(contains("Exit codes:"));
    ridgepole(&["--version"]).assert().success().stdout(contains(env!("CARGO_PKG_VERSION")));
    ridgepole(&[]).assert().code(2);
    ridgepole(&["nonesuch"]).assert().code(2).stderr(contains("unrecognized subcommand"));
}

#[test]
fn the_table_lists_every_op_and_argument() {
    let all = json(&["ops", "--json"]);
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), ops::all().count());
    let said = |args: &[&str]| String::from_utf8(ridgepole(args).assert().success().get_output().stdout.clone()).unwrap();
    // A line for each; everything about those that are asked for, by name or family.
    let list = said(&["ops"]);
    let text: String = ops::FAMILIES.iter().map(|f| said(&["ops", f.name])).collect();
    assert!(said(&["ops", "penalty_g"]).contains("grad            update"));
    ridgepole(&["ops", "nonesuch"]).assert().code(2).stderr(contains("nonesuch").and(contains("norms")));
    for (entry, listed) in ops::all().zip(all) {
        assert_eq!(listed["name"], entry.name);
        assert_eq!(listed["formula"], entry.formula);
        assert_eq!(listed["fields"].as_array().unwrap().len(), entry.fields.len());
        assert!(list.contains(entry.name) && list.contains(entry.summary));
        assert!(text.contains(entry.name) && text.contains(entry.formula));
        let names: Vec<&str> = listed["arguments"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
        for op in (entry.cases)() {
            // Listed in the op's own order, whichever arguments it has.
            let mut places = op.args().into_iter().map(|a| names.iter().position(|n| *n == a.name).expect(a.name));
            let first = places.next().unwrap();
            places.fold(first, |before, here| {
                assert!(before < here, "{}: {names:?}", entry.name);
                here
            });
        }
        assert_eq!(listed["schema"]["properties"]["op"]["const"], entry.name);
        for (field, of) in listed["fields"].as_array().unwrap().iter().zip(entry.fields) {
            assert_eq!(field["required"].as_bool().unwrap(), field.get("default").is_none(), "{}: {field}", entry.name);
            let schema = &listed["schema"]["properties"][of.name];
            assert_eq!(
                (&field["about"], field.get("default")),
                (&schema["description"], schema.get("default")),
                "{}",
                entry.name
            );
            assert!(text.contains(of.about), "{}: {}", entry.name, of.about);
        }
    }
}

#[test]
fn an_op_is_described_with_ranges_choices_and_what_they_hold() {
    let said = |op: &str| String::from_utf8(ridgepole(&["ops", op]).assert().success().get_output().stdout.clone()).unwrap();
    let (norm, adamw, block) = (said("batch_norm_apply"), said("adamw"), said("drop_block_backward"));
    for line in [
        "    activation      The activation, applied last (default \"none\")",
        "      relu            max(v, 0). The derivative at 0 is 0: PyTorch and JAX. That of a NaN is 1, as for the leaky kind.",
        "        slope           What the rest is multiplied by; 0.01 is PyTorch's and JAX's. With 0 this is Relu. (at least 0)",
    ] {
        assert!(norm.lines().any(|l| l == line), "{line}\n{norm}");
    }
    // As an op asks for it: a decay that must be given has no default, and a choice that is not taken is not named.
    assert!(adamw.contains("    beta1           β1, the decay rate of the first moment (0 to below 1, default 0.9)"), "{adamw}");
    let decay = adamw.lines().find(|l| l.trim_start().starts_with("decay ")).unwrap();
    assert!(decay.ends_with("(at least 0)"), "{decay}");
    assert!(block.contains("\n      batch_element") && !block.contains("\n      batch_channel"), "{block}");
    let schema = &json(&["ops", "adamw", "--json"])[0]["schema"];
    assert_eq!(schema["required"], serde_json::json!(["op", "dtype", "segments", "groups", "lr", "step"]));
    assert_eq!(schema["properties"]["groups"]["items"]["required"], serde_json::json!(["decay"]));
    let beta = &schema["properties"]["beta1"];
    assert_eq!((&beta["minimum"], &beta["exclusiveMaximum"]), (&0.0.into(), &1.0.into()));
    assert_eq!(schema["properties"]["eps_place"]["oneOf"][1]["const"], "inside_root");
}

#[test]
fn devices_say_which_paths_are_taken_and_nothing_else() {
    let all = json(&["devices", "--json"]);
    let first = &all[0];
    assert!(first["limits"]["max_storage_buffer_binding_size"].as_u64().unwrap() > 0);
    assert!(first["paths"]["streaming"].as_str().unwrap().contains("lanes"), "{first:#}");
    // On a machine without a display, where a driver would complain.
    let mut quiet = ridgepole(&["devices"]);
    quiet.env_remove("XDG_RUNTIME_DIR").env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY");
    quiet.assert().success().stderr("").stdout(contains(first["name"].as_str().unwrap()));
}

#[test]
fn a_check_passes_and_counts() {
    let run = ridgepole(&["check", "PenaltyGrad { dtype: F16, segments: [Segment { start: 0, len: 25"]).assert().success();
    let text = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
    assert!(
        text.contains("penalty_grad") && text.contains("3 cases") && text.contains(" ok") && text.contains("failed: 0"),
        "{text}"
    );
    ridgepole(&["check", "PenaltyGrad { dtype: F16, segments: [],", "--all-adapters"]).assert().success();
}

#[test]
fn nothing_to_do_is_no_success() {
    for command in ["check", "bench"] {
        let message = contains("no op and no case contains \"Nonsense\"; the ops are: ").and(contains("penalty_grad"));
        ridgepole(&[command, "Nonsense"]).assert().code(2).stderr(message).stdout("");
    }
}

#[test]
fn adapters_that_are_not_there_are_an_error_with_a_list() {
    let there = json(&["devices", "--json"])[0]["name"].as_str().unwrap().to_string();
    for command in ["check", "bench"] {
        let message = || contains("no name contains \"Voodoo2\"").and(contains(&*there));
        ridgepole(&[command, "--adapter", "Voodoo2"]).assert().code(2).stderr(message()).stdout("");
        ridgepole(&[command]).env("WGPU_ADAPTER_NAME", "Voodoo2").assert().code(2).stderr(message()).stdout("");
    }
    // No machine has Direct3D and Metal at once.
    let backend = if cfg!(windows) { "metal" } else { "dx12" };
    for command in ["devices", "check", "bench"] {
        ridgepole(&[command]).env("WGPU_BACKEND", backend).assert().code(2).stderr(contains("install")).stdout("");
    }
    // An empty list is no list; a word that names nothing is not passed over, though another one names a backend.
    ridgepole(&["devices"]).env("WGPU_BACKEND", "").assert().success();
    for (list, name) in [("vulcan", "vulcan"), ("vulkan,metl", "metl"), ("vk,", "")] {
        let why = format!("WGPU_BACKEND is \"{list}\", and \"{name}\" is no backend; there are vulkan, metal and dx12");
        for command in ["devices", "check"] {
            ridgepole(&[command]).env("WGPU_BACKEND", list).assert().code(2).stderr(contains(&*why)).stdout("");
        }
    }
    ridgepole(&["check", "--adapter", "x", "--all-adapters"]).assert().code(2);
}

#[test]
fn a_bench_gives_times_for_people_and_programs() {
    let case = "PenaltyGrad { dtype: Bf16";
    let quick = ["--rounds", "2", "--sample", "1"];
    let all = json(&[&["bench", case, "--json"], &quick[..]].concat());
    let timing = &all["timings"][0];
    assert_eq!((timing["op"].as_str(), timing["rounds"].as_u64()), (Some("penalty_grad"), Some(2)));
    assert!(["seconds", "share", "gb_per_s", "copy_gb_per_s"].iter().all(|k| timing[*k].as_f64().unwrap() > 0.0), "{timing}");
    let run = ridgepole(&[&["bench", case, "--csv"], &quick[..]].concat()).assert().success();
    let rows: Vec<csv::StringRecord> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&run.get_output().stdout[..])
        .records()
        .map(|r| r.unwrap())
        .collect();
    assert_eq!((rows.len(), &rows[0][2], &rows[1][2]), (2, "op", "penalty_grad"));
    ridgepole(&[&["bench", case], &quick[..]].concat()).assert().success().stdout(contains("share").and(contains("%")));
    ridgepole(&["bench", case, "--rounds", "0"]).assert().code(2);
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let html = ["--html", page.to_str().unwrap()];
    let sizes = json(&[&["bench", case, "--elements", "1Ki,2048", "--json"], &quick[..], &html].concat());
    assert_eq!([0, 1].map(|i| sizes["timings"][i]["elements"].as_u64()), [Some(1024), Some(2048)]);
    // Both sizes are in the table, the larger one is under the roof, and there is a line between them.
    let text = std::fs::read_to_string(&page).unwrap();
    assert_eq!(text.matches("<tr><th scope=\"row\">").count(), 2);
    assert_eq!((text.matches("<rect").count(), text.matches("<svg").count()), (1, 2));
    // Before the script, which knows what NaN is.
    let numbers = |text: &str| text.split("<script").next().is_some_and(|body| !body.contains("NaN"));
    assert!(text.contains("penalty_grad") && text.ends_with("</html>\n") && numbers(&text));
    // The same pictures from a record, without timing anything.
    let (record, again) = (folder.path().join("record.csv"), folder.path().join("again.html"));
    let csv = ridgepole(&[&["bench", case, "--elements", "1Ki,2048", "--csv"], &quick[..]].concat()).assert().success();
    std::fs::write(&record, &csv.get_output().stdout).unwrap();
    let draw =
        |filter| ridgepole(&["bench", filter, "--draw", record.to_str().unwrap(), "--html", again.to_str().unwrap()]).assert();
    draw("").success().stdout("");
    let text = std::fs::read_to_string(&again).unwrap();
    assert!(text.contains("penalty_grad") && text.contains("Growth") && text.ends_with("</html>\n") && numbers(&text));
    draw("no such case").failure().code(2);
    ridgepole(&["bench", "--draw", record.to_str().unwrap()]).assert().failure().code(2);
    let nowhere = ["--html", "/nowhere/page.html"];
    ridgepole(&[&["bench", case], &quick[..], &nowhere].concat()).assert().code(2).stderr(contains("cannot write /nowhere"));
    for bad in ["1000", "4Gi", "much", "-1Ki"] {
        let elements = format!("--elements={bad}");
        ridgepole(&["bench", case, &elements]).assert().code(2).stderr(contains("4194304, 4Mi or 64Ki"));
    }
}

#[test]
fn a_bench_takes_cases_from_a_file_in_any_shape_of_workgroups() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.jsonl");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    let file = path.to_str().unwrap();
    let quick = ["--rounds", "1", "--sample", "1", "--working-set", "0"];
    let op = r#""op":"penalty_grad","dtype":"f32","segments":[{"start":0,"len":5000}],"groups":[{"l1":0.5}]"#;
    write(&format!("{{\"case\":\"mine\",{op}}}\n\n{{{op}}}\n"));
    let all = json(&[&["bench", "--cases", file, "--json", "--lanes", "16", "--quads", "2"], &quick[..]].concat());
    assert_eq!((&all["timings"][0]["case"], all["timings"].as_array().unwrap().len()), (&"mine".into(), 2));
    assert_eq!(json(&["bench", "mine", "--cases", file, "--host", "--rounds", "1", "--json"])["host"][0]["case"], "mine");
    // What cannot be timed is said by file, line and value.
    let refused = |args: &[&str], why: &str| {
        ridgepole(&[&["bench", "--cases", file], args].concat()).assert().code(2).stderr(contains(why.to_string())).stdout("");
    };
    refused(&["no such case"], "no case contains \"no such case\"");
    refused(&["--lanes", "24"], "power of two");
    refused(&["--quads", "0"], "--quads");
    write(&format!("{{{op}}}\n{{\"op\":\"nothing\"}}\n"));
    refused(&[], "line 2");
    write(&format!("{{\"case\":7,{op}}}\n"));
    refused(&[], "`case` is 7, must be a string");
    std::fs::remove_file(&path).unwrap();
    refused(&[], "cannot read");
}

#[test]
#[cfg(unix)]
fn a_race_holds_others_against_us() {
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        format!("sh {}", path.to_str().unwrap())
    };
    let (quick, case) = (["--elements", "4096", "--turns", "2", "--rounds", "1", "--sample", "1"], "elastic net's value");
    // A peer reads the cases and writes times: here a second, or that it is wrong.
    let header = "echo peer,variant,case,seconds,lower_quartile,upper_quartile,error";
    let peer = script(
        "peer.sh",
        &format!(
            "grep -q '\"op\":\"penalty\"' || exit 3\n{header}\necho \"slow,a,\\\"{case}, f32\\\",1,1,1,\"\n\
             echo \"slow,b,\\\"{case}, f32\\\",,,,off by 3\"\n"
        ),
    );
    let csv = folder.path().join("race.csv");
    let run = [&["race", case, "--peer", &peer, "--csv", csv.to_str().unwrap()], &quick[..]].concat();
    ridgepole(&run).assert().success().stdout(contains("slow a").and(contains("WRONG: off by 3")));
    let rows: Vec<csv::StringRecord> = csv::Reader::from_path(&csv).unwrap().records().map(|r| r.unwrap()).collect();
    assert_eq!((rows.len(), &rows[0][4], &rows[1][4], &rows[2][15]), (3, "ridgepole", "slow", "off by 3"));
    let [ours, theirs, ratio] = [&rows[0][6], &rows[1][6], &rows[1][11]].map(|v| v.parse::<f64>().unwrap());
    assert!(ours > 0.0 && theirs == 1.0 && ratio > 1.0, "{rows:?}");
    // A peer that fails is named, and what there is is shown all the same.
    for (text, why) in [
        ("exit 4\n", "exit status: 4"),
        ("echo a\necho b\n", "no line of times"),
        ("yes\n", "wrote more than 64Mi bytes"),
        ("cat /dev/zero\n", "wrote more than 64Mi bytes"),
    ] {
        let bad = script("bad.sh", text);
        ridgepole(&[&["race", case, "--peer", &bad], &quick[..]].concat())
            .assert()
            .code(2)
            .stdout(contains(case))
            .stderr(contains(why));
    }
    ridgepole(&["race", "no such case"]).assert().code(2).stderr(contains("the cases are: dropout, f32")).stdout("");
    ridgepole(&["race", "--list", "dropout, bf16"]).assert().success().stdout(contains("\"dtype\":\"bf16\""));
}

#[test]
fn the_host_has_a_table_of_its_own() {
    let case = "PenaltyGrad { dtype: Bf16";
    let all = json(&["bench", case, "--host", "--rounds", "1", "--json"]);
    let cost = &all["host"][0];
    assert!(["compile", "plan", "bind", "record", "submit"].iter().all(|k| cost[*k].as_f64().unwrap() > 0.0), "{cost}");
    ridgepole(&["bench", case, "--host", "--rounds", "1"])
        .assert()
        .success()
        .stdout(contains("record").and(contains("penalty_grad")));
    ridgepole(&["bench", case, "--host", "--rounds", "1", "--csv"]).assert().success().stdout(contains("op,case,dispatches"));
}

#[test]
fn records_are_compared_case_by_case() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let header = "device,version,op,case,bytes,elements,dispatches,seconds,lower_quartile,upper_quartile,gb_per_s,copy_gb_per_s,\
                  share,cpu_seconds,cpu_share,rounds,clock\n";
    let row = |case: &str, s: f64| format!("card,1,x,{case},8,1,1,{s},{},{},1,1,0.5,,,11,wall\n", 0.9 * s, 1.1 * s);
    let old = file("old.csv", &format!("{header}{}{}{}", row("a", 2.0), row("b", 1.0), row("gone", 1.0)));
    let new = file("new.csv", &format!("{header}{}{}", row("b", 1.1), row("a", 1.0)));
    let said = ridgepole(&["bench", "--compare", &old, &new]).assert().success();
    said.stdout(contains("2.00").and(contains("faster")).and(contains("0.91")))
        .stderr(contains("1 case is in the old record only"));
    let pairs = json(&["bench", "--compare", &old, &new, "--json"]);
    assert_eq!((&pairs[0]["case"], &pairs[0]["verdict"], &pairs[1]["verdict"]), (&"b".into(), &"".into(), &"faster".into()));
    // What cannot be compared is said by name.
    let refused = |a: &str, b: &str, why: &str| {
        ridgepole(&["bench", "--compare", a, b]).assert().code(2).stderr(contains(why.to_string())).stdout("");
    };
    refused(&old, "nowhere.csv", "cannot read nowhere.csv");
    refused(&old, &file("other.csv", &format!("{header}{}", row("c", 1.0))), "no case in common");
    refused(&file("empty.csv", header), &new, "no measurement");
    refused(&file("words.csv", &format!("{header}card,1,x,a,many,1,1,1,1,1,1,1,1,,,1,wall\n")), &new, "cannot read");
    ridgepole(&["bench", "--compare", &old]).assert().code(2);
    ridgepole(&["bench", "--compare", &old, &new, "--rounds", "3"]).assert().code(2);
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    for args in
        [&["ops"][..], &["ops", "--json"], &["devices"], &["--help"], &["check", "PenaltyGrad { dtype: F16, segments: []"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ridgepole"));
        let end = command.args(args).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&end.stderr), "", "{args:?}");
        let code = end.status.code().unwrap();
        assert!(code == 141 || args == ["--help"], "{args:?}: {code}");
    }
}

/// What a command has worked out is on the disk before its first word, so nobody who stops reading loses it.
#[test]
#[cfg(unix)]
fn results_are_written_though_nobody_reads_the_words() {
    let small = ["--epochs", "1", "--hidden", "8"];
    let commands: [(&[&str], &[&str], &[&str]); 3] = [
        (
            &["study", "--treatments", "none", "--seeds", "1"],
            &small,
            &["model.json", "model.safetensors", "report.html", "results.json"],
        ),
        (
            &["tune", "--rows", "60", "--folds", "2", "--p", "0", "--l2", "0"],
            &small,
            &["model.json", "model.safetensors", "tune.html", "tune.json"],
        ),
        (&["path", "--lambdas", "4", "--folds", "2"], &[], &["model.json", "path.html", "path.json"]),
    ];
    for (name, more, wanted) in commands {
        for full in [false, true] {
            let out = tempfile::tempdir().unwrap();
            let stdout: Stdio = if full {
                std::fs::File::options().write(true).open("/dev/full").unwrap().into()
            } else {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                writer.into()
            };
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ridgepole"));
            let command = command.args(name).args(more).arg("--out").arg(out.path()).stdout(stdout).stderr(Stdio::piped());
            let end = command.spawn().unwrap().wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&end.stderr);
            assert_eq!(end.status.code(), Some(if full { 1 } else { 141 }), "{name:?}: {said}");
            assert_eq!(crate::common::files(out.path()), wanted, "{name:?}: {said}");
        }
    }
}
