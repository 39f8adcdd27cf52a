//! A sequence of numbered elements that can be moved, with labels that say which of two comes first.
//!
//! In: elements, numbered as they are added at the end, and where to move them. Out: a label for each. Labels leave gaps; where
//! one is full all labels are given anew, which is seldom.

const GAP: u64 = 1 << 24;

const NONE: usize = usize::MAX;

pub struct Sequence {
    labels: Vec<u64>,
    before: Vec<usize>,
    after: Vec<usize>,
    first: usize,
    last: usize,
}

impl Default for Sequence {
    fn default() -> Self {
        Sequence { labels: Vec::new(), before: Vec::new(), after: Vec::new(), first: NONE, last: NONE }
    }
}

impl Sequence {
    /// Of two elements the one with the smaller label comes first.
    pub fn label(&self, element: usize) -> u64 {
        self.labels[element]
    }

    /// The next element, at the end.
    pub fn push(&mut self) {
        let element = self.labels.len();
        self.labels.push(self.labels.get(self.last).map_or(GAP, |last| last + GAP));
        self.before.push(NONE);
        self.after.push(NONE);
        self.link(self.last, element);
        self.link(element, NONE);
    }

    pub fn remove(&mut self, element: usize) {
        self.link(self.before[element], self.after[element]);
    }

    /// Puts `new`, which stands elsewhere, in the place of `old`, which goes.
    pub fn replace(&mut self, old: usize, new: usize) {
        self.remove(new);
        let (before, after) = (self.before[old], self.after[old]);
        self.link(before, new);
        self.link(new, after);
        self.labels[new] = self.labels[old];
    }

    /// Puts these elements, in this order, directly before another.
    pub fn move_before(&mut self, moved: &[usize], other: usize) {
        for element in moved {
            self.remove(*element);
        }
        let before = self.before[other];
        let mut last = before;
        for element in moved {
            self.link(last, *element);
            last = *element;
        }
        self.link(last, other);
        let start = self.labels.get(before).copied().unwrap_or(0);
        let step = (self.labels[other] - start) / (moved.len() as u64 + 1);
        if step == 0 {
            return self.label_all();
        }
        for (at, element) in moved.iter().enumerate() {
            self.labels[*element] = start + step * (at as u64 + 1);
        }
    }

    fn label_all(&mut self) {
        let (mut element, mut label) = (self.first, GAP);
        while element != NONE {
            self.labels[element] = label;
            (element, label) = (self.after[element], label + GAP);
        }
    }

    fn link(&mut self, before: usize, after: usize) {
        match before {
            NONE => self.first = after,
            before => self.after[before] = after,
        }
        match after {
            NONE => self.last = before,
            after => self.before[after] = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_order(sequence: &Sequence) -> Vec<usize> {
        let mut elements = Vec::new();
        let mut element = sequence.first;
        while element != NONE {
            elements.push(element);
            element = sequence.after[element];
        }
        let labels: Vec<u64> = elements.iter().map(|element| sequence.label(*element)).collect();
        assert!(labels.is_sorted_by(|a, b| a < b), "{labels:?}");
        elements
    }

    fn of(count: usize) -> Sequence {
        let mut sequence = Sequence::default();
        (0..count).for_each(|_| sequence.push());
        sequence
    }

    #[test]
    fn elements_move_and_go() {
        let mut sequence = of(6);
        sequence.move_before(&[3, 5], 1);
        assert_eq!(in_order(&sequence), [0, 3, 5, 1, 2, 4]);
        sequence.replace(0, 2);
        assert_eq!(in_order(&sequence), [2, 3, 5, 1, 4]);
        sequence.remove(4);
        sequence.push();
        assert_eq!(in_order(&sequence), [2, 3, 5, 1, 6]);
    }

    #[test]
    fn a_full_gap_is_opened_again() {
        let mut sequence = of(100);
        for element in 2..100 {
            sequence.move_before(&[element], 1);
        }
        let expected: Vec<usize> = [0].into_iter().chain(2..100).chain([1]).collect();
        assert_eq!(in_order(&sequence), expected);
    }
}
