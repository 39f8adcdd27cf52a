//! Splits, folds, permutations and batches.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const KEY: [u32; 2] = [7, 3];

fn part(name: &str, amount: Amount) -> PartSpec {
    PartSpec { name: name.into(), amount, span: span(10) }
}

fn spec<'a>(rows: usize, parts: &'a [PartSpec]) -> SplitSpec<'a> {
    SplitSpec { rows, parts, groups: &[], strata: &[], key: KEY, span: span(11) }
}

fn sizes(outcome: &Split) -> Vec<usize> {
    outcome.parts.iter().map(|(_, rows)| rows.len()).collect()
}

fn code<T: std::fmt::Debug>(outcome: Checked<T>) -> Vec<Code> {
    outcome.unwrap_err().iter().map(|p| p.code).collect()
}

#[test]
fn amounts_give_the_rows_one_expects() {
    use Amount::*;
    let split_sizes = |rows, amounts: &[Amount]| {
        let parts: Vec<_> = amounts.iter().enumerate().map(|(i, a)| part(&format!("p{i}"), *a)).collect();
        sizes(&split(spec(rows, &parts)).unwrap())
    };
    assert_eq!(split_sizes(10, &[Fraction(0.7), Fraction(0.3)]), [7, 3]);
    assert_eq!(split_sizes(150, &[Fraction(0.7), Fraction(0.2), Fraction(0.1)]), [105, 30, 15]);
    assert_eq!(split_sizes(5, &[Fraction(0.5), Fraction(0.5)]), [3, 2]);
    assert_eq!(split_sizes(100, &[Rest, Count(30)]), [70, 30]);
    assert_eq!(split_sizes(100, &[Fraction(0.1), Rest, Count(30)]), [10, 60, 30]);
    assert_eq!(split_sizes(100, &[Count(30), Count(70)]), [30, 70]);
    assert_eq!(split_sizes(100, &[Fraction(0.2), Fraction(0.3)]), [20, 30]);
}

/// The values come from an independent implementation of Philox and of the shuffle.
#[test]
fn a_split_is_fixed_for_all_time() {
    let outcome =
        split(spec(10, &[part("train", Amount::Fraction(0.7)), part("test", Amount::Rest)])).unwrap();
    insta::assert_snapshot!(format!("{:?}", outcome.parts), @r#"[("train", [1, 5, 0, 2, 7, 4, 3]), ("test", [8, 6, 9])]"#);
    insta::assert_snapshot!(format!("{:?}", permutation(KEY, 0, 10)), @"[4, 1, 3, 6, 0, 8, 9, 2, 5, 7]");
}

#[test]
fn bad_splits_are_refused() {
    use Amount::*;
    let of = |parts: &[PartSpec]| code(split(spec(10, parts)));
    assert_eq!(of(&[part("a", Count(8)), part("b", Count(5))]), [Code::A0430]);
    assert_eq!(of(&[part("a", Fraction(0.9)), part("b", Count(5))]), [Code::A0430]);
    assert_eq!(of(&[part("a", Fraction(1.0)), part("b", Rest)]), [Code::A0431]);
    assert_eq!(of(&[part("a", Fraction(0.01)), part("b", Rest)]), [Code::A0431]);
    assert_eq!(of(&[part("a", Count(0)), part("b", Rest)]), [Code::A0431]);
    assert_eq!(of(&[part("a", Fraction(-0.1)), part("b", Rest)]), [Code::A0431]);
    assert_eq!(of(&[part("a", Fraction(0.8)), part("b", Fraction(0.3))]), [Code::A0432]);
    assert_eq!(of(&[part("a", Rest), part("a", Count(3))]), [Code::A0436]);
    assert_eq!(of(&[part("a", Rest), part("b", Rest)]), [Code::A0436]);
    let (groups, strata) = (vec![0, 0, 1, 1], vec![0, 1, 1, 1]);
    let parts = [part("a", Fraction(0.5)), part("b", Rest)];
    let base = spec(4, &parts);
    assert_eq!(code(split(SplitSpec { groups: &[&groups], strata: &[&strata], ..base })), [Code::A0433]);
    assert_eq!(code(split(SplitSpec { groups: &[&groups], ..spec(5, &parts) })), [Code::A0433]);
    // One group cannot make two parts.
    assert_eq!(code(split(SplitSpec { groups: &[&[0, 0, 0, 0]], ..base })), [Code::A0431]);
}

#[test]
fn bad_folds_and_batches_are_refused() {
    assert_eq!(code(kfold(5, spec(4, &[]))), [Code::A0434]);
    assert_eq!(code(kfold(1, spec(4, &[]))), [Code::A0434]);
    assert_eq!(code(kfold(3, SplitSpec { groups: &[&[0, 0, 1, 1]], ..spec(4, &[]) })), [Code::A0434]);
    assert_eq!(code(leave_one_group_out(SplitSpec { groups: &[&[2, 2]], ..spec(2, &[]) })), [Code::A0434]);
    assert_eq!(Batches::new(&[1, 2, 3], 4, KEY, span(5)).unwrap_err().code, Code::A0435);
    assert_eq!(Batches::new(&[1, 2, 3], 0, KEY, span(5)).unwrap_err().code, Code::A0435);
}

#[test]
fn groups_and_strata_together() {
    // Twenty groups of three rows; a group is of stratum 0 or 1 in equal numbers.
    let groups: Vec<i32> = (0..60).map(|row| row / 3).collect();
    let strata: Vec<i32> = groups.iter().map(|group| group % 2).collect();
    let parts = [part("a", Amount::Fraction(0.5)), part("b", Amount::Rest)];
    let outcome = split(SplitSpec { groups: &[&groups], strata: &[&strata], ..spec(60, &parts) }).unwrap();
    let ones = outcome.parts[0].1.iter().filter(|row| strata[**row as usize] == 1).count();
    assert_eq!((sizes(&outcome), ones), (vec![30, 30], 15));
}

#[test]
fn leave_one_group_out_tests_each_group_once() {
    let groups = [4, 9, 4, 1, 9, 9];
    let folds = leave_one_group_out(SplitSpec { groups: &[&groups], ..spec(6, &[]) }).unwrap();
    assert_eq!((folds.count, folds.fold_of.as_slice()), (3, [1, 2, 1, 0, 2, 2].as_slice()));
    let outcome = folds.split(2);
    assert_eq!(
        outcome.part("test").unwrap().iter().copied().collect::<HashSet<_>>(),
        HashSet::from([1, 4, 5])
    );
    assert_eq!(outcome.part("train").unwrap().len(), 3);
}

#[test]
fn a_full_batch_keeps_the_order_of_the_part() {
    let mut batches = Batches::full(&[5, 1, 3]);
    let mut out = [0; 3];
    batches.fill(9, &mut out);
    assert_eq!((out, batches.steps_per_epoch(), batches.size()), ([5, 1, 3], 1, 3));
}

proptest! {
    #[test]
    fn a_split_partitions_the_rows(rows in 2usize..400, fraction in 0.01f64..0.99, seed: u32, site: u32) {
        let parts = [part("a", Amount::Fraction(fraction)), part("b", Amount::Rest)];
        let spec = SplitSpec { key: [seed, site], ..spec(rows, &parts) };
        let Ok(outcome) = split(spec) else {
            let first = (fraction * rows as f64).round() as usize;
            prop_assert!(first == 0 || first == rows);
            return Ok(());
        };
        let mut all: Vec<u32> = outcome.parts.iter().flat_map(|(_, rows)| rows.clone()).collect();
        all.sort_unstable();
        prop_assert_eq!(all, (0..rows as u32).collect::<Vec<_>>());
        prop_assert_eq!(&split(spec).unwrap(), &outcome);
    }

    #[test]
    fn a_smaller_part_is_a_prefix_of_a_larger_one(
        classes in prop::collection::vec(0i32..5, 10..200),
        small in 0.1f64..0.5,
        more in 0.0f64..0.4,
        way in 0usize..3,
    ) {
        let columns: [&[i32]; 1] = [&classes];
        let first = |fraction: f64| {
            let parts = [part("a", Amount::Fraction(fraction))];
            let mut spec = spec(classes.len(), &parts);
            match way {
                0 => {}
                1 => spec.strata = &columns,
                _ => spec.groups = &columns,
            }
            split(spec).map(|s| s.parts[0].1.clone())
        };
        if let (Ok(a), Ok(b)) = (first(small), first(small + more)) {
            prop_assert!(b.starts_with(&a));
        }
    }

    #[test]
    fn groups_never_straddle_parts(
        groups in prop::collection::vec((0i32..8, 0i32..3), 4..200),
        fraction in 0.1f64..0.9,
        seed: u32,
    ) {
        let (first, second): (Vec<i32>, Vec<i32>) = groups.iter().copied().unzip();
        let columns: [&[i32]; 2] = [&first, &second];
        let parts = [part("a", Amount::Fraction(fraction)), part("b", Amount::Rest)];
        let spec = SplitSpec { groups: &columns, key: [seed, 0], ..spec(groups.len(), &parts) };
        if let Ok(outcome) = split(spec) {
            let of = |at: usize| -> HashSet<(i32, i32)> {
                outcome.parts[at].1.iter().map(|row| groups[*row as usize]).collect()
            };
            prop_assert!(of(0).is_disjoint(&of(1)));
            prop_assert_eq!(sizes(&outcome).iter().sum::<usize>(), groups.len());
            let largest = of(0).union(&of(1)).map(|g| groups.iter().filter(|x| *x == g).count()).max();
            let wanted = fraction * groups.len() as f64;
            prop_assert!((outcome.parts[0].1.len() as f64 - wanted).abs() <= largest.unwrap() as f64 / 2.0 + 0.5);
        }
    }

    #[test]
    fn every_prefix_of_a_stratified_order_is_proportional(
        classes in prop::collection::vec(prop_oneof![8 => Just(0u32), 2 => 1u32..4, 1 => 4u32..40], 1..300),
        seed: u32,
    ) {
        let order = split::stratified(&classes, [seed, 1]);
        prop_assert_eq!(order.iter().collect::<HashSet<_>>().len(), classes.len());
        let total = classes.len() as f64;
        for class in 0..40u32 {
            let share = classes.iter().filter(|c| **c == class).count() as f64 / total;
            let mut taken = 0.0f64;
            for (at, row) in order.iter().enumerate() {
                taken += f64::from(u8::from(classes[*row as usize] == class));
                prop_assert!((taken - share * (at + 1) as f64).abs() < 1.0 + 1e-9);
            }
        }
    }

    #[test]
    fn folds_are_even_and_strata_even_in_them(
        classes in prop::collection::vec(0i32..4, 10..200),
        count in 2usize..6,
        stratify: bool,
    ) {
        let columns: [&[i32]; 1] = [&classes];
        let mut spec = spec(classes.len(), &[]);
        if stratify {
            spec.strata = &columns;
        }
        let folds = kfold(count, spec).unwrap();
        let even = |counts: Vec<usize>| counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1;
        let in_fold = |keep: &dyn Fn(usize) -> bool| -> Vec<usize> {
            (0..count as u32)
                .map(|fold| (0..classes.len()).filter(|row| folds.fold_of[*row] == fold && keep(*row)).count())
                .collect()
        };
        prop_assert!(even(in_fold(&|_| true)));
        for class in (0..4).filter(|_| stratify) {
            prop_assert!(even(in_fold(&|row| classes[row] == class)));
        }
        for fold in 0..count {
            prop_assert_eq!(sizes(&folds.split(fold)).iter().sum::<usize>(), classes.len());
        }
    }

    #[test]
    fn folds_by_group_keep_groups_whole(groups in prop::collection::vec(0i32..20, 60..200), count in 2usize..5) {
        let columns: [&[i32]; 1] = [&groups];
        if let Ok(folds) = kfold(count, SplitSpec { groups: &columns, ..spec(groups.len(), &[]) }) {
            for group in 0..20 {
                let of: HashSet<u32> =
                    (0..groups.len()).filter(|row| groups[*row] == group).map(|row| folds.fold_of[row]).collect();
                prop_assert!(of.len() <= 1);
            }
            prop_assert_eq!(folds.fold_of.iter().collect::<HashSet<_>>().len(), count);
        }
    }

    #[test]
    fn a_permutation_is_a_permutation(rows in 0usize..500, seed: u32, epoch: u64) {
        let mut order = permutation([seed, 5], epoch, rows);
        prop_assert_eq!(&permutation([seed, 5], epoch, rows), &order);
        if rows > 50 {
            prop_assert_ne!(&permutation([seed, 5], epoch.wrapping_add(1), rows), &order);
            prop_assert_ne!(&permutation([seed ^ 1, 5], epoch, rows), &order);
            prop_assert_ne!(&permutation([seed, 6], epoch, rows), &order);
        }
        order.sort_unstable();
        prop_assert_eq!(order, (0..rows as u32).collect::<Vec<_>>());
    }

    #[test]
    fn batches_visit_each_row_at_most_once_an_epoch(rows in 1usize..200, size in 1usize..40, seed: u32) {
        prop_assume!(size <= rows);
        let part: Vec<u32> = (0..rows as u32).map(|row| row * 3 + 1).collect();
        let mut batches = Batches::new(&part, size, [seed, 2], span(5)).unwrap();
        let per_epoch = batches.steps_per_epoch();
        prop_assert_eq!(per_epoch as usize, rows / size);
        let mut out = vec![0; size];
        let mut sequence = Vec::new();
        for step in 0..3 * per_epoch {
            batches.fill(step, &mut out);
            sequence.push(out.clone());
        }
        for epoch in sequence.chunks(per_epoch as usize) {
            let seen: HashSet<i32> = epoch.iter().flatten().copied().collect();
            prop_assert_eq!(seen.len(), per_epoch as usize * size);
            prop_assert!(seen.iter().all(|row| part.contains(&(*row as u32))));
        }
        // Any step can be asked for at any time, as after a resume.
        let mut fresh = Batches::new(&part, size, [seed, 2], span(5)).unwrap();
        for step in (0..3 * per_epoch).rev() {
            fresh.fill(step, &mut out);
            prop_assert_eq!(&out, &sequence[step as usize]);
        }
    }
}

/// Every position is equally likely for every row: chi-square over 6 rows and 6000 epochs.
#[test]
fn permutations_are_uniform() {
    let (rows, epochs) = (6usize, 6000u64);
    let mut counts = vec![0f64; rows * rows];
    for epoch in 0..epochs {
        for (position, row) in permutation(KEY, epoch, rows).into_iter().enumerate() {
            counts[position * rows + row as usize] += 1.0;
        }
    }
    let expected = epochs as f64 / rows as f64;
    let chi_square: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
    // 25 degrees of freedom: 52.6 is the 0.999 quantile. The draws are fixed, so this never flickers.
    assert!(chi_square < 52.6, "{chi_square}");
}
