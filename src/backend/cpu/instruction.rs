//! The instructions of fused kernels: one loop each over a tile, compiled for several instruction sets.
//!
//! In: pointers to a tile's operands. Out: the result's tile. An operand that is uniform is one element.

use super::real::Real;
use crate::graph::{Binary, Compare, Element, Half, Logic, Special, Unary};
use crate::plan::kernel::Operation;

/// Elements of a tile.
pub const TILE: usize = 512;

/// An operand of an instruction.
#[derive(Clone, Copy)]
pub struct Argument {
    pub at: *const u8,
    pub uniform: bool,
}

/// Runs an instruction over `count` elements. The result overlaps no operand.
pub type Execute = unsafe fn(Operation, [Argument; 3], *mut u8, usize);

/// The version for the best instruction set that this machine has.
pub fn for_machine<R: Real>() -> Execute {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
        {
            return execute_v4::<R>;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return execute_v3::<R>;
        }
    }
    execute_any::<R>
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
unsafe fn execute_v4<R: Real>(operation: Operation, arguments: [Argument; 3], to: *mut u8, count: usize) {
    unsafe { execute::<R>(operation, arguments, to, count) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn execute_v3<R: Real>(operation: Operation, arguments: [Argument; 3], to: *mut u8, count: usize) {
    unsafe { execute::<R>(operation, arguments, to, count) }
}

unsafe fn execute_any<R: Real>(operation: Operation, arguments: [Argument; 3], to: *mut u8, count: usize) {
    unsafe { execute::<R>(operation, arguments, to, count) }
}

#[inline(always)]
unsafe fn slice<'a, A>(argument: Argument, count: usize) -> &'a [A] {
    unsafe { std::slice::from_raw_parts(argument.at.cast::<A>(), count) }
}

#[inline(always)]
unsafe fn target<'a, O>(to: *mut u8, count: usize) -> &'a mut [O] {
    unsafe { std::slice::from_raw_parts_mut(to.cast::<O>(), count) }
}

#[inline(always)]
unsafe fn map<A: Copy, O: Copy>(a: Argument, to: *mut u8, count: usize, f: impl Fn(A) -> O) {
    unsafe {
        let to = target::<O>(to, count);
        if a.uniform {
            to.fill(f(*a.at.cast::<A>()));
        } else {
            for (to, a) in to.iter_mut().zip(slice::<A>(a, count)) {
                *to = f(*a);
            }
        }
    }
}

#[inline(always)]
unsafe fn map2<A: Copy, O: Copy>(a: Argument, b: Argument, to: *mut u8, count: usize, f: impl Fn(A, A) -> O) {
    unsafe {
        let to = target::<O>(to, count);
        match (a.uniform, b.uniform) {
            (false, false) => {
                for ((to, a), b) in to.iter_mut().zip(slice::<A>(a, count)).zip(slice::<A>(b, count)) {
                    *to = f(*a, *b);
                }
            }
            (false, true) => {
                let b = *b.at.cast::<A>();
                for (to, a) in to.iter_mut().zip(slice::<A>(a, count)) {
                    *to = f(*a, b);
                }
            }
            (true, false) => {
                let a = *a.at.cast::<A>();
                for (to, b) in to.iter_mut().zip(slice::<A>(b, count)) {
                    *to = f(a, *b);
                }
            }
            (true, true) => to.fill(f(*a.at.cast::<A>(), *b.at.cast::<A>())),
        }
    }
}

/// Elements as bits, chosen by a mask and not by a branch.
trait Bits: Copy {
    fn choose(condition: u8, yes: Self, no: Self) -> Self;
}

macro_rules! bits {
    ($($width:ty),*) => { $(
        impl Bits for $width {
            #[inline(always)]
            fn choose(condition: u8, yes: Self, no: Self) -> Self {
                let mask = <$width>::from(condition).wrapping_neg();
                no ^ ((yes ^ no) & mask)
            }
        }
    )* };
}

bits!(u8, u32, u64);

#[inline(always)]
unsafe fn select<A: Bits>([c, a, b]: [Argument; 3], to: *mut u8, count: usize) {
    unsafe {
        let to = target::<A>(to, count);
        if c.uniform {
            let source = if *c.at != 0 { a } else { b };
            return map::<A, A>(source, to.as_mut_ptr().cast(), count, |x| x);
        }
        let condition = slice::<u8>(c, count);
        match (a.uniform, b.uniform) {
            (false, false) => {
                let (a, b) = (slice::<A>(a, count), slice::<A>(b, count));
                for (((to, c), a), b) in to.iter_mut().zip(condition).zip(a).zip(b) {
                    *to = A::choose(*c, *a, *b);
                }
            }
            (false, true) => {
                let b = *b.at.cast::<A>();
                for ((to, c), a) in to.iter_mut().zip(condition).zip(slice::<A>(a, count)) {
                    *to = A::choose(*c, *a, b);
                }
            }
            (true, false) => {
                let a = *a.at.cast::<A>();
                for ((to, c), b) in to.iter_mut().zip(condition).zip(slice::<A>(b, count)) {
                    *to = A::choose(*c, a, *b);
                }
            }
            (true, true) => {
                let (a, b) = (*a.at.cast::<A>(), *b.at.cast::<A>());
                for (to, c) in to.iter_mut().zip(condition) {
                    *to = A::choose(*c, a, b);
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn execute<R: Real>(operation: Operation, arguments: [Argument; 3], to: *mut u8, n: usize) {
    let [a, b, _] = arguments;
    unsafe {
        match operation {
            Operation::Unary(op) => unary::<R>(op, a, to, n),
            Operation::Binary(op) => match op {
                Binary::Add => map2::<R, R>(a, b, to, n, |a, b| a + b),
                Binary::Subtract => map2::<R, R>(a, b, to, n, |a, b| a - b),
                Binary::Multiply => map2::<R, R>(a, b, to, n, |a, b| a * b),
                Binary::Divide => map2::<R, R>(a, b, to, n, |a, b| a / b),
                Binary::Remainder => map2::<R, R>(a, b, to, n, |a, b| a - b * (a / b).floor()),
                Binary::Power => power::<R>(a, b, to, n),
                Binary::Max => map2::<R, R>(a, b, to, n, R::bigger),
                Binary::Min => map2::<R, R>(a, b, to, n, R::smaller),
            },
            Operation::IndexBinary(op) => {
                map2::<i32, i32>(a, b, to, n, |a, b| super::special::index_binary(op, a, b))
            }
            Operation::Compare(op, Element::Float) => compare::<R>(op, a, b, to, n),
            Operation::Compare(op, Element::Index) => compare::<i32>(op, a, b, to, n),
            Operation::Compare(op, Element::Bool) => compare::<u8>(op, a, b, to, n),
            Operation::Logic(Logic::And) => map2::<u8, u8>(a, b, to, n, |a, b| a & b),
            Operation::Logic(Logic::Or) => map2::<u8, u8>(a, b, to, n, |a, b| a | b),
            Operation::Not => map::<u8, u8>(a, to, n, |a| u8::from(a == 0)),
            Operation::Select(Element::Float) if size_of::<R>() == 4 => select::<u32>(arguments, to, n),
            Operation::Select(Element::Float) => select::<u64>(arguments, to, n),
            Operation::Select(Element::Index) => select::<u32>(arguments, to, n),
            Operation::Select(Element::Bool) => select::<u8>(arguments, to, n),
            Operation::Cast(from, into) => cast::<R>(from, into, a, to, n),
            Operation::Special(special) => special_function::<R>(special, arguments, to, n),
        }
    }
}

#[inline(always)]
unsafe fn unary<R: Real>(op: Unary, a: Argument, to: *mut u8, n: usize) {
    unsafe {
        match op {
            Unary::Negate => map::<R, R>(a, to, n, |x| -x),
            Unary::Exp => map::<R, R>(a, to, n, R::exp),
            Unary::Log => map::<R, R>(a, to, n, R::log),
            Unary::Log1p => map::<R, R>(a, to, n, R::log1p),
            Unary::Expm1 => map::<R, R>(a, to, n, R::expm1),
            Unary::Sqrt => map::<R, R>(a, to, n, R::sqrt),
            Unary::Sin => map::<R, R>(a, to, n, R::sin),
            Unary::Cos => map::<R, R>(a, to, n, R::cos),
            Unary::Tanh => map::<R, R>(a, to, n, R::tanh),
            Unary::Erf => map::<R, R>(a, to, n, R::erf),
            Unary::Sigmoid => map::<R, R>(a, to, n, R::sigmoid),
            Unary::Abs => map::<R, R>(a, to, n, R::abs),
            Unary::Sign => map::<R, R>(a, to, n, |x| {
                let below = if x < R::ZERO { -R::ONE } else { x };
                if x > R::ZERO { R::ONE } else { below }
            }),
            Unary::Floor => map::<R, R>(a, to, n, R::floor),
            Unary::Reciprocal => map::<R, R>(a, to, n, |x| R::ONE / x),
            Unary::Round(Half::Bf16) => map::<R, R>(a, to, n, R::bf16),
            Unary::Round(Half::F16) => map::<R, R>(a, to, n, R::f16),
            Unary::LogGamma | Unary::Digamma | Unary::NormalQuantile => {
                map::<R, R>(a, to, n, |x| R::from_f64(super::special::unary(op, x.to_f64())))
            }
        }
    }
}

/// Squares, roots and reciprocals are what most exponents are.
#[inline(always)]
unsafe fn power<R: Real>(a: Argument, b: Argument, to: *mut u8, n: usize) {
    unsafe {
        if b.uniform {
            let exponent = *b.at.cast::<R>();
            if exponent == R::from_f64(2.0) {
                return map::<R, R>(a, to, n, |x| x * x);
            }
            if exponent == R::ONE {
                return map::<R, R>(a, to, n, |x| x);
            }
            if exponent == R::from_f64(3.0) {
                return map::<R, R>(a, to, n, |x| x * x * x);
            }
            if exponent == -R::ONE {
                return map::<R, R>(a, to, n, |x| R::ONE / x);
            }
        }
        map2::<R, R>(a, b, to, n, R::power);
    }
}

#[inline(always)]
unsafe fn compare<A: Copy + PartialOrd>(op: Compare, a: Argument, b: Argument, to: *mut u8, n: usize) {
    unsafe {
        match op {
            Compare::Equal => map2::<A, u8>(a, b, to, n, |a, b| u8::from(a == b)),
            Compare::NotEqual => map2::<A, u8>(a, b, to, n, |a, b| u8::from(a != b)),
            Compare::Less => map2::<A, u8>(a, b, to, n, |a, b| u8::from(a < b)),
            Compare::LessEqual => map2::<A, u8>(a, b, to, n, |a, b| u8::from(a <= b)),
        }
    }
}

#[inline(always)]
unsafe fn cast<R: Real>(from: Element, into: Element, a: Argument, to: *mut u8, n: usize) {
    use Element::{Bool, Float, Index};
    unsafe {
        match (from, into) {
            (Float, Index) => map::<R, i32>(a, to, n, R::to_index),
            (Float, Bool) => map::<R, u8>(a, to, n, |x| u8::from(x != R::ZERO)),
            (Index, Float) => map::<i32, R>(a, to, n, R::from_index),
            (Index, Bool) => map::<i32, u8>(a, to, n, |x| u8::from(x != 0)),
            (Bool, Float) => map::<u8, R>(a, to, n, |x| if x != 0 { R::ONE } else { R::ZERO }),
            (Bool, Index) => map::<u8, i32>(a, to, n, i32::from),
            (Float, Float) => map::<R, R>(a, to, n, |x| x),
            (Index, Index) => map::<i32, i32>(a, to, n, |x| x),
            (Bool, Bool) => map::<u8, u8>(a, to, n, |x| x),
        }
    }
}

unsafe fn special_function<R: Real>(special: Special, [a, b, c]: [Argument; 3], to: *mut u8, n: usize) {
    unsafe {
        let get = |x: Argument, i: usize| (*x.at.cast::<R>().add(if x.uniform { 0 } else { i })).to_f64();
        for (i, to) in target::<R>(to, n).iter_mut().enumerate() {
            let third = if special.operands() == 3 { get(c, i) } else { 0.0 };
            *to = R::from_f64(super::special::value(special, get(a, i), get(b, i), third));
        }
    }
}
