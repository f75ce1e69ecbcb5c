import { createConnection } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { isOwnSocket } from './ownFile.ts';

/** The longest answer that is read by default, in bytes. */
const defaultBytes = 2 ** 20;

/** The result of a request to a local socket. */
export type SocketAnswer =
  | { readonly kind: 'answered'; readonly text: string }
  /** The request was sent, but no complete answer arrived. It may have taken effect. */
  | { readonly kind: 'unanswered' }
  /** The request wasn't sent. */
  | { readonly kind: 'refused' };

/** A request to a local socket. */
export interface SocketRequest {
  readonly path: string;
  readonly message: object;
  /** What terminates the request and the answer, which are JSON. */
  readonly end: '\n' | '\0';
  /** How long to wait for the complete answer. */
  readonly withinMs: number;
  /** The longest answer that is read, in bytes: a megabyte by default. */
  readonly mostBytes?: number;
}

/**
 * Sends one request to a socket and reads one answer. Nothing is sent to a socket that isn't this user's or is in a folder
 * that others can write to. Never rejects.
 */
export async function askSocket(
  { path, message, end, withinMs, mostBytes = defaultBytes }: SocketRequest,
  clock: Clock,
  signal: AbortSignal,
): Promise<SocketAnswer> {
  if (!(await isOwnSocket(path)) || signal.aborted) return { kind: 'refused' };
  return new Promise((resolve) => {
    const socket = createConnection(path);
    const parts: Buffer[] = [];
    let isSent = false;
    let bytes = 0;
    const settle = (answer?: SocketAnswer) => {
      timer.dispose();
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(answer ?? { kind: isSent ? 'unanswered' : 'refused' });
    };
    const stop = () => settle();
    const timer = clock.after(withinMs, stop);
    signal.addEventListener('abort', stop, { once: true });
    socket.once('connect', () => {
      isSent = true;
      socket.write(`${JSON.stringify(message)}${end}`);
    });
    socket.on('data', (data: Buffer) => {
      const at = data.indexOf(end);
      parts.push(at < 0 ? data : data.subarray(0, at));
      bytes += data.length;
      if (at >= 0) settle({ kind: 'answered', text: Buffer.concat(parts).toString('utf8') });
      else if (bytes > mostBytes) settle();
    });
    socket.on('error', () => settle());
    socket.once('close', () => settle());
  });
}
