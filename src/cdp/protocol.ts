import type { ProtocolMapping } from 'devtools-protocol/types/protocol-mapping.js';
import type { CdpConnection } from '../core/cdp.ts';

/** A command of the Chrome DevTools Protocol, such as `Page.startScreencast`. */
export type Command = keyof ProtocolMapping.Commands;

/** An event of the Chrome DevTools Protocol, such as `Page.screencastFrame`. */
export type EventName = keyof ProtocolMapping.Events;

/** The parameters of a command. */
export type Params<C extends Command> = C extends Command ? ParamsOf<ProtocolMapping.Commands[C]['paramsType']> : never;
type ParamsOf<Told extends readonly unknown[]> = Told extends readonly []
  ? Readonly<Record<string, never>>
  : NonNullable<Told[0]>;

/**
 * Sends a command with the parameters that Chrome documents for it. The answer has no type, because another program may
 * be at the other end: callers read what they need with a schema.
 * @throws ProviderError as `CdpConnection.send` does.
 */
export function sendCommand<C extends Command>(
  connection: CdpConnection,
  command: C,
  params: Params<C>,
  signal: AbortSignal,
  target?: string,
): Promise<Readonly<Record<string, unknown>>> {
  return connection.send(command, params as Readonly<Record<string, unknown>>, signal, target);
}
