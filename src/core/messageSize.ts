/**
 * The most values that a browser's JSON message may have: enough for a list of ten thousand targets. Parsing one value
 * takes as long as parsing a thousand characters of an image, so a message of the largest allowed size could block
 * everything for seconds.
 */
const maxValues = 100_000;

/** Every value in a list or object except the first follows a comma, and every list or object starts with a bracket. */
const valueMarks = [',', '[', '{'].map((mark) => mark.charCodeAt(0));

/** Whether parsing a JSON message could take too long. Commas and brackets in strings count, too. */
export function hasTooManyValues(json: Buffer): boolean {
  if (json.length <= maxValues) return false;
  let count = 0;
  for (const mark of valueMarks) {
    for (let at = json.indexOf(mark); at >= 0; at = json.indexOf(mark, at + 1)) if (++count > maxValues) return true;
  }
  return false;
}

/** The ID of an answer that starts with it, as Chrome's and Playwright's do; otherwise NaN. */
export function idAtFront(json: Buffer): number {
  return Number(/^\{"id":(\d{1,15}),/.exec(json.toString('latin1', 0, 32))?.[1]);
}
