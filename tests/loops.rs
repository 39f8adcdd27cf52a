//! Loops as operations: the memory that the plan states grows linearly with the rounds, and nothing is unrolled.

use std::process::Command;

/// A training step of a recurrent network over T positions, as planned.
fn plan(positions: usize) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: String = (0..64).map(|row| format!("{}\n", f64::from(row) / 64.0)).collect();
    std::fs::write(folder.path().join("made.csv"), format!("y\n{rows}")).expect("the data is written");
    let text = format!(
        "use std.nn (Gru)
use std.optim (adam)

data made = csv(\"made.csv\") over Row {{ y: Float }}

experiment recurrent {{
  split made into train 50%, test 50%
  axis T = {positions}, In = 8, H = 64
  let net = Gru[T, In, H]()
  train on made.train {{
    batch 32 over Row
    steps 1
    let x: Float[Row, T, In] ~ normal(0, 1)
    minimize mean((mean(net.last(x), H) - y)^2, Row) over net with adam(lr = 1e-3)
  }}
  on made.test {{
    measure size = mean(y, Row)
  }}
  claim \"it runs\": size < 100
}}
"
    );
    let file = folder.path().join("recurrent.anz");
    std::fs::write(&file, text).expect("the experiment is written");
    let output = Command::new(env!("CARGO_BIN_EXE_ansatz"))
        .args(["graph", "--stage", "plan"])
        .arg(&file)
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Kernels and bytes of the whole plan: its first line.
fn totals(plan: &str) -> (usize, usize) {
    let first = plan.lines().next().expect("a first line");
    let numbers: Vec<usize> = first.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    (numbers[0], numbers[1])
}

#[test]
fn memory_grows_no_worse_than_linearly() {
    let plans = [64, 128, 256].map(plan);
    let [short, middle, long] = [0, 1, 2].map(|at| totals(&plans[at]));
    assert_eq!(short.0, long.0, "as many kernels, however many rounds");
    let no_worse = middle.1 <= 2 * short.1 && long.1 <= 2 * middle.1;
    assert!(no_worse, "{} {} {} bytes", short.1, middle.1, long.1);
    // The states of all rounds, and three gates and a product that they are made of, have to be kept: 256 rounds of 32 rows of 64
    // numbers of 4 bytes, each.
    assert!(
        plans[2].contains("256 rounds: 1 carried, 5 kept of every round in 10485760 bytes"),
        "{}",
        plans[2]
    );
    assert!(plans[2].contains("256 rounds, last to first"), "{}", plans[2]);
}
