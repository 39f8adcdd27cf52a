//! Inference of axis arguments: which axes of the caller the generic axes of a callee stand for.
//!
//! In: the generic axes, those that the call names, and each parameter's type with its argument's. Out: every
//! assignment that fits; a call is understood when there is exactly one.

use super::program::{AxisId, AxisIds, Element, Type};
use super::types::Bindings;

/// A parameter's declared type beside the type of its argument.
pub(super) type Pair<'t> = (&'t Type, &'t Type);

/// The pairs of arrays in a parameter and its argument, which may be records or tuples.
pub(super) fn arrays<'t>(parameter: &'t Type, argument: &'t Type, pairs: &mut Vec<Pair<'t>>) {
    match (parameter, argument) {
        (Type::Record(wanted), Type::Record(have)) => {
            for (name, wanted) in wanted {
                if let Some((_, have)) = have.iter().find(|(known, _)| known == name) {
                    arrays(wanted, have, pairs);
                }
            }
        }
        (Type::Tuple(wanted), Type::Tuple(have)) => {
            wanted.iter().zip(have).for_each(|(wanted, have)| arrays(wanted, have, pairs));
        }
        pair => pairs.push(pair),
    }
}

/// All assignments of the generic axes that fit, at most `limit`.
///
/// Index elements bind first; then each generic axis takes, in order, an axis that all arguments of its parameters
/// have and that no other generic axis took. Generic axes that no argument speaks of stay unbound.
pub(super) fn assignments(
    generics: &[AxisId],
    named: &Bindings,
    pairs: &[Pair],
    limit: usize,
) -> Vec<Bindings> {
    let mut start = named.clone();
    for (parameter, argument) in pairs {
        by_element(generics, parameter, argument, &mut start);
    }
    let open: Vec<(AxisId, AxisIds)> = generics
        .iter()
        .filter(|generic| !start.iter().any(|(known, _)| known == *generic))
        .filter_map(|generic| Some((*generic, candidates(*generic, pairs)?)))
        .collect();
    let mut found = Vec::new();
    extend(&open, start, limit, &mut found);
    // Arguments may still disagree with what an index bound.
    found.retain(|bindings| pairs.iter().all(|pair| fits(generics, bindings, pair)));
    found
}

/// Generic axes that no argument with axes can bind.
pub(super) fn silent(generics: &[AxisId], named: &Bindings, pairs: &[Pair]) -> Vec<AxisId> {
    let mut known = named.clone();
    for (parameter, argument) in pairs {
        by_element(generics, parameter, argument, &mut known);
    }
    generics
        .iter()
        .copied()
        .filter(|generic| !known.iter().any(|(k, _)| k == generic) && candidates(*generic, pairs).is_none())
        .collect()
}

fn by_element(generics: &[AxisId], parameter: &Type, argument: &Type, bindings: &mut Bindings) {
    // A model tells all axes of its layer.
    if let (Type::Model { layer: wanted, axes: generic, .. }, Type::Model { layer: have, axes: actual, .. }) =
        (parameter, argument)
        && wanted == have
    {
        for ((_, generic), (_, actual)) in generic.iter().zip(actual) {
            if generics.contains(generic) && !bindings.iter().any(|(known, _)| known == generic) {
                bindings.push((*generic, *actual));
            }
        }
    }
    if let (
        Type::Array { element: Element::Index(generic), .. },
        Type::Array { element: Element::Index(actual), .. },
    ) = (parameter, argument)
        && generics.contains(generic)
        && !bindings.iter().any(|(known, _)| known == generic)
    {
        bindings.push((*generic, *actual));
    }
}

/// The axes that a generic axis may take: those of every argument whose parameter has it. None: no argument tells.
fn candidates(generic: AxisId, pairs: &[Pair]) -> Option<AxisIds> {
    let mut common: Option<AxisIds> = None;
    for (parameter, argument) in pairs {
        if let (Type::Array { axes: declared, .. }, Type::Array { axes: actual, .. }) = (parameter, argument)
            && declared.contains(&generic)
            && !actual.is_empty()
        {
            common = Some(match common {
                Some(axes) => axes.intersection(actual).copied().collect(),
                None => actual.clone(),
            });
        }
    }
    common
}

fn extend(open: &[(AxisId, AxisIds)], bindings: Bindings, limit: usize, found: &mut Vec<Bindings>) {
    if found.len() >= limit {
        return;
    }
    let Some(((generic, candidates), rest)) = open.split_first() else {
        found.push(bindings);
        return;
    };
    for axis in candidates {
        if bindings.iter().any(|(_, taken)| taken == axis) {
            continue;
        }
        let mut next = bindings.clone();
        next.push((*generic, *axis));
        extend(rest, next, limit, found);
    }
}

/// Whether an argument has all axes that its parameter declares (or none at all).
fn fits(generics: &[AxisId], bindings: &Bindings, (parameter, argument): &Pair) -> bool {
    let (Type::Array { axes: declared, .. }, Type::Array { axes: actual, .. }) = (parameter, argument) else {
        return true;
    };
    actual.is_empty()
        || declared.iter().all(|axis| match bindings.iter().find(|(generic, _)| generic == axis) {
            Some((_, bound)) => actual.contains(bound),
            None => generics.contains(axis) || actual.contains(axis),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: AxisId = AxisId(0);
    const B: AxisId = AxisId(1);
    const EXAMPLE: AxisId = AxisId(10);
    const CLASS: AxisId = AxisId(11);
    const SEED: AxisId = AxisId(12);

    fn float(axes: &[AxisId]) -> Type {
        Type::Array { element: Element::Float, axes: axes.iter().copied().collect() }
    }

    fn index(of: AxisId, axes: &[AxisId]) -> Type {
        Type::Array { element: Element::Index(of), axes: axes.iter().copied().collect() }
    }

    #[test]
    fn the_only_axis_binds() {
        let found = assignments(&[A], &vec![], &[(&float(&[A]), &float(&[EXAMPLE]))], 8);
        assert_eq!(found, vec![vec![(A, EXAMPLE)]]);
    }

    #[test]
    fn two_axes_are_ambiguous() {
        let found = assignments(&[A], &vec![], &[(&float(&[A]), &float(&[EXAMPLE, CLASS]))], 8);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn a_named_axis_decides() {
        let pair = (&float(&[A]), &float(&[EXAMPLE, CLASS]));
        let found = assignments(&[A], &vec![(A, CLASS)], &[pair], 8);
        assert_eq!(found, vec![vec![(A, CLASS)]]);
    }

    #[test]
    fn an_index_decides() {
        let (logits, label) = (float(&[A]), index(A, &[]));
        let found = assignments(
            &[A],
            &vec![],
            &[(&logits, &float(&[EXAMPLE, CLASS])), (&label, &index(CLASS, &[EXAMPLE]))],
            8,
        );
        assert_eq!(found, vec![vec![(A, CLASS)]]);
    }

    #[test]
    fn a_second_argument_narrows() {
        let declared = float(&[A]);
        let found = assignments(
            &[A],
            &vec![],
            &[(&declared, &float(&[EXAMPLE, SEED])), (&declared, &float(&[EXAMPLE]))],
            8,
        );
        assert_eq!(found, vec![vec![(A, EXAMPLE)]]);
    }

    #[test]
    fn distinct_generics_bind_distinct_axes() {
        let (first, second) = (float(&[A]), float(&[A, B]));
        let found = assignments(
            &[A, B],
            &vec![],
            &[(&first, &float(&[EXAMPLE])), (&second, &float(&[EXAMPLE, CLASS]))],
            8,
        );
        assert_eq!(found, vec![vec![(A, EXAMPLE), (B, CLASS)]]);
        let found = assignments(&[A, B], &vec![], &[(&second, &float(&[EXAMPLE]))], 8);
        assert!(found.is_empty());
    }

    #[test]
    fn scalars_bind_nothing() {
        let pair = (&float(&[A]), &float(&[]));
        assert_eq!(silent(&[A, B], &vec![], &[pair]), vec![A, B]);
        assert_eq!(assignments(&[A], &vec![], &[pair], 8), vec![vec![]]);
    }

    #[test]
    fn an_argument_without_the_axis_fits_nothing() {
        let declared = float(&[A]);
        let found =
            assignments(&[A], &vec![], &[(&declared, &float(&[EXAMPLE])), (&declared, &float(&[CLASS]))], 8);
        assert!(found.is_empty());
    }
}
