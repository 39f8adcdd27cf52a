//! Contractions: matrix products by the `gemm` crate on operands as they lie.
//!
//! The contracted axis is never split between threads, so the sums do not depend on their number.

use gemm::Parallelism;

use super::real::Real;
use super::walk::walk;
use crate::plan::kernel::Contract;

/// Multiplications from which threads pay.
const PARALLEL: usize = 1 << 21;

/// A width that `gemm` multiplies.
///
/// # Safety
/// c, a and b point to matrices of the sizes and strides of the contraction.
pub unsafe fn contract<R: Real>(kernel: &Contract, a: *const R, b: *const R, c: *mut R, parallel: bool) {
    let Contract { m, n, k, .. } = *kernel;
    let threads = if parallel && m * n * k >= PARALLEL { Parallelism::Rayon(0) } else { Parallelism::None };
    let empty = k == 0 || kernel.outer.contains(&0);
    walk(&kernel.batch, [&kernel.a.strides, &kernel.b.strides, &kernel.c.strides], [0, 0, 0], &mut |[
        ia,
        ib,
        ic,
    ]| {
        let target = unsafe { c.offset(ic) };
        if empty {
            unsafe { zero(kernel, target) };
            return;
        }
        let mut accumulate = false;
        walk(&kernel.outer, [&kernel.a_outer, &kernel.b_outer], [ia, ib], &mut |[ia, ib]| unsafe {
            gemm::gemm(
                m,
                n,
                k,
                target,
                kernel.c_strides.1,
                kernel.c_strides.0,
                accumulate,
                a.offset(ia),
                kernel.a_strides.1,
                kernel.a_strides.0,
                b.offset(ib),
                kernel.b_strides.1,
                kernel.b_strides.0,
                R::ONE,
                R::ONE,
                false,
                false,
                false,
                threads,
            );
            accumulate = true;
        });
    });
}

unsafe fn zero<R: Real>(kernel: &Contract, to: *mut R) {
    for i in 0..kernel.m as isize {
        for j in 0..kernel.n as isize {
            unsafe { *to.offset(i * kernel.c_strides.0 + j * kernel.c_strides.1) = R::ZERO };
        }
    }
}
