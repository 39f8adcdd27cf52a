//! The axes of trials and the trials themselves.

use crate::check::program::AxisId;

/// A `vary` statement with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct VaryAxis {
    pub id: AxisId,
    pub name: String,
    pub over: Over,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Over {
    /// `{ ce, dice }`: each arm is a program of its own.
    Arms(Vec<String>),
    /// `[0, 0.1, 1]`
    Values(Vec<f64>),
    /// `5`: as many seeds.
    Seeds(usize),
    /// `kfold(5)`; with one of them alone where the command line chose it.
    Folds { count: usize, only: Option<usize> },
    /// `groups(d.site)`: the values of a category, one left out in each trial.
    Groups { column: (String, String), labels: Vec<String> },
}

impl VaryAxis {
    /// How many trials stand along it.
    pub fn count(&self) -> usize {
        match &self.over {
            Over::Arms(arms) => arms.len(),
            Over::Values(values) => values.len(),
            Over::Seeds(count) => *count,
            Over::Folds { count, only } => only.map_or(*count, |_| 1),
            Over::Groups { labels, .. } => labels.len(),
        }
    }

    /// What stands at each position, for results.
    pub fn labels(&self) -> Vec<String> {
        match &self.over {
            Over::Arms(arms) => arms.clone(),
            Over::Values(values) => values.iter().map(|v| v.to_string()).collect(),
            Over::Seeds(count) => (0..*count).map(|i| i.to_string()).collect(),
            Over::Folds { count, only: None } => (0..*count).map(|i| i.to_string()).collect(),
            Over::Folds { only: Some(only), .. } => vec![only.to_string()],
            Over::Groups { labels, .. } => labels.clone(),
        }
    }

    /// The number that the axis stands for in the trial at a position.
    pub fn value(&self, position: usize) -> f64 {
        match &self.over {
            Over::Values(values) => values[position],
            Over::Folds { only: Some(only), .. } => *only as f64,
            Over::Arms(_) | Over::Seeds(_) | Over::Folds { .. } | Over::Groups { .. } => position as f64,
        }
    }
}

/// One trial: its position on every axis, in the order of the axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    pub positions: Vec<usize>,
}

impl Trial {
    /// The axes' names with the labels of this trial.
    pub fn labels(&self, axes: &[VaryAxis]) -> Vec<(String, String)> {
        axes.iter()
            .zip(&self.positions)
            .map(|(axis, at)| (axis.name.clone(), axis.labels()[*at].clone()))
            .collect()
    }

    /// The key of everything random in the trial: the experiment's seed and the positions on the axes of seeds,
    /// and on no other axis, so that arms share their random numbers.
    pub fn seed(&self, base: u32, axes: &[VaryAxis]) -> u32 {
        let mut seed = base;
        for (axis, at) in axes.iter().zip(&self.positions) {
            if let Over::Seeds(_) = axis.over {
                let words = crate::random::philox([seed, 0x5eed], [*at as u32, 0, 0, 0]);
                seed = words[0];
            }
        }
        seed
    }
}

/// All trials, the last axis fastest. Without axes there is one.
pub fn trials(axes: &[VaryAxis]) -> Vec<Trial> {
    let mut trials = vec![Trial { positions: Vec::new() }];
    for axis in axes {
        trials = trials
            .into_iter()
            .flat_map(|trial| {
                (0..axis.count()).map(move |at| {
                    let mut positions = trial.positions.clone();
                    positions.push(at);
                    Trial { positions }
                })
            })
            .collect();
    }
    trials
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes() -> Vec<VaryAxis> {
        vec![
            VaryAxis { id: AxisId(0), name: "Arm".into(), over: Over::Arms(vec!["a".into(), "b".into()]) },
            VaryAxis { id: AxisId(1), name: "Seed".into(), over: Over::Seeds(3) },
        ]
    }

    #[test]
    fn trials_are_the_product_of_the_axes() {
        let trials = trials(&axes());
        assert_eq!(trials.len(), 6);
        assert_eq!(trials[4].positions, [1, 1]);
        assert_eq!(trials[4].labels(&axes()), [("Arm".into(), "b".into()), ("Seed".into(), "1".into())]);
    }

    #[test]
    fn arms_share_seeds_and_seeds_differ() {
        let axes = axes();
        let seeds: Vec<u32> = trials(&axes).iter().map(|t| t.seed(7, &axes)).collect();
        assert_eq!(seeds[..3], seeds[3..]);
        assert_ne!(seeds[0], seeds[1]);
        assert_ne!(seeds[0], trials(&axes)[0].seed(8, &axes));
    }
}
