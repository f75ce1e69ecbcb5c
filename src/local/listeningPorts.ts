import { readdir, readFile } from 'node:fs/promises';
import { Turns } from '../core/turns.ts';
import { openFilesOf } from './socketOwners.ts';

// On Linux, /proc/net/tcp and tcp6 (proc_net(5)) list the TCP sockets of all users, each with its inode.

/** One that listens: its local address and port, in hexadecimal, and its inode. */
const listening = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A \S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;
/** One end of an open connection: the addresses and ports of both ends, and its inode. */
const connected = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) 01 \S+ \S+ \S+ +\d+ +\d+ (\d+) /gm;
/** The addresses at which a connection to 127.0.0.1 arrives: that one, its IPv6 form, and any address. */
const reachable = /^(0100007F|0{8}|0{32}|0{16}FFFF00000100007F)$/;

/** The TCP ports of this machine that processes were listening on when this was read. */
export interface ListeningPorts {
  readonly all: readonly number[];
  /**
   * Whether a process, and no other one, gets the connections to a port of 127.0.0.1. Also true if its open files can't be read,
   * but not if it has ended.
   */
  belongsTo(port: number, pid: number): Promise<boolean>;
  /** The ports that belong to a process. None if its open files can't be read. */
  portsOf(pid: number): Promise<readonly number[]>;
  /**
   * The processes that were connected to each of these ports; undefined for those that can't be found, such as another user's, one
   * in a container, or one of another machine.
   * @param only the processes among which they are looked for. By default, it's all, which takes much longer.
   */
  clientsOf(
    ports: readonly number[],
    only?: Iterable<number>,
  ): Promise<ReadonlyMap<number, ReadonlySet<number | undefined>>>;
}

/** Reads which ports processes listen on; undefined if the operating system doesn't say. @param root where proc is. */
export async function readListeningPorts(root = '/proc'): Promise<ListeningPorts | undefined> {
  if (process.platform !== 'linux') return undefined;
  const tables = await readTables(root);
  if (tables === undefined) return undefined;
  const inodes = new Map<number, string[]>();
  const turns = new Turns();
  for (const table of tables) {
    for (const [, address = '', port = '', inode = ''] of table.matchAll(listening)) {
      if (turns.isOver) await turns.pass();
      if (!reachable.test(address)) continue;
      const number = Number.parseInt(port, 16);
      const its = inodes.get(number) ?? [];
      its.push(`socket:[${inode}]`);
      inodes.set(number, its);
    }
  }
  const openBy = async (pid: number) => {
    const files = await openFilesOf(pid, root, new Turns());
    return files && new Set(files);
  };
  return {
    all: [...inodes.keys()],
    async belongsTo(port, pid) {
      const its = inodes.get(port);
      if (its === undefined) return false;
      const open = await openBy(pid);
      return open === undefined || its.every((socket) => open.has(socket));
    },
    async portsOf(pid) {
      const open = (await openBy(pid)) ?? new Set();
      return [...inodes].filter(([, its]) => its.every((socket) => open.has(socket))).map(([port]) => port);
    },
    async clientsOf(ports, only) {
      const turns = new Turns();
      const clients = new Map<number, Set<number | undefined>>();
      const connections =
        ports.length === 0 ? new Map<string, Connection>() : await connectionsTo(ports, tables, turns);
      if (connections.size === 0) return clients;
      const sockets = new Map(
        [...connections].flatMap(([key, { port, socket }]) =>
          socket === undefined ? [] : [[socket, { key, port }] as const],
        ),
      );
      const add = (port: number, pid: number | undefined) => {
        clients.set(port, (clients.get(port) ?? new Set()).add(pid));
      };
      const owned = new Set<string>();
      for (const pid of only ?? (await readdir(root)).filter((name) => /^\d+$/.test(name)).map(Number)) {
        if (turns.isOver) await turns.pass();
        for (const link of (await openFilesOf(pid, root, turns)) ?? []) {
          const connection = sockets.get(link);
          if (connection === undefined) continue;
          owned.add(connection.key);
          add(connection.port, pid);
        }
      }
      if (only !== undefined) return clients;
      // Others may have been closed since.
      const open = await connectionsTo(ports, (await readTables(root)) ?? [], turns);
      for (const [key, { port }] of connections) if (!owned.has(key) && open.has(key)) add(port, undefined);
      return clients;
    },
  };
}

async function readTables(root: string): Promise<readonly string[] | undefined> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`${root}/net/${name}`, 'utf8').catch(() => undefined)),
  );
  return tables[0] === undefined ? undefined : tables.filter((table) => table !== undefined);
}

/** An open connection to a port of this machine. */
interface Connection {
  readonly port: number;
  /** Its client's socket, as a link among a process's open files; undefined if the client is elsewhere. */
  socket: string | undefined;
}

/** The connections to these ports, by the address that each comes from and the one that it goes to. */
async function connectionsTo(
  ports: readonly number[],
  tables: readonly string[],
  turns: Turns,
): Promise<ReadonlyMap<string, Connection>> {
  const wanted = new Set(ports.map((port) => port.toString(16).toUpperCase().padStart(4, '0')));
  const found = new Map<string, Connection>();
  const sockets = new Map<string, string>();
  for (const table of tables) {
    for (const [, own = '', ownPort = '', other = '', otherPort = '', inode = ''] of table.matchAll(connected)) {
      if (turns.isOver) await turns.pass();
      // Each end is a row of its own. Those of one machine are both here.
      const [from, to] = [`${withoutMapping(own)}:${ownPort}`, `${withoutMapping(other)}:${otherPort}`];
      if (wanted.has(ownPort)) found.set(`${to}>${from}`, { port: Number.parseInt(ownPort, 16), socket: undefined });
      if (wanted.has(otherPort)) sockets.set(`${from}>${to}`, `socket:[${inode}]`);
    }
  }
  for (const [key, connection] of found) connection.socket = sockets.get(key);
  return found;
}

/** An IPv4 address as it is, also one that is written as an IPv6 address. */
function withoutMapping(address: string): string {
  return address.replace(/^0{16}FFFF0000/, '');
}
