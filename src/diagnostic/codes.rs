//! The table of codes. A code is never reused for another meaning.
//!
//! A00xx syntax, A01xx names, A02xx axes and types, A03xx structure of experiments and models,
//! A04xx data, A05xx running, A06xx command line and environment.

use std::fmt;

macro_rules! codes {
    ($($code:ident $title:literal;)*) => {
        /// A stable diagnostic code such as `A0101`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($code),* }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The title of the code's page in the error index.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title),* }
            }
        }

        /// The page of the error index for a code.
        pub fn explain(code: Code) -> &'static str {
            match code {
                $(Code::$code => include_str!(concat!("../../docs/errors/", stringify!($code), ".md"))),*
            }
        }
    };
}

codes! {
    A0001 "syntax error";
    A0002 "not valid text";
    A0003 "nested too deeply";
    A0004 "string without an end";
    A0005 "brackets that do not match";
    A0006 "word of the language used as a name";
    A0007 "word or operator of another language";
    A0008 "assignment without `let`";
    A0009 "missing line break or comma";
    A0010 "chained comparison";
    A0011 "`if` without `else` used as a value";
    A0012 "`-` at the start of a line";
    A0013 "documentation of nothing";
    A0014 "clause written twice";
    A0015 "impossible number or string";
    A0101 "unknown name";
    A0102 "unknown axis";
    A0103 "unknown type";
    A0104 "unknown field";
    A0105 "unknown column";
    A0106 "unknown module";
    A0107 "not in the module";
    A0108 "unknown argument name";
    A0109 "unknown part or data set";
    A0110 "unknown arm";
    A0111 "unknown setting";
    A0112 "unknown reader";
    A0113 "defined twice";
    A0114 "builtin hidden";
    A0115 "unknown optimizer";
    A0116 "unused import";
    A0117 "unused definition";
    A0118 "name of another kind";
    A0119 "not measured";
    A0121 "quick setting of nothing";
    A0201 "wrong number of arguments";
    A0202 "missing argument";
    A0203 "ambiguous axes";
    A0204 "axis cannot be inferred";
    A0205 "argument lacks an axis";
    A0206 "wrong type";
    A0207 "axes differ from the declared ones";
    A0208 "axis that the operand lacks";
    A0209 "index of another axis";
    A0210 "parts of one axis mixed";
    A0211 "not a value to compute with";
    A0212 "too many axis arguments";
    A0213 "not known before the run";
    A0214 "axis twice in one value";
    A0215 "not callable";
    A0216 "not a truth value";
    A0217 "list without axis";
    A0218 "clause out of place";
    A0219 "lifted over an axis in use";
    A0220 "one axis for two";
    A0221 "alternatives differ";
    A0222 "a function is wanted";
    A0223 "another function is wanted";
    A0224 "parameter without a type";
    A0225 "no derivative";
    A0226 "a model for every item";
    A0227 "a number outside its domain";
    A0241 "loop variable of two types";
    A0242 "assignment across a loop";
    A0243 "yield out of place";
    A0250 "not a size";
    A0251 "sizes differ";
    A0252 "outside an axis";
    A0253 "not a single number";
    A0254 "least count without else";
    A0263 "matrix of two sizes";
    A0264 "no derivative by a parameter";
    A0265 "a function of texts elsewhere";
    A0266 "a wrong call of a text function";
    A0267 "a pattern that cannot be read";
    A0296 "term of several objectives";
    A0301 "objective is not a single number";
    A0302 "held-out data in training";
    A0303 "measured on training data";
    A0304 "random outside a draw";
    A0305 "assignment to what is no state";
    A0306 "match leaves out arms";
    A0307 "arm covered twice";
    A0308 "claim is no truth value";
    A0309 "claim has axes";
    A0310 "objective without optimizer";
    A0311 "training without length";
    A0312 "no path to the parameters";
    A0313 "untrained model";
    A0314 "recursion";
    A0315 "vary over nothing";
    A0316 "only inside training";
    A0317 "constant claim";
    A0318 "batch over another axis";
    A0319 "missing value";
    A0320 "too few seeds";
    A0321 "statement out of place";
    A0322 "trial value in results";
    A0323 "value dropped";
    A0324 "impossible split";
    A0325 "training setting twice";
    A0326 "training without objective";
    A0327 "unknown combiner or method for a constraint";
    A0328 "combiner of another form";
    A0329 "constraint that is no comparison";
    A0330 "gradient cut";
    A0331 "starts before the first step";
    A0332 "models of different make";
    A0333 "model kept outside a train block";
    A0338 "impossible quick setting";
    A0339 "marked twice";
    A0341 "a second axis of moments";
    A0342 "training stopped by several truth values";
    A0343 "a record that cannot choose what to keep";
    A0344 "rows that cannot be sampled so";
    A0345 "a stream with batches or a length";
    A0346 "no fold";
    A0347 "not in rounds";
    A0348 "plateau outside a condition to stop";
    A0350 "not known before the run";
    A0351 "no parameter to optimize";
    A0352 "model made in a step";
    A0353 "no arm fits";
    A0354 "train block without a length";
    A0355 "objective without an optimizer";
    A0356 "projection of several parameters";
    A0357 "loop too long to unroll";
    A0359 "fault in the compiler";
    A0401 "data file not found";
    A0402 "data file outside the allowed folders";
    A0403 "data file cannot be read";
    A0404 "data file is empty";
    A0405 "damaged compressed file";
    A0406 "no header line";
    A0407 "not a text file";
    A0408 "wrong number of fields";
    A0409 "duplicate column header";
    A0410 "value is not finite";
    A0411 "missing value";
    A0412 "index out of range";
    A0413 "not a boolean";
    A0414 "numbered columns missing or with gaps";
    A0415 "not a number";
    A0416 "no such column";
    A0417 "files of different lengths";
    A0418 "not an IDX file";
    A0419 "not a NumPy array or archive";
    A0420 "unsupported array element";
    A0421 "array shape does not fit";
    A0422 "axis has two sizes";
    A0423 "columns and files do not match";
    A0424 "value not in the category";
    A0425 "no rows";
    A0426 "column kind does not suit the file";
    A0427 "too many rows";
    A0430 "parts larger than the data";
    A0431 "empty part";
    A0432 "more than 100 percent";
    A0433 "column cannot divide the rows";
    A0434 "folds do not fit";
    A0435 "batch larger than the data";
    A0436 "part named twice";
    A0437 "a batch that cannot be sampled";
    A0438 "other sizes in other rounds";
    A0440 "not a line of JSON";
    A0441 "not a column of plain text";
    A0442 "not a safetensors file";
    A0443 "not a Parquet file";
    A0444 "wrong option of a reader";
    A0445 "key of a table twice";
    A0446 "rows that are an axis already";
    A0447 "text column outside functions of text";
    A0448 "weight not in the file";
    A0449 "weight of another shape";
    A0450 "map names nothing";
    A0501 "a condition does not hold at run time";
    A0502 "an index outside its axis at run time";
    A0503 "a program that cannot be planned";
    A0504 "a setting that cannot be";
    A0505 "rows grouped by something that is no category";
    A0506 "more memory than there is";
    A0511 "an assertion that does not hold";
    A0512 "a derivative that differences contradict";
    A0513 "a matrix that is not positive definite";
    A0514 "a singular matrix";
    A0515 "a matrix that is not symmetric";
    A0516 "a matrix that is not finite";
    A0517 "a decomposition that does not converge";
    A0518 "a text without a number";
    A0590 "a bug of a rewrite";
    A0601 "a file that cannot be read";
    A0602 "a setting of the command line that names nothing";
    A0603 "no experiment to run";
    A0604 "no such device";
    A0605 "an experiment that cannot be timed";
    A0606 "a run that cannot be kept";
    A0607 "something kept that is damaged";
    A0608 "no such run";
    A0609 "a run without results";
    A0620 "no quick settings";
    A0621 "a snapshot that cannot be read";
    A0622 "a snapshot that cannot be written";
    A0623 "a new experiment that cannot be made";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::str::FromStr for Code {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.to_uppercase();
        Code::ALL.iter().copied().find(|code| format!("{code:?}") == text).ok_or(())
    }
}
