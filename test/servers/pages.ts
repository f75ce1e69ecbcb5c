import { ProviderServer } from './providerServer.ts';

const style = `<meta name="viewport" content="width=device-width"><style>
body { display: grid; place-content: center; gap: 1rem; height: 100vh; margin: 0; font: 32px system-ui, sans-serif;
  color: #10243f; background: linear-gradient(160deg, #eaf2ff, #cfe0f7); }
time, output { font-size: 72px; font-weight: 600; text-align: center; }
input, button { padding: 0.4em 0.7em; border: 1px solid #7f9cc4; border-radius: 8px; font: inherit; }
button { color: white; background: #1d5fbf; }
</style>`;

const pages: Readonly<Record<string, string>> = {
  clock: `<title>Clock</title>${style}<time id="now"></time>
<script>setInterval(() => { now.textContent = new Date().toLocaleTimeString(); }, 100);</script>`,
  counter: `<title>Counter</title>${style}<output id="count">0</output>
<script>let n = 0; setInterval(() => { count.textContent = ++n; }, 100);</script>`,
  form: `<title>Sign-up form</title>${style}<form onsubmit="event.preventDefault(); said.textContent = 'Hello ' + user.value">
<input id="user" placeholder="Your name"> <button id="send">Send</button></form><output id="said"></output>`,
};

/** Serves small pages that move: `/clock`, `/counter` and `/form`. */
export function startPages(): Promise<ProviderServer> {
  const routes = Object.fromEntries(
    Object.entries(pages).map(([name, body]) => [
      `GET /${name}`,
      () => ({ status: 200, html: `<!DOCTYPE html>${body}` }),
    ]),
  );
  return new ProviderServer({ routes, notFound: () => ({ status: 404, text: 'no such page' }) }).start();
}
