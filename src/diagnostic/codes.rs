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
    A0090 "not available yet";
    A0250 "not a size";
    A0251 "sizes differ";
    A0252 "outside an axis";
    A0253 "not a single number";
    A0350 "not known before the run";
    A0351 "no parameter to optimize";
    A0352 "model made in a step";
    A0353 "no arm fits";
    A0354 "train block without a length";
    A0355 "objective without an optimizer";
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
    A0501 "a condition does not hold at run time";
    A0502 "an index outside its axis at run time";
    A0503 "a program that cannot be planned";
    A0504 "a setting that cannot be";
    A0505 "rows grouped by something that is no category";
    A0511 "an assertion that does not hold";
    A0512 "a derivative that differences contradict";
    A0590 "a bug of a rewrite";
    A0601 "a file that cannot be read";
    A0602 "a setting of the command line that names nothing";
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
