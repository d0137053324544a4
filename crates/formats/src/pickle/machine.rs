//! The stack machine: instructions in, values out.

use std::collections::HashMap;

use super::reader::Reader;
use super::value::{Heap, StorageRef, TensorRef, Value, count_tensors};
use super::{Global, PickleError};

/// The pickles that some bytes begin with, read one after the other.
pub(crate) struct Pickles<'a> {
    reader: Reader<'a>,
    stack: Vec<Value<'a>>,
    /// Heights of the stack at which the open marks stand.
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    heap: Heap<'a>,
}

impl<'a> Pickles<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            heap: Heap::default(),
        }
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> usize {
        self.reader.offset()
    }

    /// Reads the next pickle and gives its value. What a pickle puts by is forgotten at its end; its values stay, for
    /// as long as the others do.
    ///
    /// # Errors
    /// What was wrong at [`Pickles::offset`].
    pub(crate) fn load(&mut self) -> Result<Value<'a>, PickleError> {
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        loop {
            let instruction = self.reader.byte()?;
            if instruction == b'.' {
                return self.pop();
            }
            self.step(instruction)?;
        }
    }

    /// The tensors of a state dictionary by name, in the order of the file; other values of it are left out. Training loops
    /// save it inside another dictionary, beside that of an optimizer: the one in there that has tensors is meant.
    ///
    /// # Errors
    /// When the value is something else, or has too many of them.
    pub(crate) fn state_dict(&self, state: Value<'a>) -> Result<Vec<(&'a str, TensorRef<'a>)>, PickleError> {
        let pairs = self.heap.pairs(state).ok_or(PickleError::Unexpected("a state dictionary"))?;
        let tensors = self.tensors(pairs)?;
        if !tensors.is_empty() {
            return Ok(tensors);
        }
        let mut inner = Vec::new();
        for pairs in pairs.iter().filter_map(|(_, value)| self.heap.pairs(*value)) {
            let found = self.tensors(pairs)?;
            if !found.is_empty() && !inner.is_empty() {
                return Err(PickleError::Unexpected("one dictionary of tensors"));
            }
            inner.extend(found);
        }
        if inner.is_empty() { Err(PickleError::Unexpected("a dictionary of tensors")) } else { Ok(inner) }
    }

    /// The tensors among the pairs of a dictionary.
    fn tensors(&self, pairs: &[(Value<'a>, Value<'a>)]) -> Result<Vec<(&'a str, TensorRef<'a>)>, PickleError> {
        let mut tensors = Vec::new();
        for pair in pairs {
            if let (Value::Text(name), Value::Tensor(tensor)) = pair
                && let Some(tensor) = self.heap.tensors.get(*tensor)
            {
                count_tensors(tensors.len() + 1)?;
                tensors.push((*name, tensor.clone()));
            }
        }
        Ok(tensors)
    }

    /// The value of a dictionary under a name.
    pub(crate) fn field(&self, dict: Value<'a>, name: &str) -> Option<Value<'a>> {
        let pairs = self.heap.pairs(dict)?;
        pairs.iter().rev().find_map(|(key, value)| matches!(key, Value::Text(key) if *key == name).then_some(*value))
    }

    /// The items of a list of texts.
    ///
    /// # Errors
    /// When the value is something else.
    pub(crate) fn texts(&self, list: Value<'a>) -> Result<Vec<&'a str>, PickleError> {
        let Value::List(place) = list else { return Err(PickleError::Unexpected("a list")) };
        let items = self.heap.lists.get(place).map(Vec::as_slice).unwrap_or_default();
        let text = |item: &Value<'a>| match item {
            Value::Text(text) => Ok(*text),
            _ => Err(PickleError::Unexpected("a text")),
        };
        items.iter().map(text).collect()
    }

    /// The storages that the pickles so far refer to.
    pub(crate) fn storages(&self) -> &[StorageRef<'a>] {
        &self.heap.storages
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
            b'0' => self.pop().map(drop),                               // POP
            b'N' => self.push(Value::Other),                            // NONE
            0x88 | 0x89 => self.push(Value::Bool(instruction == 0x88)), // NEWTRUE, NEWFALSE
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
                self.push(number)
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
            b'U' => {
                let length = self.reader.byte()?; // SHORT_BINSTRING, a text of Python 2
                self.push_text(length.into())
            }
            b'T' => {
                let length = self.reader.u32()?; // BINSTRING
                self.push_text(usize::try_from(length).map_err(|_| PickleError::Truncated)?)
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
            b']' => {
                let list = self.heap.list(); // EMPTY_LIST
                self.push(list)
            }
            b'a' => {
                let item = self.stack.len().checked_sub(1).ok_or(PickleError::StackUnderflow)?; // APPEND
                self.append(item)
            }
            b'e' => {
                let mark = self.pop_mark()?; // APPENDS
                self.append(mark)
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

    /// Moves everything from a height of the stack into the list below it.
    fn append(&mut self, from: usize) -> Result<(), PickleError> {
        let items = self.stack.split_off(from);
        let Some(Value::List(place)) = self.stack.last() else { return Err(PickleError::Unexpected("a list")) };
        self.heap.lists.get_mut(*place).ok_or(PickleError::Unexpected("a list"))?.extend(items);
        Ok(())
    }

    /// A reference to something outside the pickle: `("storage", class, key, device, elements)`, with a sixth item
    /// before PyTorch 1.6, which is `None` but for storages that are parts of others.
    fn persistent(&mut self) -> Result<(), PickleError> {
        let reference = self.pop()?;
        let (storage, view) = match self.heap.items(reference)? {
            [storage @ .., view] if storage.len() == 5 => (storage, *view),
            storage => (storage, Value::Other),
        };
        let storage = match (storage, view) {
            (
                [Value::Text("storage"), Value::Global(Global::Storage(element)), Value::Text(key), _, elements],
                Value::Other,
            ) => StorageRef { key, element: *element, elements: elements.size()? },
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
}
