//! Contractions: matrix products by the `gemm` crate on operands as they lie.
//!
//! A product is cut in pieces by its sizes only. The contracted axis is never cut, so the sums do not depend on the number of
//! threads. A right operand that lies across is turned first, once for all pieces.

use gemm::Parallelism;

use super::real::Real;
use super::team::{Team, part};
use super::walk::walk;
use crate::plan::kernel::Contract;

/// Multiplications of a piece from which it pays to hand it to another thread.
const PIECE: usize = 1 << 19;
/// And of whole products that go together.
const GROUP: usize = 1 << 17;
/// The most pieces of one product.
const MOST: usize = 8;
/// The tile of `gemm`, so that no piece ends in the middle of one.
const ROWS: usize = 6;
const COLUMNS: usize = 64;
/// Edge of the squares in which a matrix is turned.
const SQUARE: usize = 16;

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

    /// How many pieces the rows and the columns fall into.
    fn cut(&self) -> Cut {
        let Product { kernel, m, n, .. } = *self;
        let batch: usize = kernel.batch.iter().product();
        let outer: usize = kernel.outer.iter().product();
        // A call of `gemm` has a price: calls inside loops stay whole.
        let call = m * n * kernel.k;
        let wanted = (call * outer.max(1) / PIECE).min(2 * call / PIECE).min(MOST.div_ceil(batch.max(1)));
        if wanted < 2 {
            return Cut { rows: 1, columns: 1 };
        }
        let columns = (n / 256).clamp(1, wanted.div_ceil(2).min(4));
        let rows = (m / 16).clamp(1, wanted.div_ceil(columns));
        if rows * columns >= 2 {
            Cut { rows, columns }
        } else {
            Cut { rows: 1, columns: (n / COLUMNS).clamp(1, wanted) }
        }
    }

    /// Is the right operand turned first?
    fn is_turned(&self) -> bool {
        let Product { kernel, m, n, .. } = *self;
        let across = self.b.0 == 1 && self.b.1 != 1 && self.c.1 == 1;
        let once = kernel.batch.is_empty() && kernel.outer.is_empty();
        across && once && m >= 32 && n >= 32 && kernel.k >= 32
    }
}

/// Elements of work space that the product needs: for its right operand, turned.
pub fn turned_elements(kernel: &Contract) -> usize {
    let product = Product::new(kernel);
    if product.is_turned() { product.n * kernel.k } else { 0 }
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

/// # Safety
/// a, b and c point to matrices of the sizes and strides of the contraction; `turned` has [`turned_elements`].
pub unsafe fn contract<R: Real>(
    kernel: &Contract,
    a: *const R,
    b: *const R,
    c: *mut R,
    turned: *mut R,
    team: &Team,
) {
    let mut product = Product::new(kernel);
    let (a, b) = if product.is_swapped { (b, a) } else { (a, b) };
    let mut operands = Operands { a, b, c };
    if product.is_turned() {
        let (n, k) = (product.n, kernel.k);
        let to = Operands { a, b, c: turned };
        let pieces = if n * k >= 1 << 15 { k.div_ceil(SQUARE).min(16) } else { 1 };
        team.share(pieces, |piece, _| {
            let (start, count) = part(k, SQUARE, piece, pieces);
            let (_, b, to) = to.all();
            unsafe { turn(b, product.b.1, to, n, start, count) };
        });
        product.b = (n as isize, 1);
        operands.b = turned;
    }
    unsafe { share(&product, operands, team) }
}

/// Rows `start .. start + count` of the turned matrix: to[i, j] = from[i + j * stride].
unsafe fn turn<R: Real>(from: *const R, stride: isize, to: *mut R, width: usize, start: usize, count: usize) {
    let mut column = 0;
    while column < width {
        let columns = SQUARE.min(width - column);
        let mut row = start;
        while row < start + count {
            let rows = SQUARE.min(start + count - row);
            unsafe {
                if (rows, columns) == (SQUARE, SQUARE) {
                    let mut square = [R::ZERO; SQUARE * SQUARE];
                    for j in 0..SQUARE {
                        let source = from.offset((column + j) as isize * stride).add(row);
                        for i in 0..SQUARE {
                            square[i * SQUARE + j] = *source.add(i);
                        }
                    }
                    for i in 0..SQUARE {
                        let target = to.add((row + i) * width + column);
                        std::ptr::copy_nonoverlapping(square.as_ptr().add(i * SQUARE), target, SQUARE);
                    }
                } else {
                    for i in row..row + rows {
                        for j in column..column + columns {
                            *to.add(i * width + j) = *from.offset(j as isize * stride).add(i);
                        }
                    }
                }
            }
            row += SQUARE;
        }
        column += SQUARE;
    }
}

/// # Safety
/// As of [`contract`].
unsafe fn share<R: Real>(product: &Product, operands: Operands<R>, team: &Team) {
    let cut = product.cut();
    let kernel = product.kernel;
    let each = cut.rows * cut.columns;
    let batch: usize = kernel.batch.iter().product();
    let work = batch * kernel.m * kernel.n * kernel.k * kernel.outer.iter().product::<usize>();
    // Products of a batch that are too small to hand around one by one go together.
    let groups = if each > 1 { batch } else { batch.min((work / GROUP).max(1)).min(4 * MOST) };
    team.share(groups * each, |piece, _| {
        let (first, count) = part(batch, 1, piece / each, groups);
        for at in first..first + count {
            unsafe { one(product, operands, at, cut, piece % each) };
        }
    });
}

/// One piece of one product of the batch.
unsafe fn one<R: Real>(product: &Product, operands: Operands<R>, at: usize, cut: Cut, piece: usize) {
    let kernel = product.kernel;
    let (a, b, c) = operands.all();
    let swap = |x, y| if product.is_swapped { (y, x) } else { (x, y) };
    let (a_batch, b_batch) = swap(&kernel.a.strides[..], &kernel.b.strides[..]);
    let (a_outer, b_outer) = swap(&kernel.a_outer[..], &kernel.b_outer[..]);
    let (mut ia, mut ib, mut ic, mut rest) = (0, 0, 0, at);
    for (place, size) in kernel.batch.iter().enumerate().rev() {
        let position = (rest % size) as isize;
        rest /= size;
        ia += position * a_batch[place];
        ib += position * b_batch[place];
        ic += position * kernel.c.strides[place];
    }
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
