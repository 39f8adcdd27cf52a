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
