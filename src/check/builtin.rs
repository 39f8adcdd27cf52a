//! The builtins: what the language itself offers as names, with their documentation. Everything that can be
//! written in the language is in `stdlib/` instead. Their typing rules are in the files beside, by family.

mod elementwise;
mod linear_algebra;
mod order;
mod random;
mod reduce;
pub(super) mod rule;
mod shape;
mod window;

pub(super) use elementwise::arity as shape_of;

macro_rules! builtins {
    ($($variant:ident $name:literal $signature:literal $doc:literal;)*) => {
        /// A function or constant of the language itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Builtin { $($variant),* }

        impl Builtin {
            pub const ALL: &'static [Builtin] = &[$(Builtin::$variant),*];

            pub fn name(self) -> &'static str {
                match self { $(Builtin::$variant => $name),* }
            }

            /// How it is called, for documentation and messages.
            pub fn signature(self) -> &'static str {
                match self { $(Builtin::$variant => $signature),* }
            }

            pub fn doc(self) -> &'static str {
                match self { $(Builtin::$variant => $doc),* }
            }

            pub fn find(name: &str) -> Option<Builtin> {
                Builtin::ALL.iter().copied().find(|b| b.name() == name)
            }
        }
    };
}

builtins! {
    // Element-wise, Float to Float.
    Exp "exp" "exp(x)" "e^x.";
    Log "log" "log(x)" "Natural logarithm.";
    Log1p "log1p" "log1p(x)" "log(1 + x), accurate near 0.";
    Expm1 "expm1" "expm1(x)" "exp(x) - 1, accurate near 0.";
    Sqrt "sqrt" "sqrt(x)" "Square root.";
    Sin "sin" "sin(x)" "Sine of an angle in radians.";
    Cos "cos" "cos(x)" "Cosine of an angle in radians.";
    Tanh "tanh" "tanh(x)" "Hyperbolic tangent.";
    Erf "erf" "erf(x)" "Error function.";
    Sigmoid "sigmoid" "sigmoid(x)" "1 / (1 + exp(-x)), without overflow.";
    Abs "abs" "abs(x)" "Absolute value.";
    Sign "sign" "sign(x)" "-1, 0 or 1; derivative 0.";
    Floor "floor" "floor(x)" "Largest whole number not above x; derivative 0.";
    LogGamma "lgamma" "lgamma(x)" "log |gamma(x)|.";
    Digamma "digamma" "digamma(x)" "Derivative of lgamma.";
    NormalQuantile "normal_quantile" "normal_quantile(p)" "Inverse of the standard normal distribution function.";
    GammaQuantile "gamma_quantile" "gamma_quantile(a, p)" "Inverse of the distribution function of the gamma distribution of shape a and scale 1.";
    PoissonQuantile "poisson_quantile" "poisson_quantile(mean, p)" "The smallest count that a Poisson count of this mean does not exceed with probability p or more.";
    BinomialQuantile "binomial_quantile" "binomial_quantile(n, q, p)" "The smallest count that a binomial count (n trials of chance q) does not exceed with probability p or more.";
    BetaIncomplete "beta_incomplete" "beta_incomplete(a, b, x)" "Regularised incomplete beta function I_x(a, b). Its derivative by x is the beta density; by a and b there is none.";
    GammaIncomplete "gamma_incomplete" "gamma_incomplete(a, x)" "Regularised lower incomplete gamma function P(a, x). Its derivative by x is the gamma density; by a there is none.";
    Where "where" "where(condition, a, b)" "a where the condition holds, else b, element by element.";
    // Reductions over the axes named after the value; `by`, `where` and `else` apply. `max(a, b)` of two values is element-wise.
    Sum "sum" "sum(x, A, ...)" "Sum over axes. Of a Bool: how many.";
    Product "prod" "prod(x, A, ...)" "Product over axes.";
    Mean "mean" "mean(x, A, ...)" "Mean over axes. Of a Bool: the share.";
    Max "max" "max(x, A, ...) or max(a, b)" "Largest over axes, or of two values.";
    Min "min" "min(x, A, ...) or min(a, b)" "Smallest over axes, or of two values.";
    Any "any" "any(x, A, ...)" "Whether one holds.";
    All "all" "all(x, A, ...)" "Whether all hold.";
    Count "count" "count(A where m)" "How many positions of axes, or how many hold.";
    LogSumExp "logsumexp" "logsumexp(x, A, ...)" "log of the sum of exp, without overflow.";
    Variance "var" "var(x, A, ..., correction = 0)" "Variance over axes; divides by n - correction.";
    StandardDeviation "std" "std(x, A, ..., correction = 0)" "Square root of the variance.";
    ArgMax "argmax" "argmax(x, A)" "The position (an A) of the largest, the first among equals.";
    ArgMin "argmin" "argmin(x, A)" "The position (an A) of the smallest, the first among equals.";
    Median "median" "median(x, A, ...)" "Middle value, the mean of the two middle ones for an even count.";
    Quantile "quantile" "quantile(x, A, ..., q)" "Quantile with linear interpolation (q in [0, 1]).";
    // Order.
    Sort "sort" "sort(x, A, descending = false)" "Values in ascending order along A.";
    ArgSort "argsort" "argsort(x, A, descending = false)" "Positions (an A) in ascending order of value, stable.";
    Rank "rank" "rank(x, A, ties = average)" "Ranks from 1; ties: average, min, max, first.";
    Top "top" "top(x, A, k as K)" "The k largest along A in descending order, along the new axis K.";
    CumulativeSum "cumsum" "cumsum(x, A)" "Running sum along A.";
    CumulativeProduct "cumprod" "cumprod(x, A)" "Running product along A.";
    CumulativeMax "cummax" "cummax(x, A)" "Running maximum along A.";
    CumulativeMin "cummin" "cummin(x, A)" "Running minimum along A.";
    // Shape.
    Size "size" "size(A)" "The number of positions of an axis: a static number.";
    Iota "iota" "iota(A)" "The position along A, as an index of A.";
    OneHot "one_hot" "one_hot(i)" "1 at the position i of its axis, 0 elsewhere.";
    Zeros "zeros" "zeros[A, ...]" "0 over axes.";
    Ones "ones" "ones[A, ...]" "1 over axes.";
    Number "number" "number(i)" "An index or a Bool as a Float.";
    Position "position" "position[A](x)" "A Float as an index of A (truncated; outside is a run-time error).";
    Broadcast "broadcast" "broadcast(x, A, ...)" "x, constant along further axes.";
    Window "window" "window(x, H as K = 3, stride = 1, pad = 0, dilation = 1)" "Sliding windows of size K along H, whose places are a new axis H; `H as [P, K]` names the places, `H as [H, K]` keeps H and pads.";
    Concat "concat" "concat(a, b, A as B)" "Joined end to end: the axes of a and b after each other are B.";
    Flatten "flatten" "flatten(x, [A, B] as P)" "Several axes as one, the first slowest.";
    Unflatten "unflatten" "unflatten(x, P as [A, B])" "One axis as several, the first slowest.";
    Split "split" "split(x, A as [B, C])" "x along A in pieces one after another: a tuple, the first along B, the second along C.";
    Shift "shift" "shift(x, A, by = 1, fill = 0)" "x moved along A; position i holds what was at i - by.";
    Pad "pad" "pad(x, A as B, before = n, after = m)" "x with zeros before and after.";
    Diagonal "diagonal" "diagonal(x, A, B)" "x where the positions of A and B (of one size) are equal; A stays.";
    // Linear algebra: the matrix of two axes, the rows first, for every position of the other axes. The axes may be left out
    // where they are an axis and its twin (A, A'). Where there is no result (not positive definite, singular) the run ends.
    Cholesky "cholesky" "cholesky(x, A, A')" "The lower triangular l with sum(l * l[A as B], A') = x, for symmetric positive definite x.";
    Solve "solve" "solve(a, b, A, A')" "The y along A' with sum(a * y, A') = b; b has A and any further axes.";
    SolveTriangular "solve_triangular" "solve_triangular(a, b, A, A', upper = false)" "solve for a triangular a: the other elements count as 0.";
    Eigh "eigh" "eigh(x, A, A' as K)" "Of a symmetric x: { values: Float[K], vectors: Float[A, K] }, ascending, the largest component of each vector positive. The derivative of the vectors needs distinct values.";
    Svd "svd" "svd(x, A, B as K)" "{ left: Float[A, K], values: Float[K], right: Float[B, K] } with x = sum(left * values * right, K), descending, the largest component of each left vector positive. The derivative of the vectors needs distinct positive values.";
    Qr "qr" "qr(x, A, B as K)" "{ orthogonal: Float[A, K], upper: Float[K, B] } with x = sum(orthogonal * upper, K), the diagonal of upper not negative; A is not shorter than B.";
    // Algorithms on a matrix.
    SpanningTree "spanning_tree" "spanning_tree(distance, A, A' as Edge)" "The lengths of the minimum spanning tree's edges, one fewer than A has positions, ascending.";
    Assignment "assignment" "assignment(cost, A, B, largest = false)" "For each A its own B, at the least (largest) sum of costs. No derivative.";
    // Gradients.
    Stop "stop" "stop(x)" "x, through which no gradient flows.";
    Copy "copy" "copy(m)" "A model with parameters of its own, which have the values of m's: now, or in a train block's `let` at the block's start.";
    Freeze "freeze" "freeze(m)" "The model m, through which no gradient flows.";
    Ema "ema" "ema(m, decay)" "In a train block's `let`: a copy that moves after every step, s := decay s + (1 - decay) m.";
    Grad "grad" "grad(y, x)" "The derivative of the scalar y by x, with the axes of x.";
    // Random draws: only after `~`, or called in a function used after `~`.
    Uniform "uniform" "uniform(low = 0, high = 1)" "Uniform in the open interval.";
    Normal "normal" "normal(mean = 0, sd = 1)" "Normal distribution.";
    Bernoulli "bernoulli" "bernoulli(p)" "True with probability p.";
    Categorical "categorical" "categorical(logits, A)" "An index of A with probabilities softmax(logits).";
    UniformIndex "uniform_index" "uniform_index[A]()" "An index of A, each as likely.";
    Permutation "permutation" "permutation[A]()" "A random order: each index of A once, along A.";
    Resample "resample" "resample(A as B)" "Indices of A drawn with replacement, along A and the new axis B.";
    // Numbers of the moment.
    Step "step" "step" "The step of the training block, from 0.";
    Epoch "epoch" "epoch" "The epoch of the training block, from 0.";
    Progress "progress" "progress" "The share of the training block that is done, from 0 to 1.";
    Training "training" "training" "Whether the code runs in a train block: a static truth value.";
    Pi "pi" "pi" "3.14159...";
    Infinity "infinity" "infinity" "Larger than every number.";
    // Of `stop when`.
    Plateau "plateau" "plateau(x, patience = 5, margin = 0)" "In `stop when`: whether x has not risen by more than the margin above its best for so many looks; for a loss, `plateau(-loss)`.";
    // Of an optimizer's step, whose p and g hold every parameter of the objective.
    Inner "inner" "inner(a, b)" "In an optimizer's step: sum(a * b) over all elements of all parameters.";
    // Static lists.
    Geometric "geometric" "geometric(from, to, ratio)" "Whole numbers from, from * ratio, ... up to `to`, rounded, without repeats: for `vary`.";
    Range "range" "range(from, to)" "from, from + 1, ... up to and without `to`: for `vary`.";
    KFold "kfold" "kfold(k)" "k folds: for `vary`, with a split by the fold.";
}
