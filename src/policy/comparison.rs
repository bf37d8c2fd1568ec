//! A comparison with a whole number, such as `>500`.

use std::fmt;
use std::str::FromStr;

use crate::ident::{quoted, serde_as_text};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    operator: Operator,
    number: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
}

/// Those of two characters come first, since they begin with one of the others.
const OPERATORS: [(&str, Operator); 5] = [
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
];

/// A text that is not a comparison.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a comparison: expected `>`, `>=`, `<`, `<=` or `=` and a whole number, such as `\">500\"`")]
pub struct ComparisonError(String);

impl Comparison {
    /// Whether it holds for the number.
    #[must_use]
    pub const fn holds(self, number: u64) -> bool {
        match self.operator {
            Operator::Greater => number > self.number,
            Operator::GreaterOrEqual => number >= self.number,
            Operator::Less => number < self.number,
            Operator::LessOrEqual => number <= self.number,
            Operator::Equal => number == self.number,
        }
    }
}

impl FromStr for Comparison {
    type Err = ComparisonError;

    fn from_str(text: &str) -> Result<Self, ComparisonError> {
        let trimmed = text.trim();
        OPERATORS
            .iter()
            .find_map(|(word, operator)| Some((*operator, trimmed.strip_prefix(word)?.trim_start())))
            .filter(|(_, digits)| digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|(operator, digits)| Some(Self { operator, number: digits.parse().ok()? }))
            .ok_or_else(|| ComparisonError(quoted(text)))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = OPERATORS.iter().find(|(_, operator)| *operator == self.operator).map_or("", |(word, _)| word);
        write!(f, "{word}{}", self.number)
    }
}

serde_as_text!(Comparison);

#[cfg(test)]
mod tests {
    use super::Comparison;

    #[test]
    fn a_comparison_holds_on_its_side_of_the_number() {
        let cases = [
            (">500", [false, false, true]),
            (">= 500", [false, true, true]),
            ("<500", [true, false, false]),
            (" <=500 ", [true, true, false]),
            ("=500", [false, true, false]),
        ];
        for (text, expected) in cases {
            let comparison: Comparison = text.parse().unwrap();
            assert_eq!([499, 500, 501].map(|number| comparison.holds(number)), expected, "{text}");
            assert_eq!(comparison.to_string().parse(), Ok(comparison));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "500", ">", "> -1", ">+1", "==5", "=>5", "!=5", ">5 lines", ">1.5", ">5_000", ">99999999999999999999"]
        {
            assert!(text.parse::<Comparison>().is_err(), "{text}");
        }
    }
}
