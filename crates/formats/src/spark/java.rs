//! Java's object streams, read as data: no class is looked up and nothing runs.
//!
//! A stream says of each object what its class is called and what its fields are, so it can be read without knowing the
//! class. Objects live in one list and refer to each other by place; nesting is capped.
//!
//! Format: <https://docs.oracle.com/en/java/javase/17/docs/specs/serialization/protocol.html>.

use std::rc::Rc;

use crate::wire::Reason;

const MAGIC: [u8; 4] = [0xAC, 0xED, 0, 5];
const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const CLASS_OBJECT: u8 = 0x76;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;
const LONG_BLOCK: u8 = 0x7A;
const LONG_STRING: u8 = 0x7C;
const ENUM: u8 = 0x7E;

const FIRST_HANDLE: u32 = 0x7E_0000;

/// Flags of classes: it writes more than its fields; it is written by fields; it writes itself; in blocks.
const WRITES_MORE: u8 = 1;
const BY_FIELDS: u8 = 2;
const BY_ITSELF: u8 = 4;
const IN_BLOCKS: u8 = 8;

/// How deep objects may stand in objects, and classes be derived from classes.
const MAX_DEPTH: usize = 100;

const DEEP: &str = "objects or classes stand in each other more than 100 deep";

/// A value of a field, of an array, or of the stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum JavaValue {
    Null,
    Number(i64),
    Float(f64),
    Text(Rc<str>),
    /// A place in [`JavaStream::objects`].
    Object(usize),
    /// What is of no interest: raw bytes, classes.
    Other,
}

/// An object, an array or a constant of an enum.
#[derive(Debug, Clone)]
pub(super) struct JavaObject {
    pub(super) class: Rc<str>,
    pub(super) fields: Vec<(Rc<str>, JavaValue)>,
    /// The elements of an array, or what an object writes besides its fields.
    pub(super) elements: Vec<JavaValue>,
}

impl JavaObject {
    pub(super) fn field(&self, name: &str) -> Option<&JavaValue> {
        self.fields.iter().find(|(known, _)| **known == *name).map(|(_, value)| value)
    }
}

/// A stream that has been read.
#[derive(Debug, Default)]
pub(super) struct JavaStream {
    /// In the order in which they begin in the stream.
    pub(super) objects: Vec<JavaObject>,
    pub(super) values: Vec<JavaValue>,
}

impl JavaStream {
    pub(super) fn object(&self, value: &JavaValue) -> Option<&JavaObject> {
        match value {
            JavaValue::Object(place) => self.objects.get(*place),
            _ => None,
        }
    }
}

/// Reads a whole stream.
pub(super) fn read(bytes: &[u8]) -> Result<JavaStream, Reason> {
    let mut reader = Reader { bytes, at: 0, handles: Vec::new(), classes: Vec::new(), stream: JavaStream::default() };
    if reader.array()? != MAGIC {
        return Err("it does not begin as one".to_owned());
    }
    while reader.at < bytes.len() {
        let value = reader.content(0)?;
        reader.stream.values.push(value);
    }
    Ok(reader.stream)
}

/// What a handle stands for.
#[derive(Debug, Clone)]
enum Handle {
    Class(usize),
    Value(JavaValue),
}

#[derive(Debug)]
struct Class {
    name: Rc<str>,
    flags: u8,
    /// Types, as the stream writes them, and names.
    fields: Vec<(u8, Rc<str>)>,
    parent: Option<usize>,
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    handles: Vec<Handle>,
    /// Shared, because a few bytes make one more object of a class that takes many.
    classes: Vec<Rc<Class>>,
    stream: JavaStream,
}

impl Reader<'_> {
    /// An object, or raw bytes between objects.
    fn content(&mut self, depth: usize) -> Result<JavaValue, Reason> {
        if depth > MAX_DEPTH {
            return Err(DEEP.to_owned());
        }
        let start = self.at;
        match self.byte()? {
            NULL => Ok(JavaValue::Null),
            REFERENCE => match self.reference()? {
                Handle::Value(value) => Ok(value),
                Handle::Class(_) => Ok(JavaValue::Other),
            },
            CLASS => {
                self.at = start;
                self.class(depth)?;
                Ok(JavaValue::Other)
            }
            CLASS_OBJECT => {
                self.class(depth)?;
                self.handles.push(Handle::Value(JavaValue::Other));
                Ok(JavaValue::Other)
            }
            OBJECT => self.object(depth),
            STRING => {
                let size = u64::from(u16::from_be_bytes(self.array()?));
                self.string(size)
            }
            LONG_STRING => {
                let size = u64::from_be_bytes(self.array()?);
                self.string(size)
            }
            ARRAY => self.elements(depth),
            ENUM => {
                let class = self.class(depth)?;
                let place = self.begin(class);
                let name = self.content(depth + 1)?;
                self.put(place, |object| object.elements.push(name));
                Ok(JavaValue::Object(place))
            }
            BLOCK => {
                let size = u64::from(self.byte()?);
                self.take(size)?;
                Ok(JavaValue::Other)
            }
            LONG_BLOCK => {
                let size = u64::from(u32::from_be_bytes(self.array()?));
                self.take(size)?;
                Ok(JavaValue::Other)
            }
            kind => Err(format!("byte {start} begins something of the kind {kind:#x}")),
        }
    }

    /// Adds an object of a class, which later parts of the stream can refer to.
    fn begin(&mut self, class: Option<usize>) -> usize {
        let class = class.and_then(|class| self.classes.get(class)).map(|class| class.name.clone());
        let place = self.stream.objects.len();
        let class = class.unwrap_or_else(|| "".into());
        self.stream.objects.push(JavaObject { class, fields: Vec::new(), elements: Vec::new() });
        self.handles.push(Handle::Value(JavaValue::Object(place)));
        place
    }

    fn put(&mut self, place: usize, change: impl FnOnce(&mut JavaObject)) {
        if let Some(object) = self.stream.objects.get_mut(place) {
            change(object);
        }
    }

    fn object(&mut self, depth: usize) -> Result<JavaValue, Reason> {
        let class = self.class(depth)?;
        let place = self.begin(class);
        // A class writes its part after the class that it is derived from.
        let mut line = Vec::new();
        let mut next = class;
        while let Some(class) = next.and_then(|place| self.classes.get(place)) {
            line.push(Rc::clone(class));
            next = class.parent;
            if line.len() > MAX_DEPTH {
                return Err(DEEP.to_owned());
            }
        }
        for class in line.into_iter().rev() {
            if class.flags & BY_FIELDS != 0 {
                for (kind, name) in &class.fields {
                    let value = self.value(*kind, depth)?;
                    self.put(place, |object| object.fields.push((Rc::clone(name), value)));
                }
            }
            let more = class.flags & (BY_FIELDS | WRITES_MORE) == BY_FIELDS | WRITES_MORE;
            if more || class.flags & (BY_ITSELF | IN_BLOCKS) == BY_ITSELF | IN_BLOCKS {
                let found = self.until_end(depth)?;
                self.put(place, |object| object.elements.extend(found));
            } else if class.flags & BY_ITSELF != 0 {
                return Err(format!("the class {} writes itself in a way of its own", class.name));
            }
        }
        Ok(JavaValue::Object(place))
    }

    fn until_end(&mut self, depth: usize) -> Result<Vec<JavaValue>, Reason> {
        let mut found = Vec::new();
        while self.bytes.get(self.at) != Some(&END) {
            found.push(self.content(depth + 1)?);
        }
        self.at += 1;
        Ok(found)
    }

    fn elements(&mut self, depth: usize) -> Result<JavaValue, Reason> {
        let class = self.class(depth)?;
        let place = self.begin(class);
        let kind =
            class.and_then(|class| self.classes.get(class)).and_then(|class| class.name.as_bytes().get(1)).copied();
        let kind = kind.ok_or("an array has no type")?;
        let size = u32::from_be_bytes(self.array()?);
        for _ in 0..size {
            // Each takes at least a byte, so a size that is no size ends with the stream.
            let value = self.value(kind, depth)?;
            self.put(place, |object| object.elements.push(value));
        }
        Ok(JavaValue::Object(place))
    }

    /// A value of a type.
    fn value(&mut self, kind: u8, depth: usize) -> Result<JavaValue, Reason> {
        Ok(match kind {
            b'B' => JavaValue::Number(i8::from_be_bytes(self.array()?).into()),
            b'Z' => JavaValue::Number(self.byte()?.into()),
            b'C' => JavaValue::Number(u16::from_be_bytes(self.array()?).into()),
            b'S' => JavaValue::Number(i16::from_be_bytes(self.array()?).into()),
            b'I' => JavaValue::Number(i32::from_be_bytes(self.array()?).into()),
            b'J' => JavaValue::Number(i64::from_be_bytes(self.array()?)),
            b'F' => JavaValue::Float(f32::from_be_bytes(self.array()?).into()),
            b'D' => JavaValue::Float(f64::from_be_bytes(self.array()?)),
            b'L' | b'[' => self.content(depth + 1)?,
            kind => return Err(format!("a field is of the unknown type {kind:#x}")),
        })
    }

    /// The description of a class, or none for no class.
    fn class(&mut self, depth: usize) -> Result<Option<usize>, Reason> {
        if depth > MAX_DEPTH {
            return Err(DEEP.to_owned());
        }
        let start = self.at;
        match self.byte()? {
            NULL => return Ok(None),
            REFERENCE => {
                return match self.reference()? {
                    Handle::Class(class) => Ok(Some(class)),
                    Handle::Value(_) => Err(format!("byte {start} refers to an object as to a class")),
                };
            }
            CLASS => {}
            kind => return Err(format!("byte {start} begins no class but something of the kind {kind:#x}")),
        }
        let name = self.short_text()?;
        // The version of the class: another one than a program has is no matter, since none runs.
        self.take(8)?;
        let place = self.classes.len();
        self.classes.push(Rc::new(Class { name: Rc::clone(&name), flags: 0, fields: Vec::new(), parent: None }));
        self.handles.push(Handle::Class(place));
        let flags = self.byte()?;
        let count = u16::from_be_bytes(self.array()?);
        let mut fields = Vec::new();
        for _ in 0..count {
            let kind = self.byte()?;
            let name = self.short_text()?;
            if matches!(kind, b'L' | b'[') {
                self.content(depth + 1)?;
            }
            fields.push((kind, name));
        }
        self.until_end(depth)?;
        let parent = self.class(depth + 1)?;
        if let Some(class) = self.classes.get_mut(place) {
            *class = Rc::new(Class { name, flags, fields, parent });
        }
        Ok(Some(place))
    }

    fn reference(&mut self) -> Result<Handle, Reason> {
        let handle = u32::from_be_bytes(self.array()?);
        let place = handle.checked_sub(FIRST_HANDLE).and_then(|place| usize::try_from(place).ok());
        let found = place.and_then(|place| self.handles.get(place)).cloned();
        found.ok_or_else(|| format!("it refers to {handle:#x}, which is not before"))
    }

    fn string(&mut self, size: u64) -> Result<JavaValue, Reason> {
        let text = JavaValue::Text(self.text(size)?.into());
        self.handles.push(Handle::Value(text.clone()));
        Ok(text)
    }

    fn short_text(&mut self) -> Result<Rc<str>, Reason> {
        let size = u16::from_be_bytes(self.array()?);
        Ok(self.text(size.into())?.into())
    }

    /// A text in Java's own UTF-8, where a zero takes two bytes and what is beyond 16 bits two halves of three each.
    fn text(&mut self, size: u64) -> Result<String, Reason> {
        let start = self.at;
        let bytes = self.take(size)?;
        let wrong = || format!("the text at byte {start} is no text");
        let mut units = Vec::with_capacity(bytes.len());
        let mut rest = bytes.iter().copied();
        while let Some(byte) = rest.next() {
            let mut next = || rest.next().filter(|byte| byte & 0xC0 == 0x80).map(|byte| u16::from(byte & 0x3F));
            units.push(match byte {
                0x01..=0x7F => u16::from(byte),
                0xC0..=0xDF => u16::from(byte & 0x1F) << 6 | next().ok_or_else(wrong)?,
                0xE0..=0xEF => {
                    let (high, low) = (next().ok_or_else(wrong)?, next().ok_or_else(wrong)?);
                    u16::from(byte & 0x0F) << 12 | high << 6 | low
                }
                _ => return Err(wrong()),
            });
        }
        String::from_utf16(&units).map_err(|_| wrong())
    }

    fn byte(&mut self) -> Result<u8, Reason> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let taken = self.take(N as u64)?;
        taken.first_chunk().copied().ok_or_else(|| "it is cut short".to_owned())
    }

    fn take(&mut self, size: u64) -> Result<&[u8], Reason> {
        let left = self.bytes.len() - self.at;
        match usize::try_from(size).ok().and_then(|size| self.bytes.get(self.at..self.at.checked_add(size)?)) {
            Some(taken) => {
                self.at += taken.len();
                Ok(taken)
            }
            None => Err(format!("it is cut short: byte {} begins {size} bytes and {left} are left", self.at)),
        }
    }
}

#[cfg(test)]
mod tests;
