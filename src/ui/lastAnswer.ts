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
