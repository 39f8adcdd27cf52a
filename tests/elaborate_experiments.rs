//! Every experiment that comes with the package elaborates, in all its arms, over made-up data of plausible sizes.

use ansatz::check::check;
use ansatz::check::program::{AxisId, AxisKind, Phase, Program, Type, Vary};
use ansatz::diagnostic::{Checked, render};
use ansatz::graph::elaborate::{DataBinding, Scope, Stored, Value, VaryBinding};
use ansatz::graph::{Element, Precision, Store, Tensor};
use ansatz::source::Span;
use ansatz::syntax::ast::{Data, DataSource, Experiment, ItemKind, StatementKind, TypeKind};

const ROWS: usize = 60;
const PART: usize = 20;
/// Digits have ten classes, images 8 x 8 pixels.
const CATEGORY: usize = 10;
const GROUP: usize = 64;

fn tensor(element: Element, count: usize) -> Tensor {
    match element {
        Element::Float => Tensor::F64(vec![0.0; count]),
        Element::Index => Tensor::Index(vec![0; count]),
        Element::Bool => Tensor::Bool(vec![0; count]),
    }
}

fn is_of(program: &Program, rows: AxisId, name: &str) -> bool {
    matches!(&program.axis(rows).kind, AxisKind::Rows { data } if data == name)
}

fn columns(data: &Data) -> Vec<&ansatz::syntax::ast::Column> {
    match &data.source {
        DataSource::File { columns, .. } => columns.iter().collect(),
        _ => Vec::new(),
    }
}

/// Axes and data of one trial, or with all values of its axes.
fn bind<'p>(scope: &mut Scope<'p>, store: &mut Store, program: &'p Program) {
    for (k, info) in program.axes.iter().enumerate() {
        let size = match &info.kind {
            AxisKind::Rows { .. } => ROWS,
            AxisKind::Part { .. } => PART,
            AxisKind::Category { .. } => CATEGORY,
            AxisKind::Group { .. } => GROUP,
            _ => continue,
        };
        scope.bind_axis(AxisId(k as u32), size);
    }
    let items = program.files.iter().flat_map(|file| &file.items);
    for data in items.filter_map(|item| match &item.kind {
        ItemKind::Data(data) => Some(data),
        _ => None,
    }) {
        let mut binding = DataBinding::default();
        let mut rows = None;
        for (k, info) in program.axes.iter().enumerate() {
            let id = AxisId(k as u32);
            match &info.kind {
                AxisKind::Rows { data: of } if *of == data.name.text => rows = scope.axis(id),
                AxisKind::Part { part, rows: of } if is_of(program, *of, &data.name.text) => {
                    let slot = store.add(Tensor::Index((0..PART as i32).collect()));
                    let layout = vec![scope.axis(id).expect("a part")];
                    let stored = Stored { slot, element: Element::Index, layout, name: part.clone() };
                    binding.parts.insert(part.clone(), stored);
                }
                _ => {}
            }
        }
        for column in columns(data) {
            let TypeKind::Array { element, axes } = &column.ty.kind else { continue };
            let mut layout = vec![rows.expect("rows")];
            layout.extend(axes.iter().map(|name| scope.axis(program.axes_at[&name.span]).expect("an axis")));
            let element = match element.text.as_str() {
                "Float" => Element::Float,
                "Bool" => Element::Bool,
                _ => Element::Index,
            };
            let count = layout.iter().map(|axis| scope.axes.size(*axis)).product();
            let slot = store.add(tensor(element, count));
            let name = column.name.text.clone();
            binding.columns.insert(name.clone(), Stored { slot, element, layout, name });
        }
        scope.bind_data(&data.name.text, binding);
    }
}

/// Parts of a data set that is made in the experiment.
fn bind_parts(scope: &mut Scope, store: &mut Store, program: &Program, name: &str) {
    let mut binding = scope.data(name).cloned().unwrap_or_default();
    for (k, info) in program.axes.iter().enumerate() {
        if let AxisKind::Part { part, rows } = &info.kind
            && is_of(program, *rows, name)
        {
            let slot = store.add(Tensor::Index((0..PART as i32).collect()));
            let layout = vec![scope.axis(AxisId(k as u32)).expect("a part")];
            let stored = Stored { slot, element: Element::Index, layout, name: part.clone() };
            binding.parts.insert(part.clone(), stored);
        }
    }
    scope.bind_data(name, binding);
}

/// The choices of the trial: arm `arm` of every structural axis, as far as it has that many.
fn varies(program: &Program, arm: usize) -> Vec<(AxisId, VaryBinding)> {
    let mut found = Vec::new();
    for (k, info) in program.axes.iter().enumerate() {
        match &info.kind {
            AxisKind::Vary(Vary::Arms(arms)) => {
                found.push((AxisId(k as u32), VaryBinding::Arm(arm % arms.len())))
            }
            AxisKind::Vary(Vary::Values(_)) => found.push((AxisId(k as u32), VaryBinding::Number(2.0))),
            _ => {}
        }
    }
    found
}

fn trial(program: &Program, experiment: &Experiment, arm: usize) -> Checked<usize> {
    let mut store = Store::default();
    let seed = store.add(Tensor::Index(vec![1]));
    let mut scope = Scope::new(program, seed);
    bind(&mut scope, &mut store, program);
    for (axis, binding) in varies(program, arm) {
        scope.bind_vary(axis, binding);
    }
    let mut programs = 0;
    for statement in &experiment.body {
        if program.phases.get(&statement.span) != Some(&Phase::Trial) {
            continue;
        }
        match &statement.kind {
            StatementKind::Axis(_) | StatementKind::Let(_) | StatementKind::Param(_) => {
                programs += usize::from(scope.execute(statement, &mut store, Precision::Single)?.is_some());
            }
            StatementKind::Data(data) => {
                assert!(scope.generated_rows(data)?.is_some_and(|rows| rows > 0));
                scope.generate(data, &mut store, Precision::Single)?;
                bind_parts(&mut scope, &mut store, program, &data.name.text);
                programs += 1;
            }
            StatementKind::Train(train) => {
                let step = scope.train(train, statement.span, &mut store, Precision::Single)?;
                assert!(!step.parameters.is_empty() && !step.terms.is_empty());
                programs += 1;
            }
            StatementKind::On { data, body } => {
                let block = scope.on(data, body, statement.span, &mut store, Precision::Double)?;
                assert!(!block.measures.is_empty());
                programs += 1;
            }
            _ => {}
        }
    }
    Ok(programs)
}

fn measures(experiment: &Experiment) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    for statement in &experiment.body {
        let inner = match &statement.kind {
            StatementKind::On { body, .. } => &body[..],
            StatementKind::Measure { .. } => std::slice::from_ref(statement),
            _ => &[],
        };
        for statement in inner {
            if let StatementKind::Measure { name, .. } = &statement.kind {
                found.push((name.span, name.text.clone()));
            }
        }
    }
    found
}

fn results(program: &Program, experiment: &Experiment) -> Checked<usize> {
    let mut store = Store::default();
    let seed = store.add(Tensor::Index(vec![1]));
    let mut scope = Scope::new(program, seed);
    bind(&mut scope, &mut store, program);
    for (k, info) in program.axes.iter().enumerate() {
        let AxisKind::Vary(vary) = &info.kind else { continue };
        let (size, values) = match vary {
            Vary::Arms(arms) => (arms.len(), Vec::new()),
            Vary::Values(_) => {
                let expr = experiment.body.iter().find_map(|statement| match &statement.kind {
                    StatementKind::Vary { name, over: ansatz::syntax::ast::VaryOver::Values(values) } => {
                        (name.text == info.name).then_some(values)
                    }
                    _ => None,
                });
                let Some(expr) = expr else { continue };
                let mut numbers = scope.numbers(expr)?;
                if let ([count], true) = (&numbers[..], numbers.len() == 1) {
                    numbers = (0..*count as usize).map(|k| k as f64).collect();
                }
                (numbers.len(), numbers)
            }
        };
        scope.bind_axis(AxisId(k as u32), size);
        scope.bind_vary(AxisId(k as u32), VaryBinding::Values(values));
    }
    // Axes of the experiment itself, which measures may have; those sized by the trial have no size here.
    for statement in &experiment.body {
        if matches!(statement.kind, StatementKind::Axis(_)) {
            let _ = scope.execute(statement, &mut store, Precision::Double);
        }
    }
    for (span, name) in measures(experiment) {
        let Some(Type::Array { element, axes }) = program.bindings.get(&span) else { continue };
        let layout: Vec<_> = axes.iter().filter_map(|id| scope.axis(*id)).collect();
        assert_eq!(layout.len(), axes.len(), "the axes of `{name}`");
        let element = match element {
            ansatz::check::program::Element::Float => Element::Float,
            ansatz::check::program::Element::Bool => Element::Bool,
            ansatz::check::program::Element::Text => panic!("a measure of texts"),
            ansatz::check::program::Element::Index(_) => Element::Index,
        };
        let count = layout.iter().map(|axis| scope.axes.size(*axis)).product();
        let slot = store.add(tensor(element, count));
        scope.bind(span, Value::Stored(Stored { slot, element, layout, name }));
    }
    let mut claims = 0;
    for statement in &experiment.body {
        if program.phases.get(&statement.span) != Some(&Phase::Results) {
            continue;
        }
        match &statement.kind {
            StatementKind::Let(_) | StatementKind::Axis(_) => {
                scope.execute(statement, &mut store, Precision::Double)?;
            }
            StatementKind::Claim { condition, .. } => {
                let claim = scope.claim(condition, &mut store)?;
                assert!(!claim.evidence.is_empty());
                claims += 1;
            }
            _ => {}
        }
    }
    Ok(claims)
}

#[test]
fn every_experiment_elaborates_in_all_its_arms() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments");
    let mut wrong = Vec::new();
    let mut experiments = 0;
    for entry in std::fs::read_dir(folder).expect("the experiments").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|ending| ending != "anz") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("an experiment");
        let checked = check(&path.display().to_string(), &text);
        let Some(program) = &checked.program else {
            wrong.push(render(&checked.diagnostics, &checked.sources, false));
            continue;
        };
        for item in &program.files.last().expect("the file").items {
            let ItemKind::Experiment(experiment) = &item.kind else { continue };
            experiments += 1;
            let arms = program.axes.iter().filter_map(|info| match &info.kind {
                AxisKind::Vary(Vary::Arms(arms)) => Some(arms.len()),
                _ => None,
            });
            for arm in 0..arms.max().unwrap_or(1) {
                match trial(program, experiment, arm) {
                    Ok(programs) => assert!(programs >= 2, "{} has no programs", path.display()),
                    Err(errors) => wrong.push(render(&errors, &checked.sources, false)),
                }
            }
            match results(program, experiment) {
                Ok(claims) => assert!(claims >= 1, "{} has no claims", path.display()),
                Err(errors) => wrong.push(render(&errors, &checked.sources, false)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} failures:\n{}", wrong.len(), wrong.join("\n"));
    assert!(experiments >= 3, "only {experiments} experiments");
}
