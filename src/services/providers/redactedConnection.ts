import type { CdpConnection } from '../../core/cdp.ts';
import type { KnownSecrets, Redact } from '../../core/redact.ts';
import { Turns } from '../../core/turns.ts';
import { redactedError } from './redactedError.ts';

/** The browser's texts that users see: titles and addresses of its pages, and the text of its dialogs. */
const shownEvents = /^(?:Target\.|Page\.javascriptDialog)/;

/** The same connection, with the account's secrets taken out of what users see of its messages, and of its errors. */
export function redactedConnection(connection: CdpConnection, { hide, redact, isEmpty }: KnownSecrets): CdpConnection {
  const isShown = (method: string) => !isEmpty && shownEvents.test(method);
  return {
    async send(method, ...rest) {
      try {
        const result = await connection.send(method, ...rest);
        return isShown(method) ? await inTurns(hiding(result, hide, ofAnswer)) : result;
      } catch (error) {
        throw redactedError(error, redact);
      }
    },
    onEvent: (listener) =>
      connection.onEvent((event) => {
        listener(isShown(event.method) ? { ...event, params: atOnce(hiding(event.params, hide, ofEvent)) } : event);
      }),
    onClose: (listener) => connection.onClose(listener),
    dispose: () => connection.dispose(),
  };
}

/** How much of one message is searched for secrets, and so shown. */
interface Searched {
  readonly texts: number;
  /** In all texts, except short ones: IDs and the like are searched while there are few enough texts. */
  readonly characters: number;
}
/** A browser with 500 pages has 3,000 texts. */
const ofAnswer: Searched = { texts: 5_000, characters: 2 ** 19 };
/** An event is about one page or dialog, and is searched at once, in less than 50 ms. */
const ofEvent: Searched = { texts: 200, characters: 2 ** 13 };
/** Longest part of one text that is searched, in characters. */
const longestText = 2 ** 12;
const shortText = 64;

/** A message with the secrets removed from each text. It is JSON, a few levels deep. Yields after each text. */
function* hiding<T>(value: T, hide: Redact, { texts, characters }: Searched): Generator<undefined, T> {
  function* cleaned(one: unknown, depth: number): Generator<undefined, unknown> {
    if (typeof one === 'string') {
      yield;
      const cut = one.slice(0, longestText);
      const isLong = cut.length > shortText;
      if (isLong) characters -= cut.length;
      return --texts < 0 || (isLong && characters < 0) ? '' : hide(cut);
    }
    if (typeof one !== 'object' || one === null) return one;
    if (depth > 8) return undefined;
    if (Array.isArray(one)) {
      const rows: unknown[] = [];
      for (const row of one) rows.push(yield* cleaned(row, depth + 1));
      return rows;
    }
    const fields: [string, unknown][] = [];
    for (const [name, field] of Object.entries(one)) fields.push([name, yield* cleaned(field, depth + 1)]);
    return Object.fromEntries(fields);
  }
  return (yield* cleaned(value, 0)) as T;
}

function atOnce<T>(work: Generator<undefined, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

async function inTurns<T>(work: Generator<undefined, T>): Promise<T> {
  const turns = new Turns();
  for (;;) {
    if (turns.isOver) await turns.pass();
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
