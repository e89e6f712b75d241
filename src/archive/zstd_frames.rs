use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How far back content may point, all of which is in memory: more than RFC 8878 (3.1.1.1.2) tells
/// encoders to ask for, they do not get here.
const WINDOW_LIMIT: u64 = 8 << 20;

/// Reads what was compressed with Zstandard: all frames one after the other, without those that are to be
/// skipped, in which zstd:chunked keeps its table of contents.
pub(super) struct ZstdFrames<R> {
    source: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> ZstdFrames<R> {
    pub(super) fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_LIMIT);
        Self { source, decoder }
    }

    pub(super) fn into_inner(self) -> R {
        self.source
    }

    /// Goes on to the next frame that has content; `false` where there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => self.skip_frame(length.into())?,
                Err(FrameDecoderError::WindowSizeTooBig { requested, .. }) => {
                    return Err(io::Error::other(format!(
                        "it was compressed with a window of {} MiB; at most {} MiB is supported",
                        requested.div_ceil(1 << 20),
                        WINDOW_LIMIT >> 20
                    )));
                }
                Err(error) => return Err(damaged_error(&error)),
            }
        }
        Ok(false)
    }

    fn skip_frame(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.source).take(length), &mut io::sink())?;
        match skipped == length {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if self.decoder.is_finished() {
                if !self.next_frame()? {
                    return Ok(0);
                }
                continue;
            }
            let one = BlockDecodingStrategy::UptoBlocks(1);
            let decoded = self.decoder.decode_blocks(&mut self.source, one);
            decoded.map_err(|error| damaged_error(&error))?;
        }
        self.decoder.read(buffer)
    }
}

fn damaged_error(error: &FrameDecoderError) -> io::Error {
    io::Error::other(format!("its zstd stream is damaged or cut short: {error}"))
}
