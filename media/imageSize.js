// How large the image in a JPEG or PNG is, without decoding it. Some browsers send PNGs whatever they are asked for.

/** More segments before the one with the size than any browser writes. */
const mostSegments = 1_000;
/** Encoders draw an image in up to a dozen scans. Thousands of them, in a megabyte, keep a processor busy for a minute. */
const mostScans = 100;

const pngStart = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * The size of an image in pixels, as its header says; undefined for anything else, and for what takes long to decode.
 * @param {Uint8Array} bytes
 * @returns {{ width: number, height: number } | undefined}
 */
export function imageSize(bytes) {
  if (pngStart.every((byte, at) => bytes[at] === byte) && bytes.length >= 24) {
    const header = new DataView(bytes.buffer, bytes.byteOffset, 24);
    return { width: header.getUint32(16), height: header.getUint32(20) };
  }
  return jpegSize(bytes);
}

/** @param {Uint8Array} bytes @returns {{ width: number, height: number } | undefined} */
function jpegSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (/** @type {number} */ at) => (at + 2 <= bytes.length ? view.getUint16(at) : 0);
  if (word(0) !== 0xffd8) return undefined;
  let at = 2;
  for (let segment = 0; segment < mostSegments; segment++) {
    // As decoders do: whatever is between two segments is skipped.
    at = bytes.indexOf(0xff, at);
    while (at >= 0 && bytes[at] === 0xff) at++;
    const marker = at < 0 ? undefined : bytes[at++];
    if (marker === undefined) return undefined;
    // A zero escapes a byte of data; the others have nothing after them.
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd7)) continue;
    // The beginning of the image's data, and the end.
    if (marker === 0xda || marker === 0xd9) return undefined;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return hasManyScans(bytes) ? undefined : { width: word(at + 5), height: word(at + 3) };
    at += word(at);
  }
  return undefined;
}

/** @param {Uint8Array} bytes */
function hasManyScans(bytes) {
  let scans = 0;
  for (let at = 0; at < bytes.length && scans <= mostScans; at++) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xda) scans++;
  }
  return scans > mostScans;
}
