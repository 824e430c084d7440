//! Commands, operands, fields and calls: the expressions of text/template/exec.go of Go 1.19.

use super::evaluate::{Evaluated, Place, Run};
use super::function;
use super::node::{Expression, Kind, Number};
use super::print;
use super::value::{Nil, Param, Value};

/// The value handed on by the command before, when there is one.
pub(super) struct Final(pub(super) Option<Value>);

/// Something that can be called, with its place for messages.
struct Call<'c, 't> {
    name: &'c str,
    params: &'c [Param],
    rest: Option<Param>,
    place: Place<'t>,
}

impl<'t> Run<'t> {
    /// The value of one command of a pipeline.
    pub(super) fn command(
        &mut self,
        dot: &Value,
        command: &'t [Expression],
        last: &Final,
    ) -> Evaluated<Value> {
        let Some((first, arguments)) = command.split_first() else {
            return Ok(Value::Absent);
        };
        let whole = Place::Command(command);
        match &first.kind {
            Kind::Identifier(name) => {
                self.place = Place::Expression(first);
                return self.function(dot, whole, name, arguments, last);
            }
            Kind::Field(_) | Kind::Chain(..) | Kind::Variable(_) => {
                return self.chained(dot, first, arguments, last);
            }
            Kind::Pipe(pipe) => {
                self.no_arguments(first, arguments, last)?;
                return self.pipeline(dot, pipe);
            }
            _ => {}
        }
        self.place = Place::Expression(first);
        self.no_arguments(first, arguments, last)?;
        match &first.kind {
            Kind::Dot => Ok(dot.clone()),
            Kind::Nil => self.fail("nil is not a command"),
            Kind::Bool(truth) => Ok(Value::Bool(*truth)),
            Kind::Number(number) => self.ideal(first, number),
            Kind::Text(_, text) => Ok(Value::text(text)),
            _ => self.fail(format!(
                "can't evaluate command {}",
                print::quoted(&first.to_string())
            )),
        }
    }

    fn no_arguments(
        &self,
        first: &Expression,
        arguments: &[Expression],
        last: &Final,
    ) -> Evaluated<()> {
        match arguments.is_empty() && last.0.is_none() {
            true => Ok(()),
            false => self.fail(format!("can't give argument to non-function {first}")),
        }
    }

    /// A number where nothing says which type is wanted.
    fn ideal(&mut self, word: &'t Expression, number: &Number) -> Evaluated<Value> {
        self.place = Place::Expression(word);
        let text = &number.text;
        let hexadecimal = text.len() > 2 && text.to_ascii_lowercase().starts_with("0x");
        let fraction =
            !hexadecimal && !text.starts_with('\'') && text.contains(['.', 'e', 'E', 'p', 'P']);
        match (number.float, number.int) {
            (Some(float), _) if fraction => Ok(Value::Float(float)),
            (_, Some(int)) => Ok(Value::Int(int)),
            _ => self.fail(format!("{text} overflows int")),
        }
    }

    /// `.A.B`, `$x.A.B` and `(pipeline).A.B`; arguments go to the last of the chain.
    fn chained(
        &mut self,
        dot: &Value,
        word: &'t Expression,
        arguments: &'t [Expression],
        last: &Final,
    ) -> Evaluated<Value> {
        self.place = Place::Expression(word);
        let (mut receiver, fields) = match &word.kind {
            Kind::Field(fields) => (dot.clone(), fields.as_slice()),
            Kind::Variable(names) => {
                let Some((name, fields)) = names.split_first() else {
                    return Ok(Value::Absent);
                };
                let mut known = self.variables.iter().rev();
                let Some((_, value)) = known.find(|(known, _)| known == name) else {
                    return self.fail(format!("undefined variable: {name}"));
                };
                let value = value.clone();
                if fields.is_empty() {
                    self.no_arguments(word, arguments, last)?;
                    return Ok(value);
                }
                (value, fields)
            }
            Kind::Chain(inner, fields) => {
                if matches!(inner.kind, Kind::Nil) {
                    return self.fail(format!("indirection through explicit nil in {word}"));
                }
                let value = match &inner.kind {
                    Kind::Pipe(pipe) => self.pipeline(dot, pipe)?,
                    _ => self.argument(dot, Param::Any, inner)?,
                };
                (value, fields.as_slice())
            }
            _ => return Ok(Value::Absent),
        };
        let Some((end, before)) = fields.split_last() else {
            return Ok(receiver);
        };
        for field in before {
            receiver = self.field(dot, field, word, &[], &Final(None), &receiver)?;
        }
        self.field(dot, end, word, arguments, last, &receiver)
    }

    fn field(
        &mut self,
        dot: &Value,
        name: &str,
        word: &'t Expression,
        arguments: &'t [Expression],
        last: &Final,
        receiver: &Value,
    ) -> Evaluated<Value> {
        let given = !arguments.is_empty() || last.0.is_some();
        match receiver {
            Value::Absent => return Ok(Value::Absent),
            Value::Nil(Nil::Any | Nil::Pointer(_)) => {
                let kind = receiver.type_name();
                return self.fail(format!("nil pointer evaluating {kind}.{name}"));
            }
            Value::Record(record) => match record.fields.get(name) {
                Some(Value::Function(method)) => {
                    let method = method.clone();
                    let call = Call {
                        name,
                        params: method.params,
                        rest: method.rest,
                        place: Place::Expression(word),
                    };
                    let values = self.values(dot, &call, arguments, last)?;
                    return self.called(&call, (method.body)(&values));
                }
                Some(_) if given => {
                    return self.fail(format!(
                        "{name} has arguments but cannot be invoked as function"
                    ));
                }
                Some(value) => return Ok(value.clone()),
                None => {}
            },
            Value::Map(_) | Value::Nil(Nil::Map) if given => {
                return self.fail(format!("{name} is not a method but has arguments"));
            }
            Value::Map(map) => return Ok(map.get(name).cloned().unwrap_or(Value::Absent)),
            Value::Nil(Nil::Map) => return Ok(Value::Absent),
            _ => {}
        }
        let kind = receiver.type_name();
        self.fail(format!("can't evaluate field {name} in type {kind}"))
    }

    fn function(
        &mut self,
        dot: &Value,
        place: Place<'t>,
        name: &'t str,
        arguments: &'t [Expression],
        last: &Final,
    ) -> Evaluated<Value> {
        let Some(function) = function::find(name) else {
            let name = print::quoted(name);
            return self.fail(format!("{name} is not a defined function"));
        };
        let call = Call {
            name,
            params: function.params,
            rest: function.rest,
            place,
        };
        if name == "and" || name == "or" {
            self.count(&call, arguments, last)?;
            return self.short_circuit(dot, name == "or", arguments, last);
        }
        let values = self.values(dot, &call, arguments, last)?;
        if self.header && function.of_docker {
            return Ok(values.into_iter().next().unwrap_or(Value::Absent));
        }
        self.called(&call, (function.body)(&values))
    }

    fn short_circuit(
        &mut self,
        dot: &Value,
        stop_at: bool,
        arguments: &'t [Expression],
        last: &Final,
    ) -> Evaluated<Value> {
        let mut value = Value::Absent;
        for argument in arguments {
            value = self.argument(dot, Param::Any, argument)?;
            if value.truth() == stop_at {
                return Ok(value);
            }
        }
        Ok(last.0.clone().unwrap_or(value))
    }

    fn called(&mut self, call: &Call<'_, 't>, done: Result<Value, String>) -> Evaluated<Value> {
        match done {
            Ok(value) => Ok(value),
            Err(message) => {
                self.place = call.place;
                let name = call.name;
                self.fail(format!("error calling {name}: {message}"))
            }
        }
    }

    fn count(&self, call: &Call<'_, 't>, arguments: &[Expression], last: &Final) -> Evaluated<()> {
        let (name, wanted) = (call.name, call.params.len());
        let given = arguments.len() + usize::from(last.0.is_some());
        match call.rest {
            Some(_) if given < wanted => self.fail(format!(
                "wrong number of args for {name}: want at least {wanted} got {}",
                arguments.len()
            )),
            None if given != wanted => self.fail(format!(
                "wrong number of args for {name}: want {wanted} got {given}"
            )),
            _ => Ok(()),
        }
    }

    /// The arguments of a call, each of the type that is wanted.
    fn values(
        &mut self,
        dot: &Value,
        call: &Call<'_, 't>,
        arguments: &'t [Expression],
        last: &Final,
    ) -> Evaluated<Vec<Value>> {
        self.count(call, arguments, last)?;
        let param = |place: usize| {
            let fixed = call.params.get(place).copied();
            fixed.or(call.rest).unwrap_or(Param::Any)
        };
        let mut values = Vec::with_capacity(arguments.len() + 1);
        for (place, argument) in arguments.iter().enumerate() {
            values.push(self.argument(dot, param(place), argument)?);
        }
        if let Some(value) = &last.0 {
            values.push(self.fitting(value.clone(), param(arguments.len()))?);
        }
        Ok(values)
    }

    fn argument(&mut self, dot: &Value, param: Param, word: &'t Expression) -> Evaluated<Value> {
        self.place = Place::Expression(word);
        let value = match &word.kind {
            Kind::Dot => dot.clone(),
            Kind::Nil if param == Param::Any => return Ok(Value::Nil(Nil::Any)),
            Kind::Nil => {
                let kind = param.type_name();
                return self.fail(format!("cannot assign nil to {kind}"));
            }
            Kind::Field(_) | Kind::Variable(_) | Kind::Chain(..) => {
                self.chained(dot, word, &[], &Final(None))?
            }
            Kind::Pipe(pipe) => self.pipeline(dot, pipe)?,
            Kind::Identifier(name) => {
                self.function(dot, Place::Expression(word), name, &[], &Final(None))?
            }
            _ => return self.constant(param, word),
        };
        self.fitting(value, param)
    }

    fn constant(&mut self, param: Param, word: &'t Expression) -> Evaluated<Value> {
        match (param, &word.kind) {
            (Param::Any, Kind::Bool(truth)) => Ok(Value::Bool(*truth)),
            (Param::Any | Param::Text, Kind::Text(_, text)) => Ok(Value::text(text)),
            (Param::Any, Kind::Number(number)) => self.ideal(word, number),
            (Param::Int, Kind::Number(Number { int: Some(int), .. })) => Ok(Value::Int(*int)),
            (Param::Text, _) => self.fail(format!("expected string; found {word}")),
            (Param::Int, _) => self.fail(format!("expected integer; found {word}")),
            (Param::Any, _) => self.fail(format!("can't handle {word}")),
        }
    }

    fn fitting(&self, value: Value, param: Param) -> Evaluated<Value> {
        let wanted = param.type_name();
        match (param, &value) {
            (Param::Any, _) | (Param::Text, Value::Text(_)) | (Param::Int, Value::Int(_)) => {
                Ok(value)
            }
            (_, Value::Absent) => self.fail(format!("invalid value; expected {wanted}")),
            (_, found) => {
                let found = found.type_name();
                self.fail(format!(
                    "wrong type for value; expected {wanted}; got {found}"
                ))
            }
        }
    }
}
