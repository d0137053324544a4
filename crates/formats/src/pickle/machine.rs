//! The stack machine: instructions in, the tensors of a state dictionary out.

use std::collections::HashMap;

use super::reader::Reader;
use super::value::{Heap, StorageRef, TensorRef, Value, count_tensors};
use super::{Global, PickleError};

/// The tensors of a pickled state dictionary by name, in the order of the file; other values of it are left out.
///
/// # Errors
/// The place in the pickle and what was wrong there.
pub(crate) fn state_dict(pickle: &[u8]) -> Result<Vec<(&str, TensorRef<'_>)>, (usize, PickleError)> {
    let mut machine = Machine {
        reader: Reader::new(pickle),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        heap: Heap::default(),
    };
    machine.run().map_err(|error| (machine.reader.offset(), error))
}

struct Machine<'a> {
    reader: Reader<'a>,
    stack: Vec<Value<'a>>,
    /// Heights of the stack at which the open marks stand.
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    heap: Heap<'a>,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Vec<(&'a str, TensorRef<'a>)>, PickleError> {
        loop {
            let instruction = self.reader.byte()?;
            if instruction == b'.' {
                let state = self.pop()?;
                return self.tensors(state);
            }
            self.step(instruction)?;
        }
    }

    /// Runs one instruction. The letters and numbers are the protocol's, its names are in the comments.
    fn step(&mut self, instruction: u8) -> Result<(), PickleError> {
        match instruction {
            0x80 => match self.reader.byte()? {
                2..=5 => Ok(()), // PROTO
                other => Err(PickleError::Protocol(other)),
            },
            0x95 => self.reader.take(8).map(drop), // FRAME: a hint for buffering
            b'(' => {
                // MARK
                self.heap.count()?;
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(drop),                         // POP
            b'N' | 0x88 | 0x89 | b']' => self.push(Value::Other), // NONE, NEWTRUE, NEWFALSE, EMPTY_LIST
            b'G' => {
                self.reader.take(8)?; // BINFLOAT
                self.push(Value::Other)
            }
            b'J' => {
                let number = i32::from_le_bytes(self.reader.array()?); // BININT
                self.push(Value::Int(number.into()))
            }
            b'K' => {
                let number = self.reader.byte()?; // BININT1
                self.push(Value::Int(number.into()))
            }
            b'M' => {
                let number = u16::from_le_bytes(self.reader.array()?); // BININT2
                self.push(Value::Int(number.into()))
            }
            0x8a => {
                let length = self.reader.byte()?; // LONG1
                let number = self.reader.long(length.into())?;
                self.push(Value::Int(number))
            }
            0x8c => {
                let length = self.reader.byte()?; // SHORT_BINUNICODE
                self.push_text(length.into())
            }
            b'X' => {
                let length = self.reader.u32()?; // BINUNICODE
                self.push_text(usize::try_from(length).map_err(|_| PickleError::Truncated)?)
            }
            0x8d => {
                let length = self.reader.length()?; // BINUNICODE8
                self.push_text(length)
            }
            b')' => self.push_tuple(self.stack.len()), // EMPTY_TUPLE
            0x85..=0x87 => {
                let items = usize::from(instruction - 0x84); // TUPLE1 to TUPLE3
                self.push_tuple(self.stack.len().checked_sub(items).ok_or(PickleError::StackUnderflow)?)
            }
            b't' => {
                let mark = self.pop_mark()?; // TUPLE
                self.push_tuple(mark)
            }
            b'a' => self.pop().map(drop), // APPEND: a list's items are not kept
            b'e' => {
                let mark = self.pop_mark()?; // APPENDS
                self.stack.truncate(mark);
                Ok(())
            }
            b'}' => {
                let dict = self.heap.dict(); // EMPTY_DICT
                self.push(dict)
            }
            b's' => {
                let pair = self.stack.len().checked_sub(2).ok_or(PickleError::StackUnderflow)?; // SETITEM
                self.set_items(pair)
            }
            b'u' => {
                let mark = self.pop_mark()?; // SETITEMS
                self.set_items(mark)
            }
            b'c' => {
                let module = self.reader.line()?; // GLOBAL
                let name = self.reader.line()?;
                self.push_global(module, name)
            }
            0x93 => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => self.push_global(module, name), // STACK_GLOBAL
                _ => Err(PickleError::Unexpected("a name")),
            },
            b'Q' => self.persistent(), // BINPERSID
            b'R' => self.call(),       // REDUCE
            b'b' => {
                // BUILD: attributes of a state dictionary are versions of modules, no tensor depends on them.
                self.pop()?;
                match self.stack.last() {
                    Some(Value::Dict(_)) => Ok(()),
                    Some(_) => Err(PickleError::Unexpected("a dictionary")),
                    None => Err(PickleError::StackUnderflow),
                }
            }
            b'q' => {
                let place = self.reader.byte()?; // BINPUT
                self.remember(place.into())
            }
            b'r' => {
                let place = self.reader.u32()?; // LONG_BINPUT
                self.remember(place)
            }
            0x94 => {
                let place = u32::try_from(self.memo.len()).unwrap_or(u32::MAX); // MEMOIZE
                self.remember(place)
            }
            b'h' => {
                let place = self.reader.byte()?; // BINGET
                self.recall(place.into())
            }
            b'j' => {
                let place = self.reader.u32()?; // LONG_BINGET
                self.recall(place)
            }
            other => Err(PickleError::UnknownInstruction(other)),
        }
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), PickleError> {
        self.heap.count()?;
        self.stack.push(value);
        Ok(())
    }

    fn push_text(&mut self, length: usize) -> Result<(), PickleError> {
        let text = self.reader.text(length)?;
        self.push(Value::Text(text))
    }

    /// Makes a tuple of everything from a height of the stack.
    fn push_tuple(&mut self, from: usize) -> Result<(), PickleError> {
        let items = self.stack.split_off(from);
        let tuple = self.heap.tuple(items);
        self.push(tuple)
    }

    fn push_global(&mut self, module: &str, name: &str) -> Result<(), PickleError> {
        let global =
            Global::find(module, name).ok_or_else(|| PickleError::ForeignGlobal(format!("{module}.{name}")))?;
        self.push(Value::Global(global))
    }

    /// Takes the top value; values below an open mark belong to an unfinished collection and are out of reach.
    fn pop(&mut self) -> Result<Value<'a>, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(PickleError::StackUnderflow);
        }
        self.stack.pop().ok_or(PickleError::StackUnderflow)
    }

    /// Takes the last open mark; the stack is never lower than it.
    fn pop_mark(&mut self) -> Result<usize, PickleError> {
        let mark = self.marks.pop().ok_or(PickleError::StackUnderflow)?;
        if mark <= self.stack.len() { Ok(mark) } else { Err(PickleError::StackUnderflow) }
    }

    fn remember(&mut self, place: u32) -> Result<(), PickleError> {
        let value = *self.stack.last().ok_or(PickleError::StackUnderflow)?;
        self.heap.count()?;
        self.memo.insert(place, value);
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<(), PickleError> {
        let value = *self.memo.get(&place).ok_or(PickleError::MissingMemo(place))?;
        self.push(value)
    }

    /// Moves the pairs from a height of the stack into the dictionary below them.
    fn set_items(&mut self, from: usize) -> Result<(), PickleError> {
        let items = self.stack.split_off(from);
        let (pairs, rest) = items.as_chunks::<2>();
        let Some(Value::Dict(place)) = self.stack.last() else {
            return Err(PickleError::Unexpected("a dictionary"));
        };
        let dict = self.heap.dicts.get_mut(*place).ok_or(PickleError::Unexpected("a dictionary"))?;
        if !rest.is_empty() {
            return Err(PickleError::Unexpected("pairs of keys and values"));
        }
        dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
        Ok(())
    }

    /// A reference to something outside the pickle: `("storage", class, key, device, elements)`.
    fn persistent(&mut self) -> Result<(), PickleError> {
        let reference = self.pop()?;
        let storage = match self.heap.items(reference)? {
            [Value::Text("storage"), Value::Global(Global::Storage(element)), Value::Text(key), _, elements] => {
                StorageRef { key, element: *element, elements: elements.size()? }
            }
            _ => return Err(PickleError::Unexpected("a reference to a storage")),
        };
        let storage = self.heap.storage(storage);
        self.push(storage)
    }

    /// A call of a global with a tuple of arguments: makes what the global stands for.
    fn call(&mut self) -> Result<(), PickleError> {
        let arguments = self.pop()?;
        let callee = self.pop()?;
        let arguments = self.heap.items(arguments)?;
        let value = match (callee, arguments) {
            (Value::Global(Global::OrderedDict), []) => self.heap.dict(),
            (Value::Global(Global::RebuildParameter), [tensor @ Value::Tensor(_), ..]) => *tensor,
            (Value::Global(Global::RebuildTensor), [Value::Storage(storage), offset, shape, strides, ..]) => {
                let storage = *self.heap.storages.get(*storage).ok_or(PickleError::Unexpected("a storage"))?;
                let tensor = TensorRef {
                    storage,
                    offset: offset.size()?,
                    shape: self.heap.sizes(*shape)?,
                    strides: self.heap.sizes(*strides)?,
                };
                self.heap.tensor(tensor)?
            }
            _ => return Err(PickleError::Unexpected("a call that rebuilds a tensor")),
        };
        self.push(value)
    }

    fn tensors(&self, state: Value<'a>) -> Result<Vec<(&'a str, TensorRef<'a>)>, PickleError> {
        let Value::Dict(place) = state else { return Err(PickleError::Unexpected("a state dictionary")) };
        let pairs = self.heap.dicts.get(place).map(Vec::as_slice).unwrap_or_default();
        let mut tensors = Vec::new();
        for pair in pairs {
            if let (Value::Text(name), Value::Tensor(tensor)) = pair
                && let Some(tensor) = self.heap.tensors.get(*tensor)
            {
                count_tensors(tensors.len() + 1)?;
                tensors.push((*name, tensor.clone()));
            }
        }
        if tensors.is_empty() { Err(PickleError::Unexpected("a dictionary of tensors")) } else { Ok(tensors) }
    }
}
