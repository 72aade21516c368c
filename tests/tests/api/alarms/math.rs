//! The part of `CloudWatch`'s metric math that the alarms use.
//!
//! A missing value makes the result missing, and so does a division by zero.

use std::{iter::Peekable, str::Chars};

/// An expression over the values of one period.
pub enum Expression {
    Number(f64),
    Name(String),
    Binary(Operator, Box<[Self; 2]>),
    /// The second value if the first is not zero, otherwise the third.
    If(Box<[Self; 3]>),
}

#[derive(Clone, Copy)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    AtLeast,
    Below,
}

impl Expression {
    /// Reads an expression. Panics at anything that the alarms do not use yet.
    pub fn parse(text: &str) -> Self {
        let mut rest = text.chars().peekable();
        let expression = comparison(&mut rest);
        skip(&mut rest);
        let left: String = rest.collect();
        assert!(left.is_empty(), "{left:?} of {text:?} is not understood");
        expression
    }

    /// The value of one period.
    pub fn value(&self, of: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        let flag = |is: bool| Some(if is { 1.0 } else { 0.0 });
        match self {
            Self::Number(number) => Some(*number),
            Self::Name(name) => of(name),
            Self::If(parts) => {
                let chosen = usize::from(parts[0].value(of)? == 0.0) + 1;
                parts[chosen].value(of)
            }
            Self::Binary(operator, sides) => {
                let (left, right) = (sides[0].value(of)?, sides[1].value(of)?);
                match operator {
                    Operator::Add => Some(left + right),
                    Operator::Subtract => Some(left - right),
                    Operator::Multiply => Some(left * right),
                    Operator::Divide => (right != 0.0).then(|| left / right),
                    Operator::AtLeast => flag(left >= right),
                    Operator::Below => flag(left < right),
                }
            }
        }
    }
}

type Rest<'a> = Peekable<Chars<'a>>;

fn skip(rest: &mut Rest<'_>) {
    while rest.next_if(|c| c.is_whitespace()).is_some() {}
}

fn takes(rest: &mut Rest<'_>, expected: char) -> bool {
    skip(rest);
    rest.next_if_eq(&expected).is_some()
}

fn binary(operator: Operator, left: Expression, right: Expression) -> Expression {
    Expression::Binary(operator, Box::new([left, right]))
}

fn comparison(rest: &mut Rest<'_>) -> Expression {
    let left = sum(rest);
    if takes(rest, '>') {
        assert!(takes(rest, '='), "> is not understood");
        binary(Operator::AtLeast, left, sum(rest))
    } else if takes(rest, '<') {
        assert!(!takes(rest, '='), "<= is not understood");
        binary(Operator::Below, left, sum(rest))
    } else {
        left
    }
}

fn sum(rest: &mut Rest<'_>) -> Expression {
    let mut left = product(rest);
    loop {
        if takes(rest, '+') {
            left = binary(Operator::Add, left, product(rest));
        } else if takes(rest, '-') {
            left = binary(Operator::Subtract, left, product(rest));
        } else {
            return left;
        }
    }
}

fn product(rest: &mut Rest<'_>) -> Expression {
    let mut left = primary(rest);
    loop {
        if takes(rest, '*') {
            left = binary(Operator::Multiply, left, primary(rest));
        } else if takes(rest, '/') {
            left = binary(Operator::Divide, left, primary(rest));
        } else {
            return left;
        }
    }
}

fn primary(rest: &mut Rest<'_>) -> Expression {
    if takes(rest, '(') {
        let inner = comparison(rest);
        assert!(takes(rest, ')'), "a bracket is not closed");
        return inner;
    }
    let mut word = String::new();
    while let Some(c) = rest.next_if(|c| c.is_ascii_alphanumeric() || "._".contains(*c)) {
        word.push(c);
    }
    if let Ok(number) = word.parse() {
        return Expression::Number(number);
    }
    if word != "IF" {
        assert!(
            word.starts_with(|c: char| c.is_ascii_lowercase()),
            "{word:?} is not understood"
        );
        return Expression::Name(word);
    }
    assert!(takes(rest, '('), "IF without a bracket");
    let condition = comparison(rest);
    assert!(takes(rest, ','), "IF takes three values");
    let then = comparison(rest);
    assert!(takes(rest, ','), "IF takes three values");
    let otherwise = comparison(rest);
    assert!(takes(rest, ')'), "IF takes three values");
    Expression::If(Box::new([condition, then, otherwise]))
}

#[test]
fn expressions_have_their_values() {
    let of = |name: &str| match name {
        "a" => Some(6.0),
        "b" => Some(3.0),
        "zero" => Some(0.0),
        _ => None,
    };
    for (text, expected) in [
        ("100 * a / b", Some(200.0)),
        ("a - b - b", Some(0.0)),
        ("a + b * b", Some(15.0)),
        ("(a + b) * b", Some(27.0)),
        ("a / zero", None),
        ("a / missing", None),
        ("IF(a >= 6, a / b, 0)", Some(2.0)),
        ("IF(a >= 6.5, a / b, 0)", Some(0.0)),
        ("IF(a < b, 1, zero)", Some(0.0)),
        ("IF(missing >= 1, 1, 2)", None),
        ("IF(zero >= 1, missing, 2)", Some(2.0)),
    ] {
        assert_eq!(Expression::parse(text).value(&of), expected, "{text}");
    }
}
