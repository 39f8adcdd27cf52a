//! The tokens of a text: what it means without its layout and its comments.

/// A token, with its range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    pub text: &'t str,
    pub start: u32,
    pub end: u32,
    /// It begins a line where the grammar, or a reader, may take that for the beginning of something.
    pub after_break: bool,
}

/// Words that may stand at the beginning of a line without beginning a statement.
const CONTINUING: [&str; 16] = [
    "by", "over", "with", "and", "or", "else", "as", "where", "within", "subject", "to", "from", "until",
    "into", "steps", "project",
];

/// The tokens of `text[from..to]`. A comma before a closing bracket is layout. Line breaks are, too, but where a line
/// begins with `(`, `[` or `-`, which then continue nothing, and between two words.
pub fn tokens(text: &str, from: usize, to: usize) -> Vec<Token<'_>> {
    let mut found: Vec<Token> = Vec::new();
    let mut broken = false;
    let mut at = from;
    while let Some(first) = text.get(at..to).and_then(|rest| rest.chars().next()) {
        let rest = &text[at..to];
        if first == '\n' {
            broken = true;
        }
        if first.is_whitespace() || first == '\u{FEFF}' {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let length = length(rest, first);
        let token = &rest[..length];
        if matches!(first, ')' | ']' | '}') {
            found.pop_if(|last| last.text == ",");
        }
        let word = |token: &str| token.starts_with(is_letter);
        let after_word = found.last().is_some_and(|last| word(last.text));
        let after_break = broken
            && (matches!(first, '(' | '[') || token.starts_with('-') || (after_word && word(token)))
            && !CONTINUING.contains(&token);
        found.push(Token { text: token, start: at as u32, end: (at + length) as u32, after_break });
        broken = false;
        at += length;
    }
    found
}

/// The bytes of the token that a text begins with.
fn length(text: &str, first: char) -> usize {
    if is_letter(first) {
        return text.find(|c| !is_letter(c)).unwrap_or(text.len());
    }
    match first {
        '"' => string_length(text),
        '(' | ')' | '[' | ']' | '{' | '}' | ',' | '\'' | ';' => 1,
        // A run of signs is one token, so that `: =` is not `:=`.
        _ => {
            let ends = |(at, c): (usize, char)| {
                let other = is_letter(c) || c.is_whitespace() || "()[]{},'\";".contains(c);
                (other || (at > 0 && text[at..].starts_with("//"))).then_some(at)
            };
            text.char_indices().find_map(ends).unwrap_or(text.len()).max(first.len_utf8())
        }
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let shown = |token: Token| format!("{}{}", if token.after_break { "|" } else { "" }, token.text);
        tokens(text, 0, text.len()).into_iter().map(shown).collect()
    }

    #[test]
    fn layout_and_comments_are_nothing() {
        let one = texts("let x = f(a, \"b // c\") // why\nlet y = -x");
        let other = texts("\n/// what\nlet   x =\n  f(\n    a,\n    \"b // c\",\n  )\nlet y = -x // how\n");
        assert_eq!(one.join(" "), "let x = f ( a , \"b // c\" ) let y = - x");
        assert_eq!(one, other);
    }

    #[test]
    fn breaks_that_mean_something_are_kept() {
        assert_ne!(texts("a = 1\n(x) -> y"), texts("a = 1 (x) -> y"));
        assert_ne!(texts("a\n- b"), texts("a - b"));
        assert_ne!(texts("a\nb"), texts("a b"));
        assert_ne!(texts("a : = b"), texts("a := b"));
        assert_ne!(texts("ab"), texts("a b"));
        assert_eq!(texts("minimize x\n  over net\n  with adam()"), texts("minimize x over net with adam()"));
    }

    #[test]
    fn strings_end_where_they_end() {
        assert_eq!(texts(r#""a\"b" c"#), [r#""a\"b""#, "c"]);
        assert_eq!(texts(r#""a\\" c"#), [r#""a\\""#, "c"]);
        assert_eq!(texts("\"open"), ["\"open"]);
    }
}
