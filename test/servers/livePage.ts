import type { ProviderAnswer, ProviderRequest } from './providerServer.ts';

/** How a provider's live view page is to be. */
export interface LivePageOptions {
  /** Headers of the answer, such as those that forbid framing. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the page posts to whoever frames it once its session is gone, which it finds out by asking again. */
  readonly disconnectMessage?: string;
  /** Stands in the page in place of what usually does. */
  readonly body?: string | undefined;
}

/** What was sent from live view pages by whoever steers them, by session, the oldest first. */
export type SentFromPages = Map<string, string[]>;

/** Takes what a live view page sends when its button is pressed, and answers what the page is to show then. */
export function takeSent(sent: SentFromPages, session: string, { body }: ProviderRequest): ProviderAnswer {
  sent.set(session, [...(sent.get(session) ?? []), body]);
  return { status: 200, text: `Hello ${body}` };
}

/**
 * What providers’ servers of ours show as a live view: which session it is, a clock that runs, and a field to type into with
 * a button that sends what was typed to the page's own address. No form: providers’ sandboxes do not let one be sent.
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
