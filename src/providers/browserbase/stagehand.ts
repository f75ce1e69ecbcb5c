import * as v from 'valibot';
import type { HttpClient } from '../../core/http.ts';
import type { SessionId } from '../../core/ids.ts';
import type { Link } from '../../core/provider.ts';
import { ProviderError } from '../../core/providerError.ts';
import { translatable } from '../../core/translatable.ts';
import { decode } from '../../http/decode.ts';
import { notFoundLike } from '../../http/notFound.ts';
import { defaultAddress } from './api.ts';
import { isStagehands } from './sessions.ts';

/** Stagehand has a host for each region; https://docs.stagehand.dev/v3/configuration/browser. */
const stagehandAddresses: ReadonlyMap<string, string> = new Map([
  ['us-west-2', 'https://api.stagehand.browserbase.com'],
  ['us-east-1', 'https://api.use1.stagehand.browserbase.com'],
  ['eu-central-1', 'https://api.euc1.stagehand.browserbase.com'],
  ['ap-southeast-1', 'https://api.apse1.stagehand.browserbase.com'],
]);

/** Stagehand's "not found", as its server sends it (packages/server-v3/src/lib/response.ts) and as documented. */
const isStagehandNotFound = notFoundLike(
  v.object({ success: v.literal(false), message: v.string() }),
  v.object({ success: v.literal(false), error: v.string() }),
);
const StagehandEnd = v.object({ success: v.literal(true) });

/** Stagehand's answer to an end: `unknown` if it doesn't know the session. */
export type StagehandAnswer = 'success' | 'unknown' | 'failed';

/** How a session was ended that was still running after Stagehand's answer. */
export const releasedAfter: Readonly<Record<StagehandAnswer, string>> = {
  success: translatable('Stagehand ended it, and Browserbase released it.'),
  unknown: translatable("Stagehand didn't recognize it, so Browserbase released it."),
  failed: translatable("Stagehand couldn't end it, so Browserbase released it."),
};

/** The addresses that also receive an account's key, to end Stagehand's sessions. */
export function stagehandAddressesOf(origin: URL, stagehandOrigin: string | undefined): readonly URL[] {
  if (stagehandOrigin !== undefined) return [stagehandAddress(stagehandOrigin)];
  return origin.href === new URL(defaultAddress).href
    ? [...stagehandAddresses.values()].map((one) => new URL(one))
    : [];
}

/** The client for the host of a session's region: no other host knows the session. */
export function stagehandFor(link: Link, region: string | undefined): HttpClient | undefined {
  const { stagehandOrigin } = link.credentials;
  const address = stagehandOrigin ?? (link.origin.origin === defaultAddress ? regionalAddress(region) : undefined);
  return address === undefined ? undefined : link.httpTo(stagehandAddress(address));
}

/** Asks Stagehand to end a session. @throws ProviderError `canceled` */
export async function askStagehand(
  stagehand: HttpClient,
  { apiKey = '', projectId }: Link['credentials'],
  id: SessionId,
  signal: AbortSignal,
): Promise<StagehandAnswer> {
  try {
    const project = projectId === undefined ? {} : { 'x-bb-project-id': projectId };
    const route = '/v1/sessions/{id}/end';
    const request = { method: 'POST', route, params: { id }, isOwnNotFound: isStagehandNotFound } as const;
    decode(StagehandEnd, await stagehand.send({ ...request, headers: { 'x-bb-api-key': apiKey, ...project } }, signal));
    return 'success';
  } catch (error) {
    if (ProviderError.isOf(error, 'canceled')) throw error;
    return ProviderError.isOf(error, 'notFound') ? 'unknown' : 'failed';
  }
}

/** Stagehand's SDK accepts an address with or without `/v1`, which all of its routes begin with. */
function stagehandAddress(address: string): URL {
  return new URL(address.replace(/\/v1\/?$/, ''));
}

/** Sessions without a region are in the default region of both services. */
function regionalAddress(region: string | undefined): string | undefined {
  return stagehandAddresses.get(region ?? 'us-west-2');
}

/**
 * Whether Stagehand's API may know the session. From version 4 on, Stagehand releases sessions through Browserbase
 * itself, and writes its version on the session, which version 3 doesn't (packages/sdk-ts/src/sdkIdentity.ts).
 */
export function hasStagehandEnd(metadata: ReadonlyMap<string, string>): boolean {
  const version = metadata.get('stagehand_sdk_version');
  return isStagehands(metadata) && (version === undefined || /^[1-3]\./.test(version));
}
