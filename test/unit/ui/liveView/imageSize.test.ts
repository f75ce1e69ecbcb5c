import { strict as assert } from 'node:assert';
import { imageSize } from '../../../../media/imageSize.js';

const start = [0xff, 0xd8];
/** A segment with its length. */
const segment = (marker: number, ...bytes: readonly number[]) => [0xff, marker, 0, bytes.length + 2, ...bytes];
const frame = (marker: number, width: number, height: number) =>
  segment(marker, 8, height >> 8, height & 255, width >> 8, width & 255, 1);
const sizeIn = (...parts: readonly (readonly number[])[]) => imageSize(Uint8Array.from(parts.flat()));

describe('the size of an image', () => {
  it('is in its header, whatever comes before, and for every way to encode it', () => {
    const size = { width: 16_000, height: 9_000 };
    for (const marker of [0xc0, 0xc1, 0xc2, 0xc9, 0xca]) {
      assert.deepEqual(sizeIn(start, segment(0xe0, 1, 2, 3), frame(marker, 16_000, 9_000)), size);
    }
    // Decoders skip what doesn't belong there.
    const more = [0xff, 0xff, 0xff, 0, 7, 7, 0xff, 0xd0];
    assert.deepEqual(sizeIn(start, segment(0xc4, 9, 9), more, frame(0xc2, 16_000, 9_000)), size);
  });

  it('is at the beginning of a PNG', () => {
    const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
    const header = [0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0x3e, 0x80, 0, 0, 0x23, 0x28];
    assert.deepEqual(sizeIn(png, header), { width: 16_000, height: 9_000 });
    assert.equal(sizeIn(png, header.slice(0, -1)), undefined);
  });

  it('isn’t that of a picture within a segment, such as a thumbnail', () => {
    const thumbnail = [...start, ...frame(0xc0, 10, 10)];
    assert.deepEqual(sizeIn(start, segment(0xe1, ...thumbnail), frame(0xc0, 300, 200)), { width: 300, height: 200 });
  });

  it('is unknown where there are more scans than any encoder makes, because each takes time', () => {
    const scans = (count: number) => Array.from({ length: count }, () => segment(0xda, 1, 2, 3)).flat();
    assert.deepEqual(sizeIn(start, frame(0xc2, 300, 200), scans(20)), { width: 300, height: 200 });
    assert.equal(sizeIn(start, frame(0xc2, 300, 200), scans(1_000)), undefined);
  });

  it('is unknown where there is no such header', () => {
    for (const bytes of [[], [0xff], start, [...start, 0xff], [0x89, 0x50, 0x4e, 0x47], [...start, 0xff, 0xda, 0, 2]]) {
      assert.equal(sizeIn(bytes), undefined);
    }
    assert.equal(
      sizeIn(
        start,
        Array.from({ length: 100_000 }, () => 0xff),
      ),
      undefined,
    );
    assert.equal(
      sizeIn(
        start,
        Array.from({ length: 100_000 }, (_, at) => (at % 2 === 0 ? 0xff : 0)),
      ),
      undefined,
    );
  });
});
