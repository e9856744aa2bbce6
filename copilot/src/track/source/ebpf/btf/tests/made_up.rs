//! Tiny BTF files, built byte by byte as the format says (`include/uapi/linux/btf.h`).

use crate::track::source::ebpf::btf::MAGIC;

const HEADER: u32 = 24;

/// The types of a kernel that does not exist.
pub struct Kernel {
    types: Vec<u8>,
    strings: Vec<u8>,
    count: u32,
}

/// A member of a structure or union.
pub struct Member {
    name: &'static str,
    of: u32,
    offset: u32,
}

impl Member {
    /// A member whose `offset` is in the file's form: in bits, or with a width in its high bits.
    pub fn at(name: &'static str, of: u32, offset: u32) -> Self {
        Self { name, of, offset }
    }
}

impl Kernel {
    pub fn new() -> Self {
        Self {
            types: Vec::new(),
            strings: vec![0],
            count: 0,
        }
    }

    /// The whole file.
    pub fn bytes(&self) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap();
        let types = length(&self.types);
        let mut file = MAGIC.to_ne_bytes().to_vec();
        file.extend([1, 0]);
        for number in [HEADER, 0, types, types, length(&self.strings)] {
            file.extend(number.to_ne_bytes());
        }
        file.extend(&self.types);
        file.extend(&self.strings);
        file
    }

    /// The id that the next type will have.
    pub fn next_id(&self) -> u32 {
        self.count + 1
    }

    pub fn integer(&mut self) -> u32 {
        let id = self.header("int", 1, 0, false, 4);
        self.push(&[32]);
        id
    }

    pub fn pointer(&mut self, to: u32) -> u32 {
        self.header("", 2, 0, false, to)
    }

    pub fn definition(&mut self, name: &str, of: u32) -> u32 {
        self.header(name, 8, 0, false, of)
    }

    pub fn function(&mut self, parameters: u32) -> u32 {
        let id = self.header("", 13, parameters, false, 0);
        self.push(&vec![0; 2 * parameters as usize]);
        id
    }

    pub fn enumeration(&mut self, name: &str, values: &[(&str, u32)]) -> u32 {
        let count = u32::try_from(values.len()).unwrap();
        let id = self.header(name, 6, count, false, 4);
        for (name, value) in values {
            let name = self.string(name);
            self.push(&[name, *value]);
        }
        id
    }

    pub fn structure(&mut self, name: &str, members: &[Member]) -> u32 {
        self.composite(name, 4, members, false)
    }

    pub fn structure_with_bit_fields(&mut self, name: &str, members: &[Member]) -> u32 {
        self.composite(name, 4, members, true)
    }

    pub fn union(&mut self, name: &str, members: &[Member]) -> u32 {
        self.composite(name, 5, members, false)
    }

    /// A type of another kind, with as many bytes after its header as that kind has.
    pub fn other(&mut self, kind: u32, elements: u32, trailing: usize) -> u32 {
        let id = self.header("other", kind, elements, false, 1);
        self.types.extend(vec![0; trailing]);
        id
    }

    fn composite(&mut self, name: &str, kind: u32, members: &[Member], flag: bool) -> u32 {
        let count = u32::try_from(members.len()).unwrap();
        let id = self.header(name, kind, count, flag, 64);
        for member in members {
            let name = self.string(member.name);
            self.push(&[name, member.of, member.offset]);
        }
        id
    }

    fn header(&mut self, name: &str, kind: u32, elements: u32, flag: bool, refers: u32) -> u32 {
        let name = self.string(name);
        let info = u32::from(flag) << 31 | kind << 24 | elements;
        self.push(&[name, info, refers]);
        self.count += 1;
        self.count
    }

    fn string(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let at = u32::try_from(self.strings.len()).unwrap();
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at
    }

    fn push(&mut self, numbers: &[u32]) {
        self.types
            .extend(numbers.iter().flat_map(|number| number.to_ne_bytes()));
    }
}
