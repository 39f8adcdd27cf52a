//! Arrays on the host, and the store of slots that programs read and write.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

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

    /// An empty array of the same elements.
    pub fn none_of(&self) -> Tensor {
        match self {
            Tensor::F32(_) => Tensor::F32(Vec::new()),
            Tensor::F64(_) => Tensor::F64(Vec::new()),
            Tensor::Index(_) => Tensor::Index(Vec::new()),
            Tensor::Bool(_) => Tensor::Bool(Vec::new()),
        }
    }

    /// Writes the elements of another array of this kind from this place on; whether both are of one kind and there is room.
    pub fn put(&mut self, at: usize, other: &Tensor) -> bool {
        fn put<T: Copy>(to: &mut [T], at: usize, from: &[T]) -> bool {
            let room = to.get_mut(at..at + from.len());
            room.map(|to| to.copy_from_slice(from)).is_some()
        }
        match (self, other) {
            (Tensor::F32(to), Tensor::F32(from)) => put(to, at, from),
            (Tensor::F64(to), Tensor::F64(from)) => put(to, at, from),
            (Tensor::Index(to), Tensor::Index(from)) => put(to, at, from),
            (Tensor::Bool(to), Tensor::Bool(from)) => put(to, at, from),
            _ => false,
        }
    }

    /// A part of the array.
    pub fn part(&self, range: std::ops::Range<usize>) -> Tensor {
        match self {
            Tensor::F32(v) => Tensor::F32(v[range].to_vec()),
            Tensor::F64(v) => Tensor::F64(v[range].to_vec()),
            Tensor::Index(v) => Tensor::Index(v[range].to_vec()),
            Tensor::Bool(v) => Tensor::Bool(v[range].to_vec()),
        }
    }

    /// Arrays of one kind, one after another; none if they are of several kinds.
    pub fn joined(parts: &[&Tensor]) -> Option<Tensor> {
        let mut joined = parts.first()?.none_of();
        for part in parts {
            match (&mut joined, part) {
                (Tensor::F32(to), Tensor::F32(from)) => to.extend(from),
                (Tensor::F64(to), Tensor::F64(from)) => to.extend(from),
                (Tensor::Index(to), Tensor::Index(from)) => to.extend(from),
                (Tensor::Bool(to), Tensor::Bool(from)) => to.extend(from),
                _ => return None,
            }
        }
        Some(joined)
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

/// An array in the memory of a device.
pub trait Resident: Any + Send + Sync + std::fmt::Debug {
    /// A copy on the host; waits until everything that writes it is done.
    fn download(&self) -> Tensor;
    fn as_any(&self) -> &dyn Any;
}

/// The arrays of one trial, by [`Slot`]: parameters, optimiser state, data columns, scalars, results.
///
/// An array that programs on a device have written is fetched when the host first asks for it. A clone has no part in the
/// memory of a device. Clones share an array until one of them changes it.
#[derive(Debug, Default)]
pub struct Store {
    slots: Vec<Cell>,
}

/// At least one of both is there, and where both are, they are equal.
#[derive(Debug)]
struct Cell {
    host: OnceLock<Arc<Tensor>>,
    device: Option<Arc<dyn Resident>>,
}

impl Cell {
    fn host(&self) -> &Arc<Tensor> {
        self.host.get_or_init(|| {
            Arc::new(match &self.device {
                Some(device) => device.download(),
                None => Tensor::F32(Vec::new()),
            })
        })
    }
}

impl Clone for Store {
    fn clone(&self) -> Self {
        let host = |cell: &Cell| Cell { host: OnceLock::from(Arc::clone(cell.host())), device: None };
        Store { slots: self.slots.iter().map(host).collect() }
    }
}

impl Store {
    pub fn add(&mut self, tensor: Tensor) -> Slot {
        self.slots.push(Cell { host: OnceLock::from(Arc::new(tensor)), device: None });
        Slot(self.slots.len() as u32 - 1)
    }

    /// All arrays in order.
    pub fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        self.slots.iter().map(|cell| cell.host().as_ref())
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The array in the memory of a device, if it is there.
    pub fn device(&self, slot: Slot) -> Option<&Arc<dyn Resident>> {
        self.slots[slot.0 as usize].device.as_ref()
    }

    /// The array is on the device too, with the same elements.
    pub fn also_on(&mut self, slot: Slot, device: Arc<dyn Resident>) {
        self.slots[slot.0 as usize].device = Some(device);
    }

    /// The device has written the array: what the host knew of it is old.
    pub fn written_on(&mut self, slot: Slot, device: Arc<dyn Resident>) {
        let cell = &mut self.slots[slot.0 as usize];
        cell.host.take();
        cell.device = Some(device);
    }

    /// Whether a slot holds the same bits here and in another store.
    pub fn is_same(&self, other: &Store, slot: Slot) -> bool {
        let [here, there] = [self, other].map(|store| store.slots[slot.0 as usize].host());
        Arc::ptr_eq(here, there) || here.same_bits(there)
    }

    /// The array of another store, which both share until one of them changes it.
    pub fn share(&mut self, other: &Store, slot: Slot) {
        let shared = Arc::clone(other.slots[slot.0 as usize].host());
        self.slots[slot.0 as usize] = Cell { host: OnceLock::from(shared), device: None };
    }

    /// Bytes of all arrays that the host holds.
    pub fn bytes(&self) -> u64 {
        let bytes = |tensor: &Tensor| match tensor {
            Tensor::F32(v) => 4 * v.len(),
            Tensor::F64(v) => 8 * v.len(),
            Tensor::Index(v) => 4 * v.len(),
            Tensor::Bool(v) => v.len(),
        };
        self.slots.iter().filter_map(|cell| cell.host.get()).map(|tensor| bytes(tensor) as u64).sum()
    }

    pub fn get(&self, slot: Slot) -> &Tensor {
        self.slots[slot.0 as usize].host()
    }

    /// To change it on the host; a device has to take it anew.
    pub fn get_mut(&mut self, slot: Slot) -> &mut Tensor {
        let cell = &mut self.slots[slot.0 as usize];
        cell.host();
        cell.device = None;
        Arc::make_mut(cell.host.get_mut().expect("the host has it now"))
    }
}
