/** What can go wrong between us and a provider. Times are epoch milliseconds. */
export type Trouble =
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'notFound' }
  /** `retryAt` is undefined where the provider did not say. */
  | { readonly kind: 'rateLimited'; readonly retryAt: number | undefined }
  | { readonly kind: 'conflict' }
  /** What has the confirmed session's ID may be another session by now. Nothing was sent. */
  | { readonly kind: 'otherSession' }
  /** No answer came: `refused`, `dns`, `tls`, `cut` (in the middle), `proxy`, or `route` for anything else. */
  | { readonly kind: 'unreachable'; readonly why: 'refused' | 'dns' | 'tls' | 'cut' | 'proxy' | 'route' }
  | { readonly kind: 'timedOut'; readonly afterMs: number }
  | { readonly kind: 'canceled' }
  /** Commands caused too many such requests in the last seconds. Nothing was sent. */
  | { readonly kind: 'tooOften' }
  /** The answer is not what the provider documents; `what` says in which way, in plain words. */
  | { readonly kind: 'unexpectedAnswer'; readonly what: string }
  | { readonly kind: 'serverFault'; readonly status: number }
  /** The provider, this installation of it, or this extension can't do it. */
  | { readonly kind: 'unsupported'; readonly reason: UnsupportedReason }
  /** The account is known, but there is no key for it on this machine that can be used. Nothing was sent. */
  | { readonly kind: 'noKey'; readonly why?: NoKeyReason }
  /** The account's address isn't allowed; `fault` is the reason. Nothing was sent. */
  | { readonly kind: 'badAddress'; readonly fault: AddressFault };

/**
 * Why there is no key: none is stored (the default), it was stored by a newer version of this extension, what is stored can't
 * be read, the keychain can't be used, or the key is for an address such as localhost of another machine.
 */
export type NoKeyReason = 'missing' | 'newer' | 'damaged' | 'keychain' | 'otherMachine';

/** Why something can't be done. The user reads the sentence that the user interface has for each. */
export type UnsupportedReason =
  /** The provider has no request for it. */
  | { readonly kind: 'noRequest' }
  /** The provider has no live views, or this session has none. */
  | { readonly kind: 'liveView' | 'sessionLiveView' }
  /** This editor can't show the address of the live view. */
  | { readonly kind: 'viewAddress' }
  /** The server has the route turned off that lists sessions. */
  | { readonly kind: 'routeOff'; readonly route: string }
  /** A setting of this extension, with its whole name, must be on for it. */
  | { readonly kind: 'settingOff'; readonly setting: string }
  /** No provider of this id is there. */
  | { readonly kind: 'unknownProvider'; readonly provider: string }
  /** The user hasn't allowed the extension that adds the provider to receive keys. */
  | { readonly kind: 'keysNotAllowed' }
  /** The key wasn't saved for this host. Nothing was sent. */
  | { readonly kind: 'otherHost'; readonly host: string }
  /** The address isn't the account's. Nothing was sent. */
  | { readonly kind: 'otherAddress' }
  /** In the provider's own words: an English sentence, which is shown as it is. */
  | { readonly kind: 'stated'; readonly sentence: string };

/** Why an address can't be an account's. `localName` is http at `localhost.` or `*.localhost`; see `isLoopback`. */
export type AddressFault = 'notAUrl' | 'scheme' | 'notEncrypted' | 'localName' | 'credentials' | 'query' | 'path';

/** The name of one kind of {@link Trouble}. */
export type TroubleKind = Trouble['kind'];

const errorName = 'ProviderError';

/**
 * The one error that leaves a provider, the HTTP client and the CDP connection. Its message is for the log: it names
 * the request by its route and never holds a secret or a full URL. What a user reads is made from `trouble`.
 */
export class ProviderError extends Error {
  override readonly name = errorName;
  readonly trouble: Trouble;
  /** The provider's own message: one line, cleaned, without secrets; or undefined. */
  readonly detail: string | undefined;

  constructor(trouble: Trouble, message: string, options: { detail?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.trouble = trouble;
    this.detail = options.detail;
  }

  /**
   * Whether an error is a provider's. Decided by name and not by class, because each lazily loaded chunk, and each
   * extension that registers a provider of its own, carries a class of its own.
   */
  static is(error: unknown): error is ProviderError {
    if (!(error instanceof Error) || error.name !== errorName || !('trouble' in error)) return false;
    const { trouble } = error;
    return typeof trouble === 'object' && trouble !== null && 'kind' in trouble;
  }

  /** Whether it is a provider's error of one of the given kinds. */
  static isOf(error: unknown, ...kinds: readonly TroubleKind[]): error is ProviderError {
    return ProviderError.is(error) && kinds.includes(error.trouble.kind);
  }

  /** Wraps anything a provider threw. An error that isn't a ProviderError is a fault of ours, and is reported as one. */
  static from(error: unknown): ProviderError {
    if (ProviderError.is(error)) return error;
    const what = error instanceof Error ? `${error.name}: ${error.message}` : typeof error;
    return new ProviderError({ kind: 'unexpectedAnswer', what: 'it made this extension fail' }, `Internal: ${what}`, {
      cause: error,
    });
  }
}

/** When a provider that limits the rate of requests takes them again, in epoch milliseconds, or undefined if it didn't say. */
export function retryAtOf(trouble: Trouble | undefined): number | undefined {
  return trouble?.kind === 'rateLimited' ? trouble.retryAt : undefined;
}

/** Whether asking again is of no use until the user changes the account or its key. */
export function needsUser(error: unknown): boolean {
  return ProviderError.isOf(error, 'unauthorized', 'forbidden', 'noKey', 'badAddress');
}

/** The error of a request that was canceled. */
export function canceled(what: string): ProviderError {
  return new ProviderError({ kind: 'canceled' }, `${what} was canceled`);
}

/** The error of an account whose address a key may not be sent to; see `parseAddress`. */
export function badAddress(fault: AddressFault): ProviderError {
  return new ProviderError({ kind: 'badAddress', fault }, `nothing was sent: the address cannot be used (${fault})`);
}

/** The error of a request that isn't sent because the id in it can't be used; see `idFault`. */
export function unaddressable(what: string, fault: string): ProviderError {
  return new ProviderError(
    { kind: 'unexpectedAnswer', what: `it has no usable ID (${fault})` },
    `${what} was not sent: ${fault}`,
  );
}
