//! Axes of a graph: each has a name, a size and an identity; a node carries a set of them.

use smallvec::SmallVec;

/// An axis of one graph. Two axes are the same only if they are this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Axis(pub u32);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisInfo {
    /// The name that the user wrote, for messages and dumps; not unique.
    pub name: String,
    pub size: usize,
}

/// The axes of one graph, by [`Axis`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AxisTable {
    axes: Vec<AxisInfo>,
}

impl AxisTable {
    pub fn add(&mut self, name: impl Into<String>, size: usize) -> Axis {
        let axis = Axis(self.axes.len() as u32);
        self.axes.push(AxisInfo { name: name.into(), size });
        axis
    }

    pub fn size(&self, axis: Axis) -> usize {
        self.axes[axis.0 as usize].size
    }

    pub fn name(&self, axis: Axis) -> &str {
        &self.axes[axis.0 as usize].name
    }

    /// Adds the axes of another table that have larger numbers than those here.
    pub fn extend_from(&mut self, other: &AxisTable) {
        let known = self.axes.len().min(other.axes.len());
        self.axes.extend_from_slice(&other.axes[known..]);
    }

    pub fn len(&self) -> usize {
        self.axes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.axes.is_empty()
    }
}

/// A set of axes, kept in ascending order of identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AxisSet(SmallVec<[Axis; 4]>);

impl AxisSet {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn contains(&self, axis: Axis) -> bool {
        self.0.contains(&axis)
    }

    pub fn insert(&mut self, axis: Axis) {
        if let Err(at) = self.0.binary_search(&axis) {
            self.0.insert(at, axis);
        }
    }

    pub fn remove(&mut self, axis: Axis) {
        self.0.retain(|a| *a != axis);
    }

    pub fn union(&self, other: &AxisSet) -> AxisSet {
        self.iter().chain(other.iter()).collect()
    }

    pub fn minus(&self, other: &AxisSet) -> AxisSet {
        self.iter().filter(|a| !other.contains(*a)).collect()
    }

    pub fn intersection(&self, other: &AxisSet) -> AxisSet {
        self.iter().filter(|a| other.contains(*a)).collect()
    }

    pub fn with(&self, axis: Axis) -> AxisSet {
        let mut set = self.clone();
        set.insert(axis);
        set
    }

    pub fn without(&self, axis: Axis) -> AxisSet {
        self.iter().filter(|a| *a != axis).collect()
    }

    pub fn is_subset(&self, other: &AxisSet) -> bool {
        self.iter().all(|a| other.contains(a))
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Axis> + '_ {
        self.0.iter().copied()
    }

    pub fn as_slice(&self) -> &[Axis] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Axis> for AxisSet {
    fn from_iter<I: IntoIterator<Item = Axis>>(iter: I) -> Self {
        let mut axes: SmallVec<[Axis; 4]> = iter.into_iter().collect();
        axes.sort_unstable();
        axes.dedup();
        AxisSet(axes)
    }
}

impl From<&[Axis]> for AxisSet {
    fn from(axes: &[Axis]) -> Self {
        axes.iter().copied().collect()
    }
}
