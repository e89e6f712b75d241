//! As much of DER as it takes to write what rcgen does not, and to take a certificate apart.

pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
pub const INTEGER: u8 = 0x02;
pub const OCTETS: u8 = 0x04;
pub const OID: u8 = 0x06;
pub const UTF8: u8 = 0x0c;
pub const TIME: u8 = 0x18;

pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = vec![tag];
    match content.len() {
        length @ 0..0x80 => der.push(length as u8),
        length @ 0x80..0x100 => der.extend([0x81, length as u8]),
        length => {
            der.push(0x82);
            der.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    der.extend_from_slice(content);
    der
}

pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// The first element of a content, whole.
pub fn first(content: &[u8]) -> &[u8] {
    let (header, length) = length(content);
    &content[..header + length]
}

/// The content of an element.
pub fn content(element: &[u8]) -> &[u8] {
    let (header, length) = length(element);
    &element[header..header + length]
}

fn length(element: &[u8]) -> (usize, usize) {
    match element[1] {
        0x81 => (3, usize::from(element[2])),
        0x82 => (4, usize::from(u16::from_be_bytes([element[2], element[3]]))),
        short => (2, usize::from(short)),
    }
}
