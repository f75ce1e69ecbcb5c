import { AsyncLocalStorage } from 'node:async_hooks';

/** Nobody reads a question and answers it within this many milliseconds. */
const readingMs = 700;
/** After an answer, focus may return within this many milliseconds: later, the user may have gone elsewhere. */
const returnsWithinMs = 1_000;

/** When the user last answered a question of an action, on the clock of `performance.now()`. */
const answered = new AsyncLocalStorage<{ at: number }>();
/** How many questions are open, of any action. */
let open = 0;

/**
 * Runs an action.
 * @returns its result, and whether the user has just answered or dismissed a question that it asked, and no other is open. Focus
 * may then return to where the action was started.
 */
export async function noteAnswers<T>(
  action: () => Promise<T>,
): Promise<{ readonly result: T; readonly isJustAnswered: boolean }> {
  const last = { at: Number.NEGATIVE_INFINITY };
  const result = await answered.run(last, action);
  return { result, isJustAnswered: open === 0 && performance.now() - last.at < returnsWithinMs };
}

/** Notes when the user answers a question. @returns the answer. */
export async function noteAnswer<T>(answer: PromiseLike<T>): Promise<T> {
  return note(answer, 0);
}

/** Like {@link noteAnswer}, for actions where VS Code doesn't always ask. If one finishes right away, it didn't ask. */
export async function noteAnswerIfAsked<T>(answer: PromiseLike<T>): Promise<T> {
  return note(answer, readingMs);
}

async function note<T>(answer: PromiseLike<T>, atLeastMs: number): Promise<T> {
  const last = answered.getStore();
  const began = performance.now();
  open++;
  try {
    return await answer;
  } finally {
    open--;
    if (last !== undefined && performance.now() - began >= atLeastMs) last.at = performance.now();
  }
}
