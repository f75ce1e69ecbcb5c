/** Nobody reads a question and answers it within this many milliseconds. */
const readingMs = 700;

let answeredAt = Number.NEGATIVE_INFINITY;

/** When the user last answered or dismissed a question, on the clock of `performance.now()`. */
export function lastAnsweredAt(): number {
  return answeredAt;
}

/** Notes when the user answers a question. @returns the answer. */
export async function noteAnswer<T>(answer: PromiseLike<T>): Promise<T> {
  try {
    return await answer;
  } finally {
    answeredAt = performance.now();
  }
}

/** Like {@link noteAnswer}, for actions where VS Code doesn't always ask. If one finishes right away, it didn't ask. */
export async function noteAnswerIfAsked<T>(answer: PromiseLike<T>): Promise<T> {
  const began = performance.now();
  try {
    return await answer;
  } finally {
    if (performance.now() - began >= readingMs) answeredAt = performance.now();
  }
}
