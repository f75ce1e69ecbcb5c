import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request as send } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A proxy in front of VS Code's server. */
export interface FrontDoor {
  stop(): Promise<void>;
}

/**
 * Passes everything on to VS Code's server, and answers what that server alone doesn't, as code-server does: `POST
 * /mint-key`, half of the key with which the workbench encrypts SecretStorage in the browser (without it keys are lost
 * after a reload), and `http://<port>.localhost`, where the workbench finds other ports of this machine.
 * @param keyFile where that half is kept, so that the same user finds their keys again.
 */
export async function openFrontDoor(port: number, upstreamPort: number, keyFile: string): Promise<FrontDoor> {
  if (!existsSync(keyFile)) await writeFile(keyFile, randomBytes(32));
  const key = await readFile(keyFile);
  const upstreamOf = ({ headers }: IncomingMessage) => {
    const other = /^(\d+)\.localhost(:|$)/.exec(headers.host ?? '')?.[1];
    return { host: '127.0.0.1', port: other === undefined ? upstreamPort : Number(other) };
  };
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };

  const server = createServer((incoming, outgoing) => {
    if (incoming.method === 'POST' && incoming.url === '/mint-key') {
      outgoing.end(key);
      return;
    }
    const { method, url: path, headers } = incoming;
    const passed = send({ ...upstreamOf(incoming), method: method ?? 'GET', path: path ?? '/', headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  server.on('connection', keep);
  server.on('upgrade', (incoming, client: Socket, head) => {
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
      lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
    }
    const passed = connect(upstreamOf(incoming), () => {
      passed.write(`${lines.join('\r\n')}\r\n\r\n`);
      passed.write(head);
      passed.pipe(client).pipe(passed);
    });
    keep(passed);
    passed.on('close', () => client.destroy());
    client.on('close', () => passed.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
