//! Bytes to text, piece by piece: which encoding a file has, and its text.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How much of a file is looked at for signs of UTF-16.
const LOOK: usize = 4096;

/// The encoding that the beginning of a file speaks for, and whether it says so itself (a byte order mark).
pub(super) fn guess(beginning: &[u8]) -> (&'static Encoding, bool) {
    if let Some((encoding, _)) = Encoding::for_bom(beginning) {
        return (encoding, true);
    }
    // Text of mostly Latin letters has a zero in every second byte of UTF-16, and none in anything else.
    let look = &beginning[..beginning.len().min(LOOK)];
    let zeros = |at: usize| look.iter().skip(at).step_by(2).filter(|byte| **byte == 0).count();
    let quarter = look.len() / 8;
    match (zeros(0), zeros(1)) {
        (0, low) if low > quarter => (UTF_16LE, false),
        (high, 0) if high > quarter => (UTF_16BE, false),
        _ => (UTF_8, false),
    }
}

/// Turns pieces of a file into text.
pub(super) struct Text {
    decoder: Decoder,
    encoding: &'static Encoding,
    /// Bytes that are no text in this encoding were replaced by �.
    pub(super) replaced: bool,
}

/// Bytes that are no UTF-8, in a file that does not say that it is.
#[derive(Debug)]
pub(super) struct NotUtf8;

impl Text {
    pub(super) fn new(encoding: &'static Encoding) -> Self {
        Self { decoder: encoding.new_decoder_with_bom_removal(), encoding, replaced: false }
    }

    /// The encoding's name, as people write it.
    pub(super) fn name(&self) -> &'static str {
        if self.encoding == WINDOWS_1252 { "Windows-1252" } else { self.encoding.name() }
    }

    /// The text of the next piece; `last`: nothing comes after it.
    pub(super) fn decode(&mut self, bytes: &[u8], last: bool, into: &mut String) {
        let needed = self.decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3 + 16);
        into.reserve(needed);
        let (_, _, replaced) = self.decoder.decode_to_string(bytes, into, last);
        self.replaced |= replaced;
    }

    /// The same, which refuses instead of replacing.
    pub(super) fn decode_strictly(&mut self, bytes: &[u8], last: bool, into: &mut String) -> Result<(), NotUtf8> {
        let needed = self.decoder.max_utf8_buffer_length_without_replacement(bytes.len());
        into.reserve(needed.unwrap_or(bytes.len() * 3 + 16));
        match self.decoder.decode_to_string_without_replacement(bytes, into, last).0 {
            DecoderResult::InputEmpty => Ok(()),
            DecoderResult::OutputFull | DecoderResult::Malformed(..) => Err(NotUtf8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, &'static str) {
        let (encoding, told) = guess(bytes);
        let strict = || {
            let (mut text, mut into) = (Text::new(encoding), String::new());
            // One byte at a time: pieces end anywhere.
            for byte in bytes {
                text.decode_strictly(&[*byte], false, &mut into)?;
            }
            text.decode_strictly(&[], true, &mut into)?;
            Ok::<_, NotUtf8>((into, text.name()))
        };
        if let Ok(found) = strict() {
            return found;
        }
        assert!(!told);
        let (mut text, mut into) = (Text::new(WINDOWS_1252), String::new());
        text.decode(bytes, true, &mut into);
        (into, text.name())
    }

    #[test]
    fn every_encoding_that_sheets_write_is_read() {
        let said = "Titel;Größe – 3 €\n";
        let utf16 = |big: bool| {
            let unit = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            said.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
        };
        assert_eq!(decoded(said.as_bytes()), (said.into(), "UTF-8"));
        assert_eq!(decoded(&[b"\xef\xbb\xbf", said.as_bytes()].concat()), (said.into(), "UTF-8"));
        assert_eq!(decoded(&[b"\xff\xfe".to_vec(), utf16(false)].concat()), (said.into(), "UTF-16LE"));
        assert_eq!(decoded(&[b"\xfe\xff".to_vec(), utf16(true)].concat()), (said.into(), "UTF-16BE"));
        assert_eq!(decoded(&utf16(false)), (said.into(), "UTF-16LE"));
        assert_eq!(decoded(&utf16(true)), (said.into(), "UTF-16BE"));
        assert_eq!(decoded(b"Titel;Gr\xf6\xdfe \x96 3 \x80\n"), (said.into(), "Windows-1252"));
        assert_eq!(decoded(b""), (String::new(), "UTF-8"));
    }
}
