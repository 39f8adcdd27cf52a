//! Arrays on the host, and the store of slots that programs read and write.

use std::hash::{Hash, Hasher};

use super::node::{Element, Slot};

/// The elements of an array, row-major in an order that the holder knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensor {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Index(Vec<i32>),
    /// 0 or 1.
    Bool(Vec<u8>),
}

impl Tensor {
    pub fn len(&self) -> usize {
        match self {
            Tensor::F32(v) => v.len(),
            Tensor::F64(v) => v.len(),
            Tensor::Index(v) => v.len(),
            Tensor::Bool(v) => v.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn element(&self) -> Element {
        match self {
            Tensor::F32(_) | Tensor::F64(_) => Element::Float,
            Tensor::Index(_) => Element::Index,
            Tensor::Bool(_) => Element::Bool,
        }
    }

    /// Every element as f64 (an index or 0/1 as its number).
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Tensor::F32(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Tensor::F64(v) => v.clone(),
            Tensor::Index(v) => v.iter().map(|x| f64::from(*x)).collect(),
            Tensor::Bool(v) => v.iter().map(|x| f64::from(*x)).collect(),
        }
    }
}

impl Tensor {
    /// Whether both hold the same bits: unlike `==`, a NaN is the same as itself and 0 is not -0.
    pub fn same_bits(&self, other: &Tensor) -> bool {
        match (self, other) {
            (Tensor::F32(a), Tensor::F32(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.to_bits() == y.to_bits())
            }
            (Tensor::F64(a), Tensor::F64(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.to_bits() == y.to_bits())
            }
            _ => self == other,
        }
    }
}

impl Hash for Tensor {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Tensor::F32(v) => v.iter().for_each(|x| x.to_bits().hash(state)),
            Tensor::F64(v) => v.iter().for_each(|x| x.to_bits().hash(state)),
            Tensor::Index(v) => v.hash(state),
            Tensor::Bool(v) => v.hash(state),
        }
    }
}

/// The arrays of one trial, by [`Slot`]: parameters, optimiser state, data columns, scalars, results.
#[derive(Clone, Debug, Default)]
pub struct Store {
    pub slots: Vec<Tensor>,
}

impl Store {
    pub fn add(&mut self, tensor: Tensor) -> Slot {
        self.slots.push(tensor);
        Slot(self.slots.len() as u32 - 1)
    }

    /// Bytes of all arrays.
    pub fn bytes(&self) -> u64 {
        let bytes = |tensor: &Tensor| match tensor {
            Tensor::F32(v) => 4 * v.len(),
            Tensor::F64(v) => 8 * v.len(),
            Tensor::Index(v) => 4 * v.len(),
            Tensor::Bool(v) => v.len(),
        };
        self.slots.iter().map(|tensor| bytes(tensor) as u64).sum()
    }

    pub fn get(&self, slot: Slot) -> &Tensor {
        &self.slots[slot.0 as usize]
    }

    pub fn get_mut(&mut self, slot: Slot) -> &mut Tensor {
        &mut self.slots[slot.0 as usize]
    }
}
