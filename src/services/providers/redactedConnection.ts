import type { CdpConnection } from '../../core/cdp.ts';
import type { KnownSecrets, Redact } from '../../core/redact.ts';
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
        return isShown(method) ? hiddenWithin(result, hide) : result;
      } catch (error) {
        throw redactedError(error, redact);
      }
    },
    onEvent: (listener) =>
      connection.onEvent((event) => {
        listener(isShown(event.method) ? { ...event, params: hiddenWithin(event.params, hide) } : event);
      }),
    onClose: (listener) => connection.onClose(listener),
    dispose: () => connection.dispose(),
  };
}

/**
 * How much of one DevTools message is searched for secrets, and so shown, in less than 50 ms: how many texts, how many
 * characters in all of them, and how many in one. A browser with 500 pages has 3,000 texts.
 */
const searched = { texts: 5_000, characters: 2 ** 19, ofOne: 2 ** 12 };
/** IDs and the like are always searched while there are few enough texts. */
const shortText = 64;

/** An answer of DevTools with the secrets removed from each text. It is JSON, a few levels deep. */
function hiddenWithin<T>(value: T, hide: Redact): T {
  let { texts, characters } = searched;
  const hidden = (text: string): string => {
    const cut = text.slice(0, searched.ofOne);
    const isLong = cut.length > shortText;
    if (isLong) characters -= cut.length;
    return --texts < 0 || (isLong && characters < 0) ? '' : hide(cut);
  };
  const cleaned = (one: unknown, depth: number): unknown => {
    if (typeof one === 'string') return hidden(one);
    if (typeof one !== 'object' || one === null) return one;
    if (depth > 8) return undefined;
    if (Array.isArray(one)) return one.map((its) => cleaned(its, depth + 1));
    return Object.fromEntries(Object.entries(one).map(([key, its]) => [key, cleaned(its, depth + 1)]));
  };
  return cleaned(value, 0) as T;
}
