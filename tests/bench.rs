//! `ansatz bench`: the losses of the benchmark's experiments agree with numbers computed in double precision by another program, and
//! a timed step has all its facts. Times themselves are not asserted.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn bench(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ansatz"))
        .arg("bench")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

fn facts(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|error| {
        panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr));
    })
}

/// The benchmark's random numbers: splitmix64's output function at counters from `start + 1` of a key that is the FNV-1a hash of
/// the stream's name.
fn bits(stream: &str, count: usize, start: usize) -> Vec<u64> {
    let hash = |key: u64, byte: u8| (key ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let key = stream.bytes().fold(0xcbf2_9ce4_8422_2325, hash);
    let word = |counter: u64| {
        let z = key.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (start + 1..=start + count).map(|counter| word(counter as u64)).collect()
}

/// Uniform in +-sqrt(1 / inputs).
fn weights(stream: &str, inputs: usize, outputs: usize) -> Vec<f32> {
    let scale = (1.0 / inputs as f64).sqrt();
    let uniform = |word: u64| (word >> 40) as f64 / f64::from(1 << 24);
    bits(stream, inputs * outputs, 0)
        .into_iter()
        .map(|word| ((2.0 * uniform(word) - 1.0) * scale) as f32)
        .collect()
}

/// A safetensors file with the digits, the order of the rows of 20 steps, and a perceptron's parameters.
fn prepare(name: &str, sizes: &[usize], batch: usize, folder: &Path) {
    let csv = std::fs::read_to_string(Path::new(ROOT).join("experiments/data/digits.csv")).expect("digits");
    let rows: Vec<Vec<f32>> = csv
        .lines()
        .skip(1)
        .take(1437)
        .map(|line| line.split(',').map(|cell| cell.parse().expect("a number")).collect())
        .collect();
    let mut files: BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)> = BTreeMap::new();
    let floats = |values: Vec<f32>| values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
    let whole = |values: Vec<i32>| values.into_iter().flat_map(i32::to_le_bytes).collect::<Vec<u8>>();
    let pixels = rows.iter().flat_map(|row| row[..64].iter().map(|pixel| pixel / 16.0)).collect();
    files.insert("x".into(), (Dtype::F32, vec![rows.len(), 64], floats(pixels)));
    let labels = rows.iter().map(|row| row[64] as i32).collect();
    files.insert("y".into(), (Dtype::I32, vec![rows.len()], whole(labels)));
    let words = bits(&format!("{name}/order"), rows.len(), 0);
    let mut order: Vec<i32> = (0..rows.len() as i32).collect();
    order.sort_by_key(|row| words[*row as usize]);
    order.truncate(rows.len() / batch * batch);
    files.insert("order".into(), (Dtype::I32, vec![order.len()], whole(order)));
    for (at, pair) in sizes.windows(2).enumerate() {
        let weight = weights(&format!("{name}/layer{at}.weight"), pair[0], pair[1]);
        files.insert(format!("layer{at}.weight"), (Dtype::F32, pair.to_vec(), floats(weight)));
        files.insert(format!("layer{at}.bias"), (Dtype::F32, vec![pair[1]], floats(vec![0.0; pair[1]])));
    }
    let views = files.iter().map(|(name, (kind, shape, bytes))| {
        (name.clone(), TensorView::new(*kind, shape.clone(), bytes).expect("a tensor"))
    });
    let bytes = safetensors::serialize(views, None).expect("a file");
    let data = folder.join("data");
    std::fs::create_dir_all(&data).expect("a folder");
    std::fs::write(data.join(format!("{name}.safetensors")), bytes).expect("written");
    let file = format!("{name}.anz");
    std::fs::copy(Path::new(ROOT).join("experiments/bench").join(&file), folder.join(&file)).expect("copied");
}

/// The largest relative error of the first losses.
fn error(name: &str, expected: &[f64]) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder");
    prepare(name, &[64, 128, 128, 10], 64, folder.path());
    let arguments = ["--workload", name, "--folder", ".", "--backend", "cpu", "--check"];
    let found = facts(&bench(&arguments, folder.path()));
    let losses: Vec<f64> = found["losses"]
        .as_array()
        .expect("losses")
        .iter()
        .map(|loss| loss.as_f64().expect("a number"))
        .collect();
    assert_eq!(losses.len(), 20);
    losses.iter().zip(expected).map(|(a, b)| ((a - b) / b).abs()).fold(0.0, f64::max)
}

#[test]
fn the_losses_of_a_perceptron_agree() {
    let expected = [
        2.298835428,
        2.289694374,
        2.283881429,
        2.279667202,
        2.261042646,
        2.262520057,
        2.245495317,
        2.241364034,
        2.226979914,
        2.20147401,
        2.227733497,
        2.207547338,
        2.183304656,
        2.169617098,
        2.165705717,
        2.1710539,
        2.130503206,
        2.12392697,
        2.072613364,
        2.084861331,
    ];
    let error = error("W1", &expected);
    assert!(error < 1e-5, "{error}");
}

#[test]
fn the_losses_of_a_penalty_on_the_gradient_agree() {
    let expected = [
        2.317585818,
        2.311892292,
        2.297096599,
        2.279558405,
        2.257102557,
        2.214644343,
        2.229966285,
        2.199675237,
        2.15812884,
        2.156952169,
        2.139543609,
        2.120790364,
        2.105468168,
        2.094517828,
        2.061118585,
        2.024811193,
        2.025457332,
        1.991804879,
        2.003391433,
        1.960203769,
    ];
    let error = error("W7", &expected);
    assert!(error < 1e-5, "{error}");
}

const LINE: &str = "
use std.loss (mse)
use std.optim (sgd)

experiment line {
  data points over Row = 64 {
    x: Float ~ normal(0, 1)
  }
  param slope: Float = 0
  train on points {
    batch 8 over Row
    steps 30
    minimize { fit: mean(mse(slope * x, 2 * x), Row), small: 0.01 * slope^2 } over slope with sgd(lr = 0.1)
    minimize 100 + slope^2 over slope with sgd(lr = 0)
  }
  on points {
    measure found = abs(slope - 2) < 0.1
  }
  claim \"found\": found
}
";

#[test]
fn a_timed_step_has_all_its_facts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("line.anz"), LINE).expect("written");
    let arguments = ["line.anz", "--backend", "cpu", "--threads", "1", "--steps", "5", "--json", "--kernels"];
    let found = facts(&bench(&arguments, folder.path()));
    assert_eq!(found["workload"], "line");
    assert_eq!(found["threads"], 1);
    // One step, an untimed block and seven timed ones: more than the block has.
    assert_eq!(found["steps"], 41);
    assert_eq!(found["us_blocks"].as_array().expect("blocks").len(), 7);
    for fact in ["us_per_step", "first_step_s", "total_s"] {
        assert!(found[fact].as_f64().expect(fact) > 0.0, "{fact}");
    }
    // The terms of the first objective alone: the second is at least 100.
    assert!(found["final_loss"].as_f64().expect("a loss") < 10.0);
    let kernels = found["kernels"].as_array().expect("kernels");
    assert!(
        kernels.iter().any(|kernel| kernel["kernel"].as_str().is_some_and(|line| line.starts_with("gather")))
    );
    // What is checked ends where the block does, and agrees with what is timed: same rows, same steps.
    let checked = facts(&bench(&["line.anz", "--backend", "cpu", "--check", "--json"], folder.path()));
    assert_eq!(checked["losses"].as_array().expect("losses").len(), 20);
}

#[test]
fn a_whole_experiment_is_reported_and_timed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("line.anz"), LINE).expect("written");
    let output = bench(&["line.anz", "--backend", "cpu", "--whole", "--json"], folder.path());
    assert!(String::from_utf8_lossy(&output.stdout).contains("holds: found"));
    assert!(facts(&output)["total_s"].as_f64().expect("seconds") > 0.0);
}

#[test]
fn what_cannot_be_timed_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = "experiment none {\n  axis Row = 3\n  let x: Float[Row] ~ normal(0, 1)\n  measure m = mean(x, Row)\n}\n";
    std::fs::write(folder.path().join("none.anz"), text).expect("written");
    let output = bench(&["none.anz", "--backend", "cpu"], folder.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("A0605"));
    let diverging = LINE.replace("lr = 0.1", "lr = 1e30");
    std::fs::write(folder.path().join("line.anz"), diverging).expect("written");
    let output = bench(&["line.anz", "--backend", "cpu", "--steps", "20"], folder.path());
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("A0605"));
    let output = bench(&["--workload", "W99"], folder.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--folder"));
}
