//! Large contractions of factors of half precision, by CubeK's matmul on matrix units.
//!
//! In: a contraction whose operands lie as matrices (or stacks of them) that start where a device can bind them. Out: a launch. What
//! CubeK refuses, and everything on a device without matrix units, goes by our own tiles; so do factors of f32, which matrix units
//! would round: on whole f32 our tiles were 1.2 to 2.6 times as fast as CubeK's on an NVIDIA H200.
//!
//! The factors lie in memory as f32, and CubeK hands them to the units as TF32: 11 bits of precision and the range of f32, so every
//! number of bf16 and f16 is one of TF32. The products are exact and are summed in f32, as everywhere else.

use std::sync::Arc;

use cubecl::prelude::*;
use cubecl::tf32;
use cubek::matmul::definition::MatmulElems;
use cubek::matmul::launch::{Strategy, launch_ref};
use cubek::std::InputBinding;

use super::ir::Page;
use super::memory::Memory;
use super::place::{DEEPEST, Frame, Located};
use crate::plan::kernel::{Access, Contract};

/// Words between places where a device can bind memory.
pub const BOUND: usize = 64;

/// A stack of matrices: where it begins, and the strides of stack, rows and columns.
#[derive(Clone, Copy, Debug)]
struct Matrices {
    page: u8,
    place: Located,
    shape: [usize; 3],
    strides: [usize; 3],
}

#[derive(Clone, Copy, Debug)]
pub struct Matmul {
    a: Matrices,
    b: Matrices,
    c: Matrices,
}

/// The contraction as a product of plain matrices of half precision, if it is one.
pub fn plain(frame: &Frame, c: &Contract) -> Option<Matmul> {
    c.factors?;
    if c.outer.iter().any(|size| *size != 1) || c.batch.iter().filter(|size| **size != 1).count() > 1 {
        return None;
    }
    let batch: usize = c.batch.iter().product();
    let side = |access: &Access, rows: (usize, isize), columns: (usize, isize)| {
        let Page::Bound(page) = frame.place(access.buffer).page else { return None };
        let mut place = frame.place(access.buffer);
        place.offset += access.offset as i64;
        let whole =
            std::iter::once(&place.offset).chain(&place.strides).all(|words| words % BOUND as i64 == 0);
        let along = c.batch.iter().zip(&access.strides).find(|(size, _)| **size != 1);
        let stack = along.map_or((rows.0 as isize * rows.1).max(columns.0 as isize * columns.1), |(_, s)| *s);
        let strides = [stack, rows.1, columns.1];
        // Neighbours in one direction, and no element twice.
        let dense =
            (rows.1 == 1 && columns.1 >= rows.0 as isize) || (columns.1 == 1 && rows.1 >= columns.0 as isize);
        (whole && dense && strides.iter().all(|stride| *stride > 0)).then(|| Matrices {
            page,
            place,
            shape: [batch, rows.0, columns.0],
            strides: strides.map(|stride| stride as usize),
        })
    };
    if c.c_strides.1 != 1 {
        return None;
    }
    Some(Matmul {
        a: side(&c.a, (c.m, c.a_strides.0), (c.k, c.a_strides.1))?,
        b: side(&c.b, (c.k, c.b_strides.0), (c.n, c.b_strides.1))?,
        c: side(&c.c, (c.m, c.c_strides.0), (c.n, c.c_strides.1))?,
    })
}

impl Matrices {
    fn binding<R: Runtime>(&self, pages: &[Arc<Memory<R>>], rounds: [u32; DEEPEST]) -> TensorBinding<R> {
        let memory = &pages[self.page as usize];
        let from = self.place.at(rounds) as usize;
        let reach: usize =
            self.shape.iter().zip(self.strides).map(|(size, stride)| (size - 1) * stride).sum();
        let handle = memory.part(from, reach + 1);
        let skip = usize::from(self.shape[0] == 1);
        // SAFETY: the elements that the strides reach lie in the part.
        unsafe {
            TensorBinding::from_raw_parts_binding(
                handle.binding(),
                self.strides[skip..].to_vec().into(),
                self.shape[skip..].to_vec().into(),
            )
        }
    }
}

impl Matmul {
    /// Whether CubeK took it.
    pub fn launch<R: Runtime>(
        &self,
        client: &ComputeClient<R>,
        pages: &[Arc<Memory<R>>],
        rounds: [u32; DEEPEST],
    ) -> bool {
        if !has_matrix_units(client) {
            return false;
        }
        let strategy = Strategy::SimpleCyclicCmma(Default::default());
        let float = f32::as_type_native_unchecked().storage_type();
        let [a, b] = [&self.a, &self.b].map(|side| InputBinding::Normal(side.binding(pages, rounds), float));
        let mut elements = MatmulElems::from_single_dtype(f32::as_type_native_unchecked());
        launch_ref(&strategy, client, a, b, self.c.binding(pages, rounds), &mut elements).is_ok()
    }
}

/// Whether the device multiplies matrices of TF32 and sums in f32.
fn has_matrix_units<R: Runtime>(client: &ComputeClient<R>) -> bool {
    let factor = tf32::as_type_native_unchecked().storage_type();
    let sum = f32::as_type_native_unchecked().storage_type();
    let units = &client.properties().features.matmul.cmma;
    client.properties().supports_type(factor)
        && units.iter().any(|unit| unit.a_type == factor && unit.b_type == factor && unit.cd_type == sum)
}
