//! An experiment by hand: what the runtime does with the programs of elaboration, on the reference evaluator.

use ansatz::check::check;
use ansatz::check::program::{AxisId, Phase, Program};
use ansatz::diagnostic::render;
use ansatz::graph::elaborate::{DataBinding, Length, Scope, Stored, Value, VaryBinding};
use ansatz::graph::reference::evaluate;
use ansatz::graph::{Element, Precision, Store, Tensor};
use ansatz::syntax::ast::{Experiment, ItemKind, Statement, StatementKind};

const SOURCE: &str = r#"
use std.optim (sgd)

data points = csv("points.csv") over Example {
  x: Float
  y: Float
}

layer Line {
  param slope: Float ~ normal(0, 1)
  param offset: Float = 0
  (x: Float) -> Float = slope * x + offset
}

experiment straight {
  vary Objective = { square_error, absolute_error }
  vary Seed = 2
  split points into train 8, test
  let line = Line()
  train on points.train {
    batch 4 over Example
    steps 300
    minimize {
      fit: match Objective {
        square_error   => mean(square(line(x) - y), Example)
        absolute_error => mean(abs(line(x) - y), Example)
      }
      small: 0 * line.slope^2
    } over line with sgd(lr = 0.1 * (1 - progress), momentum = 0.9)
  }
  on points.test {
    measure miss = mean(abs(line(x) - y), Example)
    measure worst = max(abs(line(x) - y), Example)
  }
  let each = mean(miss, Seed)
  claim "the line is found": each[Objective = square_error] < 0.01 and all(miss >= 0, Objective, Seed)
}
"#;

fn axis(program: &Program, name: &str) -> AxisId {
    let at = program.axes.iter().position(|info| info.name == name);
    AxisId(at.unwrap_or_else(|| panic!("no axis {name}")) as u32)
}

fn experiment(program: &Program) -> &Experiment {
    let items = &program.files.last().expect("the file").items;
    let found = items.iter().find_map(|item| match &item.kind {
        ItemKind::Experiment(experiment) => Some(experiment),
        _ => None,
    });
    found.expect("an experiment")
}

fn statements(program: &Program, phase: Phase) -> Vec<&Statement> {
    let all = experiment(program).body.iter();
    all.filter(|statement| program.phases.get(&statement.span) == Some(&phase)).collect()
}

/// The data y = 2x + 1 at twelve points, the first eight for training.
fn bind_points(scope: &mut Scope, store: &mut Store, program: &Program) {
    let rows = scope.bind_axis(axis(program, "Example"), 12);
    let train = scope.bind_axis(axis(program, "Example.train"), 8);
    let test = scope.bind_axis(axis(program, "Example.test"), 4);
    let x: Vec<f64> = (0..12).map(|k| f64::from(k) / 6.0 - 1.0).collect();
    let y = x.iter().map(|x| 2.0 * x + 1.0).collect();
    let mut stored = |name: &str, tensor: Tensor, layout| Stored {
        element: tensor.element(),
        slot: store.add(tensor),
        layout,
        name: name.to_owned(),
    };
    let mut data = DataBinding::default();
    data.columns.insert("x".into(), stored("x", Tensor::F64(x), vec![rows]));
    data.columns.insert("y".into(), stored("y", Tensor::F64(y), vec![rows]));
    data.parts.insert("train".into(), stored("train", Tensor::Index((0..8).collect()), vec![train]));
    data.parts.insert("test".into(), stored("test", Tensor::Index((8..12).collect()), vec![test]));
    scope.bind_data("points", data);
}

/// One trial: the measure `miss`, and the dump of its training step.
fn trial(program: &Program, arm: usize, seed: i32) -> (f64, String) {
    let mut store = Store::default();
    let seed_slot = store.add(Tensor::Index(vec![seed]));
    let mut scope = Scope::new(program, seed_slot);
    bind_points(&mut scope, &mut store, program);
    scope.bind_vary(axis(program, "Objective"), VaryBinding::Arm(arm));
    scope.bind_vary(axis(program, "Seed"), VaryBinding::Number(f64::from(seed)));
    let mut dump = String::new();
    let mut miss = f64::NAN;
    for statement in statements(program, Phase::Trial) {
        match &statement.kind {
            StatementKind::Let(_) => {
                let made = scope.execute(statement, &mut store, Precision::Double).expect("a let");
                evaluate(&made.expect("a program of initial values"), &mut store).expect("initial values");
            }
            StatementKind::Train(train) => {
                let step = scope.train(train, statement.span, &mut store, Precision::Double).expect("a step");
                dump = step.program.to_string();
                assert_eq!(step.length, Length::Steps(300));
                assert_eq!(
                    step.terms.iter().map(|term| term.name.as_str()).collect::<Vec<_>>(),
                    ["fit", "small"]
                );
                let names: Vec<&str> = step.parameters.iter().map(|p| p.name.as_str()).collect();
                assert_eq!(names, ["line.offset", "line.slope"]);
                let [batch] = &step.batches[..] else { panic!("one batch") };
                assert_eq!((batch.rows, batch.size), (8, 4));
                evaluate(&step.initialise, &mut store).expect("states");
                for k in 0..300 {
                    let rows = (0..4).map(|j| (k * 3 + j * 2) % 8).collect();
                    *store.get_mut(batch.slot.expect("row numbers")) = Tensor::Index(rows);
                    *store.get_mut(step.step) = Tensor::Index(vec![k]);
                    *store.get_mut(step.progress) = Tensor::F64(vec![f64::from(k) / 300.0]);
                    evaluate(&step.program, &mut store).expect("a step that runs");
                }
                let loss = store.get(step.terms[0].slot).to_f64()[0];
                assert!(loss < 0.05, "{loss}");
            }
            StatementKind::On { data, body } => {
                let block =
                    scope.on(data, body, statement.span, &mut store, Precision::Double).expect("a block");
                evaluate(&block.program, &mut store).expect("measures");
                let names: Vec<&str> = block.measures.iter().map(|m| m.outcome.name.as_str()).collect();
                assert_eq!(names, ["miss", "worst"]);
                miss = store.get(block.measures[0].outcome.slot).to_f64()[0];
            }
            _ => {}
        }
    }
    (miss, dump)
}

#[test]
fn a_line_is_trained_and_its_claim_decided() {
    let checked = check("straight.anz", SOURCE);
    let program = match &checked.program {
        Some(program) => program,
        None => panic!("{}", render(&checked.diagnostics, &checked.sources, false)),
    };
    let mut misses = Vec::new();
    for arm in 0..2 {
        for seed in 0..2 {
            let (miss, dump) = trial(program, arm, seed);
            if (arm, seed) == (0, 0) {
                insta::assert_snapshot!("training_step", dump);
            }
            misses.push(miss);
        }
    }
    assert!(misses[0] < 0.01 && misses[0] != misses[1], "{misses:?}");

    let mut store = Store::default();
    let seed = store.add(Tensor::Index(vec![0]));
    let mut scope = Scope::new(program, seed);
    let (objective, seeds) = (axis(program, "Objective"), axis(program, "Seed"));
    let layout = vec![scope.bind_axis(objective, 2), scope.bind_axis(seeds, 2)];
    scope.bind_vary(objective, VaryBinding::Values(Vec::new()));
    scope.bind_vary(seeds, VaryBinding::Values(vec![0.0, 1.0]));
    let name = experiment(program).body.iter().find_map(|statement| match &statement.kind {
        StatementKind::On { body, .. } => body.iter().find_map(|statement| match &statement.kind {
            StatementKind::Measure { name, .. } => Some(name.span),
            _ => None,
        }),
        _ => None,
    });
    let slot = store.add(Tensor::F64(misses.clone()));
    let stored = Stored { slot, element: Element::Float, layout, name: "miss".into() };
    scope.bind(name.expect("a measure"), Value::Stored(stored));
    let mut decided = 0;
    for statement in statements(program, Phase::Results) {
        match &statement.kind {
            StatementKind::Let(_) => {
                let made = scope.execute(statement, &mut store, Precision::Double).expect("a let of results");
                evaluate(&made.expect("a program"), &mut store).expect("results");
            }
            StatementKind::Claim { condition, .. } => {
                let claim = scope.claim(condition, &mut store).expect("a claim");
                evaluate(&claim.program, &mut store).expect("a verdict");
                assert_eq!(store.get(claim.verdict.slot).to_f64(), [1.0]);
                let (span, shown) = &claim.evidence[0];
                assert_eq!(checked.sources.slice(*span), "each[Objective = square_error]");
                let expected = (misses[0] + misses[1]) / 2.0;
                assert!((store.get(shown.slot).to_f64()[0] - expected).abs() < 1e-12);
                decided += 1;
            }
            _ => {}
        }
    }
    assert_eq!(decided, 1);
}
