//! Pages: memory of the device, and the arrays of slots that lie in it.

use std::any::Any;
use std::sync::Arc;

use cubecl::prelude::*;
use cubecl::server::Handle;

use super::place::words;
use crate::graph::{Element, Resident, Tensor};

/// One allocation on the device.
pub struct Memory<R: Runtime> {
    pub client: ComputeClient<R>,
    pub handle: Handle,
    /// Of four bytes each.
    pub words: usize,
}

impl<R: Runtime> std::fmt::Debug for Memory<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} words on a device", self.words)
    }
}

impl<R: Runtime> Memory<R> {
    /// Filled with these words; never empty, since an empty array cannot be bound.
    pub fn filled(client: &ComputeClient<R>, mut words: Vec<u32>) -> Self {
        if words.is_empty() {
            words.push(0);
        }
        let handle = client.create_from_slice(u32::as_bytes(&words));
        Memory { client: client.clone(), handle, words: words.len() }
    }

    /// With whatever was there before.
    pub fn empty(client: &ComputeClient<R>, words: usize) -> Self {
        let words = words.max(1);
        Memory { client: client.clone(), handle: client.empty(4 * words), words }
    }

    pub fn argument(&self) -> ArrayArg<R> {
        // SAFETY: the handle has as many words as are told.
        unsafe { ArrayArg::from_raw_parts(self.handle.clone(), self.words) }
    }

    /// Some words of it.
    pub fn part(&self, from: usize, count: usize) -> Handle {
        let end = (self.words - from - count) as u64 * 4;
        self.handle.clone().offset_start(from as u64 * 4).offset_end(end)
    }

    /// Waits for everything that writes the page.
    pub fn read(&self, from: usize, count: usize) -> Vec<u32> {
        if count == 0 {
            return Vec::new();
        }
        let bytes = self.client.read_one(self.part(from, count)).expect("the device answers");
        u32::from_bytes(&bytes).to_vec()
    }

    pub fn write(&self, from: usize, content: &[u32]) {
        if content.is_empty() {
            return;
        }
        let staged = self.client.create_from_slice(u32::as_bytes(content));
        let cubes = content.len().div_ceil(256) as u32;
        let (x, y) = (cubes.min(1 << 15), cubes.div_ceil(1 << 15));
        // SAFETY: the page has room for what is written, as the place of the array says.
        unsafe {
            copy::launch_unchecked::<R>(
                &self.client,
                CubeCount::Static(x, y, 1),
                CubeDim::new_1d(256),
                ArrayArg::from_raw_parts(staged, content.len()),
                self.argument(),
                from as u32,
                content.len() as u32,
            );
        }
    }
}

#[cube(launch_unchecked)]
fn copy(from: &Array<u32>, to: &mut Array<u32>, at: u32, count: u32) {
    let i = ABSOLUTE_POS as u32;
    if i < count {
        to[(at + i) as usize] = from[i as usize];
    }
}

/// The array of a slot.
#[derive(Debug)]
pub struct DeviceArray<R: Runtime> {
    pub memory: Arc<Memory<R>>,
    pub offset: usize,
    pub length: usize,
    pub element: Element,
    /// The host keeps its elements as f64.
    pub double: bool,
}

impl<R: Runtime> Resident for DeviceArray<R> {
    fn download(&self) -> Tensor {
        tensor(self.memory.read(self.offset, self.length), self.element, self.double)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl<R: Runtime> DeviceArray<R> {
    pub fn upload(&self, tensor: &Tensor) {
        self.memory.write(self.offset, &words(tensor));
    }
}

/// Elements of the device as the host has them.
pub fn tensor(words: Vec<u32>, element: Element, double: bool) -> Tensor {
    match element {
        Element::Float if double => {
            Tensor::F64(words.into_iter().map(|w| f64::from(f32::from_bits(w))).collect())
        }
        Element::Float => Tensor::F32(words.into_iter().map(f32::from_bits).collect()),
        Element::Index => Tensor::Index(words.into_iter().map(|w| w as i32).collect()),
        Element::Bool => Tensor::Bool(words.into_iter().map(|w| u8::from(w != 0)).collect()),
    }
}
