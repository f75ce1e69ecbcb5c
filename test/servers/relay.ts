import { connect as connectSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ProviderOptions, type ProviderRequest, ProviderServer } from './providerServer.ts';

/** Headers that belong to one connection, not to what is sent over it. */
const hopHeaders = new Set(['host', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'content-length']);

/**
 * Stands in front of a real server, passes everything on to it, including WebSockets, and can be made to misbehave in
 * its place.
 * @param target address of the real server, without a path.
 * @param upgrade takes over WebSockets, which are otherwise passed on byte by byte.
 * @param change changes the text of each answer.
 */
export async function startRelay(
  target: string,
  upgrade = passSocket(target),
  change = (text: string) => text,
): Promise<ProviderServer> {
  const notFound = async (request: ProviderRequest) => {
    const answer = await forward(target, request);
    return { ...answer, text: change(answer.text) };
  };
  return new ProviderServer({ routes: {}, notFound, upgrade }).start();
}

/** Passes WebSockets on to a server, byte by byte. */
export function passSocket(target: string): NonNullable<ProviderOptions['upgrade']> {
  const { hostname, port } = new URL(target);
  return ({ method, url, headers }, socket, head) => {
    const onward = connectSocket(Number(port), hostname, () => {
      const lines = Object.entries({ ...headers, host: `${hostname}:${port}` }).map(
        ([name, value]) => `${name}: ${String(value)}`,
      );
      onward.write(`${method} ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    closeTogether(onward, socket);
  };
}

function closeTogether(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

/** Passes one request on to a server, and its response back. */
export async function forward(target: string, { method, path, query, headers, body }: ProviderRequest) {
  const search = query.size === 0 ? '' : `?${query}`;
  const passed = Object.entries(headers).filter(([name]) => !hopHeaders.has(name));
  const answer = await fetch(target + path + search, {
    method,
    headers: Object.fromEntries(passed.map(([name, value]) => [name, String(value)])),
    ...(body === '' ? {} : { body }),
    redirect: 'manual',
  });
  const type = answer.headers.get('content-type');
  return {
    status: answer.status,
    text: await answer.text(),
    ...(type === null ? {} : { headers: { 'content-type': type } }),
  };
}
