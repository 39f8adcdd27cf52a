//! Contractions: matrix products on operands as they lie, with tiles of our own, or by the `gemm` crate in double precision and, on
//! machines with AVX-512, where they are large.
//!
//! Which of them is a matter of sizes and strides only. Each thread gets a piece of the rows or columns, and no cut changes a bit: our
//! tiles, with packed operands or without, add blocks of terms that depend on the contracted sizes alone, and so does `gemm`, but for
//! results that are small or thin, which stay whole. The contracted axis is never cut. So nothing depends on the number of threads.

use std::any::TypeId;

use gemm::Parallelism;

use super::product::{self, Matrices, Packed, ROOM, Rectangle};
use super::real::Real;
use super::team::{Team, part};
use super::walk::walk;
use crate::plan::kernel::Contract;

/// Multiplications of a piece from which it pays to hand it to another thread.
const PIECE: usize = 1 << 19;
/// And of whole products that go together.
const GROUP: usize = 1 << 17;
/// Rows or columns of a piece, at least, along the side that is cut first.
const LEAST: usize = 128;
/// Multiplications of a product from which each thread gets two pieces: one that is slower then takes fewer.
const HUGE: usize = 1 << 28;
/// Results with fewer rows or columns stay whole: `gemm` adds up small ones of them otherwise.
const THIN: usize = 16;
/// Groups of products for each thread.
const GROUPS: usize = 8;
/// The tile of `gemm`, so that no piece ends in the middle of one.
const ROWS: usize = 6;
const COLUMNS: usize = 64;
/// Multiplications of a share of a product with tiles of our own, shares for each thread, and columns that stay together.
const SHARE: usize = 1 << 17;
const SHARES: usize = 4;
const UNIT: usize = 16;
/// A sum is long if it has so many times as many terms as its result has rows and columns.
const DEEP: usize = 8;
/// Rows and multiplications of a single product from which `gemm` is faster, and the columns it needs for that.
const LARGE_ROWS: usize = 512;
const LARGE: usize = 1 << 22;
const LARGE_COLUMNS: usize = 32;
/// Multiplications from which it is faster for each product of a sum of products.
const LARGE_TERM: usize = 1 << 18;

/// What computes a product.
#[derive(Clone, Copy)]
enum Way {
    Gemm,
    Tiles(Rectangle),
    /// Tiles with both operands packed, for which each thread needs room.
    Packed(Packed),
}

/// How one product is cut.
#[derive(Clone, Copy)]
struct Cut {
    rows: usize,
    columns: usize,
}

/// A product whose result lies along its rows, if it lies along anything: a and b change places where it lies along its columns.
#[derive(Clone, Copy)]
struct Product<'a> {
    kernel: &'a Contract,
    m: usize,
    n: usize,
    /// (m, k), (k, n), (m, n).
    a: (isize, isize),
    b: (isize, isize),
    c: (isize, isize),
    is_swapped: bool,
}

impl<'a> Product<'a> {
    fn new(kernel: &'a Contract) -> Product<'a> {
        let turn = |(x, y): (isize, isize)| (y, x);
        let Contract { m, n, a_strides: a, b_strides: b, c_strides: c, .. } = *kernel;
        if c.0 == 1 && c.1 != 1 {
            return Product { kernel, m: n, n: m, a: turn(b), b: turn(a), c: turn(c), is_swapped: true };
        }
        Product { kernel, m, n, a, b, c, is_swapped: false }
    }

    /// How many pieces the rows and the columns fall into: few for each thread, since whoever has a piece packs an operand for it.
    fn cut(&self, threads: usize) -> Cut {
        let Product { kernel, m, n, .. } = *self;
        let batch: usize = kernel.batch.iter().product();
        let outer: usize = kernel.outer.iter().product();
        let call = m * n * kernel.k;
        let each = match batch.is_multiple_of(threads) || m.min(n) < THIN {
            true => 1,
            false => threads * if call >= HUGE { 2 } else { 1 },
        };
        // A call of `gemm` has a price: calls inside loops stay whole.
        let wanted = (call * outer.max(1) / PIECE).min(2 * call / PIECE).min(each);
        // Along the longer side: what every piece packs is the other operand. Of equal ones, along the one that costs more to pack.
        let long = (m.max(n) / LEAST).clamp(1, wanted.max(1));
        let short = (m.min(n) / LEAST).clamp(1, wanted.max(1) / long);
        let by_rows = m > n || m == n && self.a.0 == 1;
        if by_rows { Cut { rows: long, columns: short } } else { Cut { rows: short, columns: long } }
    }

    fn way<R: Real>(&self) -> Way {
        let Product { kernel, m, n, .. } = *self;
        let is_single = TypeId::of::<R>() == TypeId::of::<f32>();
        let is_empty = kernel.k == 0 || kernel.outer.contains(&0);
        let lies_well = self.c.1 == 1 || n == 1;
        if !is_single || is_empty || !lies_well {
            return Way::Gemm;
        }
        let is_large = if kernel.outer.is_empty() {
            m >= LARGE_ROWS && n >= LARGE_COLUMNS && m * n * kernel.k >= LARGE
        } else {
            m * n * kernel.k > LARGE_TERM
        };
        match product::for_machine() {
            Some(own) => match own.packed {
                Some(packed) if self.matrices().pays_packing(m, n) => Way::Packed(packed),
                None if is_large => Way::Gemm,
                _ => Way::Tiles(own.rectangle),
            },
            None => Way::Gemm,
        }
    }

    /// As `shares`, where both operands are packed: along the longer side, since whoever has a piece packs the other operand whole.
    fn packed_shares(&self, threads: usize) -> (usize, Cut) {
        let Product { kernel, m, n, .. } = *self;
        let batch: usize = kernel.batch.iter().product();
        let each = match batch.is_multiple_of(threads) {
            true => 1,
            false => threads * if m * n * kernel.k >= HUGE { 2 } else { 1 },
        };
        let pieces = |size: usize| each.min(size / LEAST).max(1);
        (batch, if m > n { Cut { rows: pieces(m), columns: 1 } } else { Cut { rows: 1, columns: pieces(n) } })
    }

    /// How many groups of products, rows and columns are shared between threads. No bit depends on it.
    fn shares(&self, threads: usize) -> (usize, Cut) {
        let Product { kernel, m, n, .. } = *self;
        let whole = Cut { rows: 1, columns: 1 };
        if threads == 1 {
            return (1, whole);
        }
        let batch: usize = kernel.batch.iter().product();
        let work = batch * m * n * kernel.k * kernel.outer.iter().product::<usize>();
        let matrices = self.matrices();
        let lies_across = self.a.0 == 1 && self.a.1 != 1;
        let (packs_left, packs_right) = (matrices.packs_left(m, n), matrices.packs_right(m));
        // Where both operands are packed, each share packs one of them whole.
        let most = if packs_left && packs_right && !lies_across { SHARES / 2 } else { SHARES };
        let wanted = (work / SHARE).clamp(1, most * threads);
        if wanted <= batch && batch.is_multiple_of(threads) {
            return (wanted, whole);
        }
        // Every share of a long sum goes through an operand as long as the sum: no more of them than keep all threads busy.
        let is_deep = kernel.k * kernel.outer.iter().product::<usize>() >= DEEP * (m + n);
        let each = match is_deep {
            true => (1..=threads).find(|each| (batch * each).is_multiple_of(threads)).unwrap_or(threads),
            false if wanted <= batch => return (wanted, whole),
            false => wanted.div_ceil(batch.max(1)),
        };
        // Whoever packs an operand does so for its whole part: the operand that is packed is cut first, or the one that costs more.
        let cut = if packs_left && (lies_across || !packs_right) {
            let rows = (m / 32).clamp(1, each);
            Cut { rows, columns: (n / 32).clamp(1, each.div_ceil(rows)) }
        } else {
            let columns = (n / 32).clamp(1, each);
            Cut { rows: (m / 16).clamp(1, each.div_ceil(columns)), columns }
        };
        (batch, cut)
    }

    /// Where the operands of one product of the batch lie.
    fn offsets(&self, at: usize) -> (isize, isize, isize) {
        let kernel = self.kernel;
        let (a_batch, b_batch) = self.swap(&kernel.a.strides[..], &kernel.b.strides[..]);
        let (mut a, mut b, mut c, mut rest) = (0, 0, 0, at);
        for (place, size) in kernel.batch.iter().enumerate().rev() {
            let position = (rest % size) as isize;
            rest /= size;
            a += position * a_batch[place];
            b += position * b_batch[place];
            c += position * kernel.c.strides[place];
        }
        (a, b, c)
    }

    /// The operands of one product of the batch, which are of f32.
    fn single<R>(&self, operands: Operands<R>, at: usize) -> product::Operands {
        let (a, b, c) = self.offsets(at);
        let Operands { a: left, b: right, c: to } = operands;
        (left.wrapping_offset(a).cast(), right.wrapping_offset(b).cast(), to.wrapping_offset(c).cast())
    }

    fn matrices(&self) -> Matrices<'a> {
        let kernel = self.kernel;
        let (a_outer, b_outer) = self.swap(&kernel.a_outer[..], &kernel.b_outer[..]);
        let (a, b, c) = (self.a, self.b, self.c.0);
        Matrices { k: kernel.k, outer: &kernel.outer, a, a_outer, b, b_outer, c }
    }

    fn swap<T>(&self, left: T, right: T) -> (T, T) {
        if self.is_swapped { (right, left) } else { (left, right) }
    }
}

#[derive(Clone, Copy)]
struct Operands<R> {
    a: *const R,
    b: *const R,
    c: *mut R,
}

// Pieces write disjoint parts.
unsafe impl<R> Send for Operands<R> {}
unsafe impl<R> Sync for Operands<R> {}

impl<R> Operands<R> {
    fn all(&self) -> (*const R, *const R, *mut R) {
        (self.a, self.b, self.c)
    }
}

/// Bytes of room that each thread needs for packed operands.
pub fn room<R: Real>(kernel: &Contract) -> usize {
    match Product::new(kernel).way::<R>() {
        Way::Packed(_) => ROOM * size_of::<f32>(),
        _ => 0,
    }
}

/// # Safety
/// a, b and c point to matrices of the sizes and strides of the contraction; `room` is where each thread has as much as [`room()`] says.
pub unsafe fn contract<R: Real>(
    kernel: &Contract,
    (a, b, c): (*const R, *const R, *mut R),
    team: &Team,
    room: impl Fn(usize) -> *mut u8 + Sync,
) {
    let product = Product::new(kernel);
    let (a, b) = product.swap(a, b);
    let operands = Operands { a, b, c };
    match product.way::<R>() {
        Way::Gemm => unsafe { share(&product, operands, team) },
        Way::Tiles(run) => {
            let shares = product.shares(team.threads());
            share_own(&product, operands, shares, team, |matrices, operands, rows, columns, _| unsafe {
                run(matrices, operands, rows, columns);
            });
        }
        Way::Packed(run) => {
            let shares = product.packed_shares(team.threads());
            share_own(&product, operands, shares, team, |matrices, operands, rows, columns, thread| unsafe {
                run(matrices, operands, rows, columns, room(thread).cast());
            });
        }
    }
}

/// # Safety
/// As of [`contract`].
unsafe fn share<R: Real>(product: &Product, operands: Operands<R>, team: &Team) {
    let cut = product.cut(team.threads());
    let kernel = product.kernel;
    let each = cut.rows * cut.columns;
    let batch: usize = kernel.batch.iter().product();
    let work = batch * kernel.m * kernel.n * kernel.k * kernel.outer.iter().product::<usize>();
    // Products of a batch that are too small to hand around one by one go together.
    let groups = if each > 1 { batch } else { batch.min((work / GROUP).max(1)).min(GROUPS * team.threads()) };
    team.share(groups * each, |piece, _| {
        let (first, count) = part(batch, 1, piece / each, groups);
        for at in first..first + count {
            unsafe { one(product, operands, at, cut, piece % each) };
        }
    });
}

/// With tiles of our own, which `run` computes: operands are of f32.
fn share_own<R: Real>(
    product: &Product,
    operands: Operands<R>,
    (groups, cut): (usize, Cut),
    team: &Team,
    run: impl Fn(&Matrices, product::Operands, (usize, usize), (usize, usize), usize) + Sync,
) {
    let matrices = product.matrices();
    let each = cut.rows * cut.columns;
    let batch: usize = product.kernel.batch.iter().product();
    team.share(groups * each, |piece, thread| {
        let rows = part(product.m, 1, piece % each / cut.columns, cut.rows);
        let columns = part(product.n, UNIT, piece % cut.columns, cut.columns);
        let (first, count) = part(batch, 1, piece / each, groups);
        for at in first..first + count {
            run(&matrices, product.single(operands, at), rows, columns, thread);
        }
    });
}

/// The products `first .. first + count` of the batch.
///
/// # Safety
/// As of [`contract`].
pub unsafe fn contract_some<R: Real>(
    kernel: &Contract,
    (a, b, c): (*const R, *const R, *mut R),
    first: usize,
    count: usize,
) {
    let product = Product::new(kernel);
    let (a, b) = product.swap(a, b);
    let (operands, way) = (Operands { a, b, c }, product.way::<R>());
    // Who has some rows of a loop has no room for packed operands; tiles without them have the same bits.
    let tiles = match (way, product::for_machine()) {
        (Way::Tiles(run), _) => Some(run),
        (Way::Packed(_), Some(own)) => Some(own.rectangle),
        _ => None,
    };
    for at in first..first + count {
        unsafe {
            match tiles {
                Some(run) => {
                    let operands = product.single(operands, at);
                    run(&product.matrices(), operands, (0, product.m), (0, product.n));
                }
                None => one(&product, operands, at, Cut { rows: 1, columns: 1 }, 0),
            }
        }
    }
}

/// One piece of one product of the batch.
unsafe fn one<R: Real>(product: &Product, operands: Operands<R>, at: usize, cut: Cut, piece: usize) {
    let kernel = product.kernel;
    let (a, b, c) = operands.all();
    let (a_outer, b_outer) = product.swap(&kernel.a_outer[..], &kernel.b_outer[..]);
    let (mut ia, mut ib, mut ic) = product.offsets(at);
    let (row, m) = part(product.m, ROWS, piece / cut.columns, cut.rows);
    let (column, n) = part(product.n, COLUMNS, piece % cut.columns, cut.columns);
    if m == 0 || n == 0 {
        return;
    }
    ia += row as isize * product.a.0;
    ib += column as isize * product.b.1;
    ic += row as isize * product.c.0 + column as isize * product.c.1;
    let target = unsafe { c.offset(ic) };
    if kernel.k == 0 || kernel.outer.contains(&0) {
        unsafe { zero(m, n, product.c, target) };
        return;
    }
    let mut accumulate = false;
    walk(&kernel.outer, [a_outer, b_outer], [ia, ib], &mut |[ia, ib]| unsafe {
        gemm::gemm(
            m,
            n,
            kernel.k,
            target,
            product.c.1,
            product.c.0,
            accumulate,
            a.offset(ia),
            product.a.1,
            product.a.0,
            b.offset(ib),
            product.b.1,
            product.b.0,
            R::ONE,
            R::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
        accumulate = true;
    });
}

unsafe fn zero<R: Real>(m: usize, n: usize, strides: (isize, isize), to: *mut R) {
    for i in 0..m as isize {
        for j in 0..n as isize {
            unsafe { *to.offset(i * strides.0 + j * strides.1) = R::ZERO };
        }
    }
}
