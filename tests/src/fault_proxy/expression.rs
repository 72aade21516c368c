//! As much of the expressions of `DynamoDB` as taking a part away needs.

use std::slice::from_ref;

/// An expression without one of its parts.
pub struct Without {
    /// The part, in brackets, with the other operands of its `OR`, or with the clause's word.
    pub part: String,
    /// The whole expression, with the part in brackets.
    pub whole: String,
    /// What is left of the expression; nothing if it was the only part.
    pub left: String,
}

/// How an expression is written in the name of a slip.
pub type Naming<'a> = &'a dyn Fn(&str) -> String;

/// A condition without each operand of each of its `AND` and `OR`, in turn, and without all.
pub fn of_condition(text: &str, named: Naming<'_>) -> Vec<Without> {
    let mut found = of_operands(text, named);
    if split(text, " AND ").len() == 1 || split(text, " OR ").len() > 1 {
        found.extend(of_list(from_ref(&text), "", named));
    }
    found
}

/// Nothing if the text is one operand.
fn of_operands(text: &str, named: Naming<'_>) -> Vec<Without> {
    for word in [" OR ", " AND "] {
        let operands = split(text, word);
        if operands.len() == 1 {
            continue;
        }
        let mut found = of_list(&operands, word, named);
        if word == " OR " {
            for it in &mut found {
                it.part.clone_from(&it.whole);
            }
        }
        for (nth, operand) in operands.iter().enumerate() {
            let with = |operand: &str, naming: Naming<'_>| {
                let mut all: Vec<String> = operands.iter().map(|it| naming(it)).collect();
                operand.clone_into(&mut all[nth]);
                all.join(word)
            };
            found.extend(of_operands(operand, named).iter().map(|it| Without {
                part: it.whole.clone(),
                whole: with(&it.whole, named),
                left: with(&it.left, &str::to_owned),
            }));
        }
        return found;
    }
    let Some(inside) = inside(text) else {
        return Vec::new();
    };
    let mut found = of_operands(inside, named);
    for without in &mut found {
        without.part = format!("({})", without.part);
        without.whole = format!("({})", without.whole);
        // The table refuses parentheses in parentheses.
        if self::inside(&without.left).is_none() {
            without.left = format!("({})", without.left);
        }
    }
    found
}

/// What is in the parentheses around a text, if they are around all of it.
fn inside(text: &str) -> Option<&str> {
    let is_one = [" OR ", " AND "]
        .iter()
        .all(|word| split(text, word).len() == 1);
    let inside = text.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    inside.filter(|_| is_one)
}

/// An update without each of its clauses, in turn.
pub fn of_update(text: &str, named: Naming<'_>) -> Vec<Without> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for word in text.split(' ') {
        match word {
            "SET" | "ADD" | "REMOVE" | "DELETE" => sections.push((word, Vec::new())),
            _ => sections.last_mut().expect("a word before it").1.push(word),
        }
    }
    let sections: Vec<(&str, String)> = sections
        .into_iter()
        .map(|(word, clauses)| (word, clauses.join(" ")))
        .collect();
    let mut found = Vec::new();
    for (nth, (word, clauses)) in sections.iter().enumerate() {
        let with = |clauses: &str, naming: Naming<'_>| {
            let all = sections.iter().map(|(word, it)| (word, naming(it)));
            let mut all: Vec<_> = all.collect();
            clauses.clone_into(&mut all[nth].1);
            let kept = all.iter().filter(|(_, clauses)| !clauses.is_empty());
            let kept = kept.map(|(word, clauses)| format!("{word} {clauses}"));
            kept.collect::<Vec<_>>().join(" ")
        };
        let of_all = |clauses: &str| distinct(&split(clauses, ", "), named).join(", ");
        let parts = of_list(&split(clauses, ", "), ", ", named);
        found.extend(parts.into_iter().map(|it| Without {
            part: format!("{word} {}", it.part),
            whole: with(&it.whole, &of_all),
            left: with(&it.left, &str::to_owned),
        }));
    }
    found
}

/// A list without each of its parts, in turn. Parts of one name are taken away together.
pub fn of_list(parts: &[&str], separator: &str, named: Naming<'_>) -> Vec<Without> {
    let all = distinct(parts, named);
    let without = |taken: &String| {
        let part = format!("[{taken}]");
        let whole = all.iter().map(|it| if it == taken { &part } else { it });
        let whole: Vec<_> = whole.map(String::as_str).collect();
        let left = parts.iter().filter(|part| named(part) != *taken);
        Without {
            whole: whole.join(separator),
            left: left.copied().collect::<Vec<_>>().join(separator),
            part,
        }
    };
    all.iter().map(without).collect()
}

fn distinct(parts: &[&str], named: Naming<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in parts.iter().map(|part| named(part)) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Splits a text at a separator that is in no parentheses.
pub fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, character) in text.char_indices() {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 && at >= start && text[at..].starts_with(separator) {
            parts.push(&text[start..at]);
            start = at + separator.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Replaces each placeholder (`#name`, `:value`) of an expression.
pub fn replace_placeholders(text: &str, mut by: impl FnMut(&str) -> String) -> String {
    let (mut replaced, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(['#', ':']) {
        let is_inside = |it: char| it.is_alphanumeric() || it == '_';
        let length = rest[at + 1..].find(|it| !is_inside(it));
        let end = length.map_or(rest.len(), |length| at + 1 + length);
        replaced.push_str(&rest[..at]);
        replaced.push_str(&by(&rest[at..end]));
        rest = &rest[end..];
    }
    replaced + rest
}
