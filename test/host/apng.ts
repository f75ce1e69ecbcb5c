import { constants, crc32, deflateSync } from 'node:zlib';

// Animated PNG (https://www.w3.org/TR/png-3/): the first frame holds the whole picture, and each later one what has
// changed.

/** Part of a picture, in pixels from its upper left corner, and how long the picture then stays unchanged. */
export interface ApngFrame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and opacity of each pixel, one byte each, row by row. Transparent pixels keep what was there. */
  readonly pixels: Uint8Array;
  readonly milliseconds: number;
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const bytesPerPixel = 4;
const drawOver = 1;

/**
 * Writes an animation that repeats forever. The first frame is the whole picture, which is shown where animation isn't
 * supported.
 */
export function encodeApng(frames: readonly ApngFrame[]): Buffer {
  const [first] = frames;
  if (first === undefined) throw new Error('An animation needs a frame.');
  // 8 bits for each of red, green, blue and opacity; the usual compression and filters; not interlaced.
  const header = Buffer.concat([uint32(first.width, first.height), Buffer.from([8, 6, 0, 0, 0])]);
  const chunks = [chunk('IHDR', header), chunk('acTL', uint32(frames.length, 0))];
  let sequence = 0;
  for (const frame of frames) {
    const { left, top, width, height, milliseconds } = frame;
    const place = uint32(sequence++, width, height, left, top);
    const delay = Buffer.alloc(4);
    delay.writeUInt16BE(milliseconds, 0);
    delay.writeUInt16BE(1_000, 2);
    chunks.push(chunk('fcTL', Buffer.concat([place, delay, Buffer.from([0, drawOver])])));
    const data = compress(frame);
    chunks.push(frame === first ? chunk('IDAT', data) : chunk('fdAT', Buffer.concat([uint32(sequence++), data])));
  }
  return Buffer.concat([signature, ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

/** Compresses with each filter that suits drawn pictures, and keeps the smallest result. */
function compress({ width, height, pixels }: ApngFrame): Buffer {
  const stride = width * bytesPerPixel;
  const filters = [
    { type: 0, neighbour: () => 0 },
    { type: 1, neighbour: (at: number) => (at % stride < bytesPerPixel ? 0 : pixels[at - bytesPerPixel]) },
    { type: 2, neighbour: (at: number) => pixels[at - stride] },
  ];
  const results = filters.map(({ type, neighbour }) => {
    const rows = Buffer.alloc((stride + 1) * height);
    for (let row = 0; row < height; row++) {
      rows[row * (stride + 1)] = type;
      for (let column = 0; column < stride; column++) {
        const at = row * stride + column;
        rows[row * (stride + 1) + 1 + column] = (pixels[at] ?? 0) - (neighbour(at) ?? 0);
      }
    }
    return deflateSync(rows, { level: constants.Z_BEST_COMPRESSION, memLevel: 9 });
  });
  return results.reduce((best, one) => (one.length < best.length ? one : best));
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'ascii'), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}

function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}
