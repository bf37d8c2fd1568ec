//! GraphQL's query language, as far as it reads. Without objects as arguments, block strings and floats.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::vec::IntoIter;

use serde_json::Value;

/// How deep selections may be nested.
const DEEPEST: usize = 25;

#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) operations: Vec<Operation>,
    pub(super) fragments: BTreeMap<String, Fragment>,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) name: Option<String>,
    pub(super) variables: Vec<Variable>,
    pub(super) selections: Vec<Selection>,
}

#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) default: Option<Literal>,
}

/// Fields of a type. Without a type, of the type around it.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) on: Option<String>,
    pub(super) selections: Vec<Selection>,
}

/// A part of a selection, and the conditions on which it is answered.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) conditions: Vec<Condition>,
    pub(super) what: Selected,
}

#[derive(Debug)]
pub(super) enum Selected {
    Field(Field),
    Inline(Fragment),
    /// The name of a fragment.
    Spread(String),
}

#[derive(Debug)]
pub(super) struct Field {
    /// Its key in the answer.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) arguments: Vec<(String, Literal)>,
    pub(super) selections: Vec<Selection>,
}

/// `@include` or `@skip`.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) answered_if: bool,
    pub(super) value: Literal,
}

/// A value in a query. A word of an enumeration is a text.
#[derive(Debug)]
pub(super) enum Literal {
    Variable(String),
    Known(Value),
    List(Vec<Literal>),
}

#[derive(Debug, PartialEq)]
enum Token {
    Sign(char),
    Spread,
    Name(String),
    Literal(Value),
}

/// # Errors
/// What is wrong, if the text is no query.
pub(super) fn parse(text: &str) -> Result<Document, String> {
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), depth: 0 };
    let mut document = Document::default();
    while let Some(token) = parser.tokens.peek() {
        if *token == Token::Sign('{') {
            let selections = parser.selections()?;
            document.operations.push(Operation { name: None, variables: Vec::new(), selections });
            continue;
        }
        match parser.name()?.as_str() {
            "query" => document.operations.push(parser.operation()?),
            "fragment" => {
                let name = parser.name()?;
                document.fragments.insert(name, parser.fragment()?);
            }
            other => return Err(format!("Parse error on \"{other}\"")),
        }
    }
    Ok(document)
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' | ',' | '\u{feff}' => {}
            '#' => while rest.next_if(|c| *c != '\n').is_some() {},
            '.' if rest.next_if_eq(&'.').is_some() && rest.next_if_eq(&'.').is_some() => tokens.push(Token::Spread),
            '{' | '}' | '(' | ')' | '[' | ']' | ':' | '=' | '!' | '@' | '$' => tokens.push(Token::Sign(c)),
            '"' => {
                let mut quoted = String::from(c);
                while let Some(c) = rest.next_if(|c| *c != '"') {
                    quoted.push(c);
                    quoted.extend((c == '\\').then(|| rest.next()).flatten());
                }
                quoted.extend(rest.next());
                let text = serde_json::from_str(&quoted).map_err(|_| format!("Parse error on {quoted}"))?;
                tokens.push(Token::Literal(Value::String(text)));
            }
            '-' | '0'..='9' => {
                let number: String = std::iter::once(c).chain(std::iter::from_fn(|| rest.next_if(is_name))).collect();
                let number: i64 = number.parse().map_err(|_| format!("Parse error on \"{number}\""))?;
                tokens.push(Token::Literal(number.into()));
            }
            c if is_name(&c) => {
                tokens.push(Token::Name(
                    std::iter::once(c).chain(std::iter::from_fn(|| rest.next_if(is_name))).collect(),
                ));
            }
            c => return Err(format!("Parse error on \"{c}\"")),
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Peekable<IntoIter<Token>>,
    depth: usize,
}

impl Parser {
    fn is_next(&mut self, sign: char) -> bool {
        self.tokens.next_if_eq(&Token::Sign(sign)).is_some()
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        match self.tokens.next() {
            Some(Token::Sign(found)) if found == sign => Ok(()),
            found => Err(format!("Parse error: expected \"{sign}\", not {found:?}")),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Name(name)) => Ok(name),
            found => Err(format!("Parse error: expected a name, not {found:?}")),
        }
    }

    fn operation(&mut self) -> Result<Operation, String> {
        let name = matches!(self.tokens.peek(), Some(Token::Name(_))).then(|| self.name()).transpose()?;
        let mut variables = Vec::new();
        if self.is_next('(') {
            while !self.is_next(')') {
                self.expect('$')?;
                let name = self.name()?;
                self.expect(':')?;
                let required = self.kind()?;
                let default = self.is_next('=').then(|| self.literal()).transpose()?;
                variables.push(Variable { name, required, default });
            }
        }
        Ok(Operation { name, variables, selections: self.selections()? })
    }

    /// A type. Returns whether it excludes null.
    fn kind(&mut self) -> Result<bool, String> {
        if self.is_next('[') {
            self.kind()?;
            self.expect(']')?;
        } else {
            self.name()?;
        }
        Ok(self.is_next('!'))
    }

    fn fragment(&mut self) -> Result<Fragment, String> {
        Ok(Fragment { on: self.type_condition()?, selections: self.selections()? })
    }

    fn type_condition(&mut self) -> Result<Option<String>, String> {
        let has_type = self.tokens.next_if_eq(&Token::Name("on".to_owned())).is_some();
        has_type.then(|| self.name()).transpose()
    }

    fn selections(&mut self) -> Result<Vec<Selection>, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("the query is nested deeper than {DEEPEST}"));
        }
        self.expect('{')?;
        let mut selections = vec![self.selection()?];
        while !self.is_next('}') {
            selections.push(self.selection()?);
        }
        self.depth -= 1;
        Ok(selections)
    }

    fn selection(&mut self) -> Result<Selection, String> {
        if self.tokens.next_if_eq(&Token::Spread).is_none() {
            return self.field();
        }
        let is_spread = matches!(self.tokens.peek(), Some(Token::Name(name)) if name != "on");
        if is_spread {
            let name = self.name()?;
            return Ok(Selection { conditions: self.conditions()?, what: Selected::Spread(name) });
        }
        let on = self.type_condition()?;
        let conditions = self.conditions()?;
        let selections = self.selections()?;
        Ok(Selection { conditions, what: Selected::Inline(Fragment { on, selections }) })
    }

    fn field(&mut self) -> Result<Selection, String> {
        let first = self.name()?;
        let (key, name) = if self.is_next(':') { (first, self.name()?) } else { (first.clone(), first) };
        let arguments = self.arguments()?;
        let conditions = self.conditions()?;
        let has_selections = self.tokens.peek() == Some(&Token::Sign('{'));
        let selections = if has_selections { self.selections()? } else { Vec::new() };
        Ok(Selection { conditions, what: Selected::Field(Field { key, name, arguments, selections }) })
    }

    fn arguments(&mut self) -> Result<Vec<(String, Literal)>, String> {
        let mut arguments = Vec::new();
        if self.is_next('(') {
            while !self.is_next(')') {
                let name = self.name()?;
                self.expect(':')?;
                arguments.push((name, self.literal()?));
            }
        }
        Ok(arguments)
    }

    fn conditions(&mut self) -> Result<Vec<Condition>, String> {
        let mut conditions = Vec::new();
        while self.is_next('@') {
            let answered_if = match self.name()?.as_str() {
                "include" => true,
                "skip" => false,
                other => return Err(format!("Directive @{other} is not defined")),
            };
            match self.arguments()?.pop() {
                Some((name, value)) if name == "if" => conditions.push(Condition { answered_if, value }),
                Some(_) | None => return Err("the directive has no argument \"if\"".to_owned()),
            }
        }
        Ok(conditions)
    }

    fn literal(&mut self) -> Result<Literal, String> {
        match self.tokens.next() {
            Some(Token::Sign('$')) => self.name().map(Literal::Variable),
            Some(Token::Sign('[')) => {
                let mut items = Vec::new();
                while !self.is_next(']') {
                    items.push(self.literal()?);
                }
                Ok(Literal::List(items))
            }
            Some(Token::Literal(value)) => Ok(Literal::Known(value)),
            Some(Token::Name(word)) => Ok(Literal::Known(match word.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                "null" => Value::Null,
                word => word.into(),
            })),
            found => Err(format!("Parse error: expected a value, not {found:?}")),
        }
    }
}
