//! Effects: how measures of the arms differ from those of the first arm, paired over seeds.

use super::forest::Forest;
use super::summary::{REPLICATES, distinguishing, positions};
use super::{Drawing, Estimate, Figure};
use crate::report::stored::{StoredMeasure, StoredResults};
use crate::run::summarise;

/// Effects of which one is more than so many times the other do not share a drawing.
const RATIO: f64 = 20.0;
const MOST_ARMS: usize = 12;

/// A forest plot for each axis of arms and each order of magnitude of what was measured.
pub fn effects(results: &StoredResults) -> Vec<Figure> {
    let trials = results.trial_axes();
    let mut groups: Vec<Effects> = Vec::new();
    for measure in &results.measures {
        let Some(new) = differences(measure, &trials) else { continue };
        let size = largest(&new.effects);
        let fits = |group: &&mut Effects| {
            let other = largest(&group.effects);
            let near = size <= RATIO * other && other <= RATIO * size;
            group.axis == new.axis && group.first == new.first && near
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.effects.extend(new.effects),
            None => groups.push(new),
        }
    }
    groups.into_iter().map(figure).collect()
}

/// How arms differ from the first one.
struct Effects {
    axis: String,
    first: String,
    effects: Vec<(String, Estimate)>,
}

fn figure(Effects { axis, first, effects }: Effects) -> Figure {
    let title = format!("Differences from {axis} = {first}");
    let words: Vec<String> =
        effects.iter().map(|(label, effect)| format!("{label} {}", effect.shown())).collect();
    let description = format!(
        "Forest plot: by how much the measures of each {axis} exceed those of {first}, paired over seeds, mean with its 95 % interval. {}.",
        words.join("; ")
    );
    let x = format!("difference from {first}, in units of the measure");
    Figure::new(&format!("effects-{axis}"), title, description, Drawing::Forest(Forest { x, effects }))
}

fn largest(effects: &[(String, Estimate)]) -> f64 {
    let ends = effects.iter().flat_map(|(_, effect)| [effect.ends().0.abs(), effect.ends().1.abs()]);
    ends.filter(|end| end.is_finite()).fold(f64::MIN_POSITIVE, f64::max)
}

/// Of a measure whose only axis but for seeds is one of arms: the axis, its first label, and the differences from it.
fn differences(measure: &StoredMeasure, trials: &[&str]) -> Option<Effects> {
    let [name] = distinguishing(measure)[..] else { return None };
    let place = measure.axes.iter().position(|axis| axis.name == name)?;
    let axis = &measure.axes[place];
    let paired =
        measure.axes.iter().any(|axis| REPLICATES.contains(&axis.name.as_str()) && axis.labels.len() > 1);
    if !paired || !trials.contains(&name) || !(2..=MOST_ARMS).contains(&axis.labels.len()) {
        return None;
    }
    // A course of numbers is a curve, not a list of arms.
    if super::over::course(axis).is_some() {
        return None;
    }
    // The values of each arm, in the same order of seeds.
    let mut arms: Vec<Vec<f64>> = vec![Vec::new(); axis.labels.len()];
    for (number, value) in measure.values.iter().enumerate() {
        arms[positions(number, &measure.axes)[place]].push(*value);
    }
    let effect = |(arm, label): (usize, &String)| {
        let pairs = arms[arm].iter().zip(&arms[0]).map(|(own, first)| own - first);
        let cell = summarise(&pairs.filter(|difference| !difference.is_nan()).collect::<Vec<_>>());
        (format!("{}, {label}", measure.name), Estimate { mean: cell.mean, half_width: cell.half_width })
    };
    let effects: Vec<(String, Estimate)> = axis.labels.iter().enumerate().skip(1).map(effect).collect();
    let known = effects.iter().any(|(_, effect)| effect.mean.is_finite());
    known.then(|| Effects { axis: name.to_owned(), first: axis.labels[0].clone(), effects })
}
