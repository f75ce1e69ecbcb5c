import type { ProviderAnswer, ProviderRequest } from './providerServer.ts';

/** How a provider's live view page behaves. */
export interface LivePageOptions {
  /** Headers of the response, such as those that forbid framing. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the page posts to the page that frames it once its session is gone, which it finds out by polling. */
  readonly disconnectMessage?: string;
  /** Replaces the usual content of the page. */
  readonly body?: string | undefined;
}

/** What users have sent from live view pages, by session, the oldest first. */
export type SentFromPages = Map<string, string[]>;

/** Receives what a live view page sends when its button is pressed, and returns what the page shows then. */
export function takeSent(sent: SentFromPages, session: string, { body }: ProviderRequest): ProviderAnswer {
  sent.set(session, [...(sent.get(session) ?? []), body]);
  return { status: 200, text: `Hello ${body}` };
}

/**
 * The page that our providers' servers show as a live view: the session's name, a running clock, and a field with a
 * button that sends what was typed to the page's own address. It has no form, because providers' sandboxes don't allow
 * submitting one.
 */
export function livePage(
  session: string,
  { headers = {}, disconnectMessage, body }: LivePageOptions = {},
): ProviderAnswer {
  const usual = `<p>Session ${session.slice(0, 8)}</p><p id="clock"></p><input id="field" aria-label="Field">
<button id="send">Send</button><p id="said"></p><script>
setInterval(() => { clock.textContent = new Date().toISOString(); }, 100);
send.onclick = async () => { said.textContent = await (await fetch(location.href, { method: 'POST', body: field.value })).text(); };
</script>`;
  const watch =
    disconnectMessage === undefined
      ? ''
      : `<script>setInterval(async () => {
if ((await fetch(location.href)).status === 404) parent.postMessage(${JSON.stringify(disconnectMessage)}, '*');
}, 300);</script>`;
  const style = '<meta name="viewport" content="width=device-width"><body style="font:32px sans-serif">';
  const html = `<!DOCTYPE html><title>Live</title>${style}${body ?? usual}${watch}`;
  return { status: 200, html, headers };
}
