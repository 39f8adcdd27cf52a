//! Native code of fused kernels, for each set of instructions that this machine has, against the interpreter, and bands against kernels one
//! by one: the same bits. Where this machine has no native code the interpreter is compared with itself.

mod support;

use ansatz::backend::cpu;
use ansatz::graph::{
    Binary, Compare, Element, Logic, NodeId, Precision, Program, Reduction, Store, Tensor, Unary,
};
use ansatz::plan::{MachineCode, PlanOptions, plan};
use proptest::prelude::*;
use support::random_program::{Generated, generate_for_bits};

const CODES: [MachineCode; 2] = [MachineCode::Best, MachineCode::Avx2];

/// What a program leaves in its outputs, as bits; NaN are all alike.
fn outputs(program: &Program, store: &Store, code: MachineCode, bands: bool) -> Option<Vec<Vec<u64>>> {
    let mut store = store.clone();
    let options = PlanOptions { machine_code: code, bands, ..PlanOptions::default() };
    cpu::compile(program, &options).expect("a plan").run(&mut store).ok()?;
    let bits = |x: f64| if x.is_nan() { u64::MAX } else { x.to_bits() };
    let of = |slot| store.get(slot).to_f64().into_iter().map(bits).collect();
    Some(program.outputs.iter().map(|output| of(output.slot)).collect())
}

fn same_bits(program: &Program, store: &Store, what: &str) {
    let plain = outputs(program, store, MachineCode::None, true);
    for code in CODES {
        assert_same(&outputs(program, store, code, true), &plain, &format!("{what}, {code:?}"));
    }
}

/// Tells of the first element that differs, not of all of them.
fn assert_same(found: &Option<Vec<Vec<u64>>>, expected: &Option<Vec<Vec<u64>>>, what: &str) {
    let (Some(found), Some(expected)) = (found, expected) else {
        return assert_eq!(found.is_some(), expected.is_some(), "{what}");
    };
    assert_eq!(found.len(), expected.len(), "{what}");
    for (output, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}, output {output}");
        let differs = (0..found.len()).find(|at| found[*at] != expected[*at]);
        if let Some(at) = differs {
            let [found, expected] = [found[at], expected[at]].map(f64::from_bits);
            panic!("{what}, output {output}: {found} instead of {expected} at {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_have_the_same_bits(seed in any::<u64>(), nodes in 1usize..40) {
        let Generated { program, store } = generate_for_bits(Precision::Single, seed, nodes);
        let plain = outputs(&program, &store, MachineCode::None, false);
        for code in CODES {
            prop_assert_eq!(&outputs(&program, &store, code, true), &plain, "{:?}", code);
        }
        prop_assert_eq!(&outputs(&program, &store, MachineCode::None, true), &plain);
    }
}

/// The exponent of one element is one for all elements, and still no uniform load.
#[test]
fn the_power_of_one_element_has_the_same_bits() {
    for exponent in [1.0, -1.0, 2.0, 3.0, 0.5, 2.5] {
        for length in [1, 2, 40] {
            let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
            let axis = program.graph.axes.add("A", length);
            let slot = store.add(Tensor::F32((0..length).map(|at| 0.0442 + 0.37 * at as f32).collect()));
            let axes = if length == 1 { &[][..] } else { &[axis] };
            let x = program.input("x", Element::Float, axes, slot);
            let exponent = program.graph.float(exponent).unwrap();
            let power = program.graph.binary(Binary::Power, x, exponent).unwrap();
            let slot = store.add(Tensor::F32(Vec::new()));
            program.output("y", power, axes, slot).unwrap();
            same_bits(&program, &store, &format!("{length} elements"));
        }
    }
}

/// Numbers at and around every limit of the functions.
fn numbers(count: usize) -> Vec<f32> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.0,
        88.7,
        89.0,
        89.5,
        -87.3,
        -88.0,
        -103.9,
        -104.0,
        -104.1,
        1e-40,
        -1e-40,
        1.2e-38,
        3.4e38,
        -3.4e38,
        0.6,
        0.55,
        4e-4,
        2_147_483_648.0,
        -2_147_483_648.0,
        2_147_483_500.0,
        0.1,
        7.25,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];
    let mut state = 7u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    (0..count)
        .map(|at| match random() % 3 {
            0 => special[random() as usize % special.len()],
            1 => (random() as f32 / (1 << 23) as f32 - 1.0) * 4.0,
            _ => f32::from_bits(random() << 8 | at as u32 & 0xff),
        })
        .collect()
}

fn agree(what: &str, count: usize, build: &dyn Fn(&mut Program, NodeId, NodeId) -> NodeId) {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    let axis = program.graph.axes.add("A", count);
    let all = numbers(2 * count);
    let operands = [&all[..count], &all[count..]].map(|values| {
        let slot = store.add(Tensor::F32(values.to_vec()));
        program.input("x", Element::Float, &[axis], slot)
    });
    let result = build(&mut program, operands[0], operands[1]);
    let slot = store.add(Tensor::F32(Vec::new()));
    program.output("y", result, &[axis], slot).unwrap();
    same_bits(&program, &store, &format!("{what} of {count}"));
}

#[test]
fn every_operation_has_the_same_bits() {
    let unary = [
        Unary::Negate,
        Unary::Exp,
        Unary::Log,
        Unary::Log1p,
        Unary::Expm1,
        Unary::Sqrt,
        Unary::Tanh,
        Unary::Erf,
        Unary::Sigmoid,
        Unary::Abs,
        Unary::Sign,
        Unary::Floor,
        Unary::Reciprocal,
    ];
    let binary = [
        Binary::Add,
        Binary::Subtract,
        Binary::Multiply,
        Binary::Divide,
        Binary::Remainder,
        Binary::Max,
        Binary::Min,
        Binary::Power,
    ];
    let compare = [Compare::Equal, Compare::NotEqual, Compare::Less, Compare::LessEqual];
    for count in [1, 15, 16, 17, 100, 1000, 5000] {
        for op in unary {
            agree(&format!("{op:?}"), count, &|p, a, _| p.graph.unary(op, a).unwrap());
        }
        for op in binary {
            agree(&format!("{op:?}"), count, &|p, a, b| p.graph.binary(op, a, b).unwrap());
        }
        for op in compare {
            agree(&format!("{op:?}"), count, &|p, a, b| {
                let test = p.graph.compare(op, a, b).unwrap();
                p.graph.select(test, a, b).unwrap()
            });
        }
        for exponent in [2.0, 3.0, 1.0, -1.0, 0.5] {
            agree(&format!("power {exponent}"), count, &|p, a, _| {
                let exponent = p.graph.float(exponent).unwrap();
                p.graph.binary(Binary::Power, a, exponent).unwrap()
            });
        }
        agree("casts", count, &|p, a, _| {
            let index = p.graph.cast(a, Element::Index).unwrap();
            let truth = p.graph.cast(index, Element::Bool).unwrap();
            let (x, y) =
                (p.graph.cast(index, Element::Float).unwrap(), p.graph.cast(truth, Element::Float).unwrap());
            p.graph.binary(Binary::Add, x, y).unwrap()
        });
    }
}

/// Operands that are spread along some of four axes: rows in blocks, and blocks in outer loops.
#[test]
fn spread_operands_have_the_same_bits() {
    for sizes in [[2, 3, 2, 16], [3, 2, 5, 33], [1, 4, 1, 20], [5, 1, 7, 64]] {
        for left in 1u32..16 {
            for right in [15 - left, left, 8] {
                let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
                let names = ["A", "B", "C", "D"].into_iter().zip(sizes);
                let axes: Vec<_> = names.map(|(name, size)| program.graph.axes.add(name, size)).collect();
                let of = |bits: u32| -> Vec<_> {
                    (0..4).filter(|at| bits >> at & 1 > 0).map(|at| axes[at]).collect()
                };
                let operands: Vec<NodeId> = [15, left, right]
                    .into_iter()
                    .map(|bits| {
                        let layout = of(bits);
                        let count = layout.iter().map(|axis| program.graph.axes.size(*axis)).product();
                        let slot = store.add(Tensor::F32(numbers(count)));
                        program.input("x", Element::Float, &layout, slot)
                    })
                    .collect();
                let g = &mut program.graph;
                let sum = g.binary(Binary::Add, operands[0], operands[1]).unwrap();
                let product = g.binary(Binary::Multiply, sum, operands[2]).unwrap();
                let result = g.unary(Unary::Exp, product).unwrap();
                let slot = store.add(Tensor::F32(Vec::new()));
                program.output("y", result, &axes, slot).unwrap();
                same_bits(&program, &store, &format!("{sizes:?} {left} {right}"));
            }
        }
    }
}

/// Sums of rows that are made with the rows, of those that are kept and of those that nothing else needs.
#[test]
fn sums_of_rows_have_the_same_bits() {
    for width in [10, 16, 20, 48, 63, 64, 65, 80, 100, 128, 150, 1000, 1024, 1100] {
        for rows in [8, 24, 40] {
            let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
            let (row, column) = (program.graph.axes.add("R", rows), program.graph.axes.add("C", width));
            let all = numbers(rows * width).into_iter();
            let values: Vec<f32> = all.map(|x| if x.abs() < 50.0 { x } else { 0.25 }).collect();
            let slot = store.add(Tensor::F32(values));
            let x = program.input("x", Element::Float, &[row, column], slot);
            let g = &mut program.graph;
            let power = g.unary(Unary::Exp, x).unwrap();
            let total = g.reduce(Reduction::Sum, power, &[column]).unwrap();
            let share = g.binary(Binary::Divide, power, total).unwrap();
            let square = g.binary(Binary::Multiply, x, x).unwrap();
            let length = g.reduce(Reduction::Sum, square, &[column]).unwrap();
            let short = g.binary(Binary::Multiply, share, length).unwrap();
            let sum = g.reduce(Reduction::Sum, short, &[column]).unwrap();
            for (node, axes) in [(short, &[row, column][..]), (length, &[row]), (sum, &[row])] {
                let slot = store.add(Tensor::F32(Vec::new()));
                program.output("y", node, axes, slot).unwrap();
            }
            same_bits(&program, &store, &format!("{rows} rows of {width}"));
            let [banded, one_by_one] =
                [true, false].map(|bands| outputs(&program, &store, MachineCode::None, bands));
            assert_same(&one_by_one, &banded, &format!("{rows} rows of {width}, one by one"));
        }
    }
}

/// Rows of x in parts of their sum, centred and scaled, and sums of columns of both: more than the caches hold.
fn large(rows: usize, width: usize) -> (Program, Store) {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    let (row, column) = (program.graph.axes.add("R", rows), program.graph.axes.add("C", width));
    let values = |from: usize| {
        Tensor::F32((0..rows * width).map(|at| ((at * 7919 + from) % 1013) as f32 * 3e-3).collect())
    };
    let slots = [store.add(values(0)), store.add(values(500))];
    let x = program.input("x", Element::Float, &[row, column], slots[0]);
    let y = program.input("y", Element::Float, &[row, column], slots[1]);
    let g = &mut program.graph;
    let mean = g.reduce(Reduction::Sum, x, &[column]).unwrap();
    let centred = g.binary(Binary::Subtract, x, mean).unwrap();
    let power = g.unary(Unary::Tanh, centred).unwrap();
    let share = g.binary(Binary::Multiply, power, y).unwrap();
    let total = g.reduce(Reduction::Sum, share, &[column]).unwrap();
    let scaled = g.binary(Binary::Divide, share, total).unwrap();
    let moved = g.binary(Binary::Add, scaled, y).unwrap();
    let columns = [share, moved].map(|node| g.reduce(Reduction::Sum, node, &[row]).unwrap());
    let biggest = g.reduce(Reduction::Max, moved, &[column]).unwrap();
    let outputs = [
        (power, &[row, column][..]),
        (scaled, &[row, column]),
        (columns[0], &[column]),
        (columns[1], &[column]),
    ];
    for (node, axes) in outputs.into_iter().chain([(biggest, &[row][..])]) {
        let slot = store.add(Tensor::F32(Vec::new()));
        program.output("out", node, axes, slot).unwrap();
    }
    (program, store)
}

#[test]
fn what_goes_past_the_caches_has_the_same_bits() {
    for (rows, width) in [(2560, 1000), (2560, 1024), (5120, 520), (2560, 1003)] {
        let (program, store) = large(rows, width);
        let planned = plan(&program, &PlanOptions::default()).unwrap();
        assert!(!planned.streamed().is_empty(), "{rows} x {width}: {planned}");
        assert!(!planned.ahead().is_empty(), "{rows} x {width}: {planned}");
        assert!(planned.bands.iter().any(|band| band.steps > 1), "{rows} x {width}: {planned}");
        same_bits(&program, &store, &format!("{rows} x {width}"));
        let plain = outputs(&program, &store, MachineCode::None, false);
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| outputs(&program, &store, MachineCode::Best, true));
            assert_same(&found, &plain, &format!("{rows} x {width}, {threads} threads"));
        }
    }
}

/// More results at a time than there are registers, numbers and truth values: some of them wait on the stack.
#[test]
fn results_without_registers_have_the_same_bits() {
    for count in [5, 16, 23, 31, 100] {
        for wide in [10, 20, 40] {
            let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
            let (row, axis) = (program.graph.axes.add("R", 3), program.graph.axes.add("A", count));
            let slot = store.add(Tensor::F32(numbers(3 * count)));
            let x = program.input("x", Element::Float, &[row, axis], slot);
            let slot = store.add(Tensor::F32(numbers(3)));
            let each = program.input("each", Element::Float, &[row], slot);
            let g = &mut program.graph;
            let mut terms = vec![each];
            let mut tests = Vec::new();
            for at in 0..wide {
                let factor = g.float(0.1 + f64::from(at)).unwrap();
                let scaled = g.binary(Binary::Multiply, x, factor).unwrap();
                let last = terms[terms.len() - 1];
                terms.push(g.binary(Binary::Add, scaled, last).unwrap());
                tests.push(g.compare(Compare::Less, scaled, each).unwrap());
            }
            // The first ones are needed last.
            let mut result = g.unary(Unary::Tanh, terms[terms.len() - 1]).unwrap();
            for (term, test) in terms.iter().zip(&tests).rev() {
                let product = g.binary(Binary::Multiply, result, *term).unwrap();
                result = g.select(*test, product, result).unwrap();
            }
            let both = g.logic(Logic::And, tests[0], tests[tests.len() - 1]).unwrap();
            for (node, element) in [(result, Element::Float), (both, Element::Bool)] {
                let slot = store.add(match element {
                    Element::Bool => Tensor::Bool(Vec::new()),
                    _ => Tensor::F32(Vec::new()),
                });
                program.output("y", node, &[row, axis], slot).unwrap();
            }
            same_bits(&program, &store, &format!("{wide} results of {count}"));
        }
    }
}
