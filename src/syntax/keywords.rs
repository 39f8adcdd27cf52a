//! The words of the language, each with a sentence about it: for completion, hovering and colouring.
//!
//! A test compares the list with the grammar, which alone decides what is a word where.

/// A word and what it does.
pub struct Keyword {
    pub word: &'static str,
    pub doc: &'static str,
    /// Where it may stand.
    pub place: Place,
}

/// Where a word may begin something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// First at the top of a file.
    Top,
    /// First in a statement of any block.
    Statement,
    /// First in a statement of an experiment.
    Experiment,
    /// First in a statement of a train block.
    Train,
    /// In a layer, an optimizer or a combiner.
    Member,
    /// In a report.
    Report,
    /// In an expression.
    Value,
    /// Behind something else, as a part of its construct.
    Inside,
}

macro_rules! keywords {
    ($($place:ident { $($word:literal $doc:literal;)* })*) => {
        pub const KEYWORDS: &[Keyword] = &[
            $($(Keyword { word: $word, doc: $doc, place: Place::$place },)*)*
        ];
    };
}

keywords! {
    Top {
        "use" "Imports items of the library: `use std.loss (bce, dice)`.";
        "fn" "A function, written for one item: `fn name[A](x: Float[A]) -> Float = sum(x, A)`.";
        "layer" "A model's make: its parameters, its parts and its call.";
        "optimizer" "How parameters move along a gradient: `optimizer name(lr: Float) { state .. step(p, g, t) { .. } }`.";
        "combiner" "How several objectives become one direction: weights or a gradient from `gram`, `g` or `losses`.";
        "constraint" "How a constraint enters an objective, after `subject to .. by`.";
        "experiment" "Data, models, training, measures, claims and the report: what `ansatz run` runs.";
        "test" "Assertions about the items of the file: `test \"name\" { assert .. }`.";
    }
    Statement {
        "let" "Names a value: `let x: Float[A] = ..`, or draws one: `let x ~ normal(0, 1)`.";
        "axis" "Declares an axis by its size, `axis Hidden = 64`, or by another of the same size, `axis S = T`.";
        "assert" "In a test: a condition that must hold, `assert a ~= b within 1e-6`.";
        "data" "A data set: columns read from a file, or generated, over an axis of rows.";
        "yield" "In a `scan`: the value of this position.";
    }
    Experiment {
        "vary" "An axis of trials: arms `{ a, b }`, a number of seeds, or a list of values.";
        "split" "Cuts the rows of a data set in parts: `split d stratified by y into train 70%, test 30%`.";
        "train" "A training block, over the rows of a part: `train on d.train { .. }`.";
        "on" "Computes over the rows of a part, and measures: `on d.test { measure .. }`.";
        "measure" "A result of every trial; afterwards it has the axes of the `vary`s that it depends on.";
        "claim" "A statement that the run decides: `claim \"words\": condition`.";
        "report" "What is shown: tables, plots and texts.";
        "snapshot" "Results that `ansatz test` compares with those from before: `snapshot score within 0.02`.";
        "quick" "What `--quick` sets: `quick Seed = 2, rounds = 20`.";
        "repeat" "Repeats statements: `repeat Round = 5 { .. }` adds an axis of rounds.";
        "precision" "The numbers that training computes with: `f32`, `f64`, `bf16` or `f16`.";
        "seed" "The seed of everything random of the experiment, or of one split.";
        "allow" "`allow divergence`: trials with numbers that are not finite are an outcome, not a failure.";
    }
    Train {
        "batch" "How many rows a step sees: `batch 64 over Row`.";
        "epochs" "How often the training goes through all rows.";
        "steps" "How many steps the training takes, or the updates of one objective.";
        "minimize" "The objective, or its terms in braces: `minimize loss over net with adam(lr = 1e-3)`.";
        "maximize" "An objective that is to become large: of an adversary, or a reward.";
        "state" "A value that steps change by `:=`.";
        "every" "At moments of the training: `every 100 { record .. }`.";
        "record" "A number of the training, along the axis of its moments in the results.";
        "stop" "`stop when condition` ends the training. As a function, `stop(x)` lets no gradient through.";
        "keep" "`keep highest name`: the parameters of the best checkpoint are kept.";
    }
    Member {
        "param" "An array that training changes, with its initial value: `param w: Float[A] ~ normal(0, 1)`.";
        "step" "The update of an optimizer: `step(p, g, t) { .. }`. As a value, the number of the step.";
        "gradient" "The derivative that a function brings along: `gradient(x, g) { .. }`.";
    }
    Report {
        "table" "A table of measures: `table score by Objective`.";
        "plot" "A plot of measures or of the course of training: `plot loss over Step by Objective`.";
        "text" "A paragraph of the report.";
    }
    Value {
        "if" "Chooses by a condition that is known before the run; over data, `where(condition, a, b)`.";
        "else" "The other branch of an `if`; after a reduction, its value over no positions.";
        "match" "Chooses by an arm of a `vary` or a number: `match Objective { a => ..  b => .. }`.";
        "true" "The truth value.";
        "false" "The truth value.";
        "and" "Both hold.";
        "or" "One of them holds.";
        "not" "It does not hold.";
        "scan" "Goes along an axis: `scan t in T from h = 0 { h := .. yield h }`.";
        "iterate" "Repeats a computation: `iterate 10 from x = 0 { x := .. }`.";
    }
    Inside {
        "as" "Names an axis: `x[A as B]`, `top(x, A, 3 as K)`.";
        "balanced" "`batch 64 over Row balanced by label`: each class as often.";
        "by" "Groups (`mean(x, Row by sex)`), a combiner (`by mgda()`), a method, or the axes of a report.";
        "each" "`balanced by label, 4 each`: so many rows of each class.";
        "fold" "`test fold Fold`: the rows of the fold of this trial.";
        "from" "The start of a loop's variables, the file of weights, or the model that data are sampled from.";
        "highest" "`keep highest name`.";
        "lowest" "`keep lowest name`.";
        "in" "`scan t in T`; `batch 1 over Row in order visits`.";
        "into" "`split d into train 70%, test 30%`.";
        "map" "The names of weights in a file: `map { \"file.name\" => \"name\" }`.";
        "missing" "What stands for a missing value of a column.";
        "order" "`in order visits`: rows one after the other, as listed.";
        "over" "The axis of rows, of batches or of a plot; the models that an objective trains.";
        "pairs" "`batch 64 over Row pairs by label`: rows in pairs of one class.";
        "project" "`project clamp(x, -1, 1)`: the value of a parameter after its update.";
        "stratified" "`split d stratified by y`: every part has the same shares of y.";
        "stream" "`train stream on d.train`: one pass, one row at a time.";
        "subject" "`subject to a <= b by penalty(20)`: a constraint of the objective.";
        "to" "`subject to ..`; `iterate up to 100 until ..`.";
        "until" "`iterate up to 100 until condition from ..`.";
        "up" "`iterate up to 100 until condition from ..`.";
        "weights" "`batch 64 over Row weights w`: rows are drawn by their weights.";
        "when" "`stop when condition`.";
        "where" "A condition on positions: `mean(x, Row where m)`. As a function, `where(condition, a, b)` chooses.";
        "with" "The optimizer of an objective: `with adam(lr = 1e-3)`.";
        "within" "The tolerance of `~=`, or of a `snapshot`.";
    }
}

/// What is said about a word of the language.
pub fn keyword(word: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.word == word)
}
