/**
 * The most values that a JSON message of a browser may have: enough for a list of ten thousand targets. Reading one value
 * takes as long as reading a thousand characters of an image. If the largest message consisted of values, it would block
 * everything for seconds.
 */
const maxValues = 100_000;

/** Each value of a list or object except the first follows a comma, and each list or object begins with a bracket. */
const valueMarks = [',', '[', '{'].map((mark) => mark.charCodeAt(0));

/** Whether parsing a JSON message would take too long, whatever it says. */
export function hasTooManyValues(json: Buffer): boolean {
  if (json.length <= maxValues) return false;
  let count = 0;
  for (const mark of valueMarks) {
    for (let at = json.indexOf(mark); at >= 0; at = json.indexOf(mark, at + 1)) if (++count > maxValues) return true;
  }
  return false;
}

/** The number of an answer, if it starts with it as Chrome's and Playwright's do; NaN otherwise. */
export function idAtFront(json: Buffer): number {
  return Number(/^\{"id":(\d{1,15}),/.exec(json.toString('latin1', 0, 32))?.[1]);
}
