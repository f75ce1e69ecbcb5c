import { VendorServer } from './vendorServer.ts';

const style = `<meta name="viewport" content="width=device-width"><style>
body { display: grid; place-content: center; gap: 1rem; height: 100vh; margin: 0; font: 32px system-ui, sans-serif; }
</style>`;

const pages: Readonly<Record<string, string>> = {
  clock: `<title>Clock</title>${style}<time id="now"></time>
<script>setInterval(() => { now.textContent = new Date().toLocaleTimeString(); }, 100);</script>`,
  counter: `<title>Counter</title>${style}<output id="count">0</output>
<script>let n = 0; setInterval(() => { count.textContent = ++n; }, 100);</script>`,
  form: `<title>Sign-up form</title>${style}<form onsubmit="event.preventDefault(); said.textContent = 'Hello ' + person.value">
<input id="person" placeholder="Your name"> <button>Send</button></form><output id="said"></output>`,
};

/** Serves small pages that move: `/clock`, `/counter` and `/form`. */
export function startPages(): Promise<VendorServer> {
  const routes = Object.fromEntries(
    Object.entries(pages).map(([name, body]) => [
      `GET /${name}`,
      () => ({ status: 200, html: `<!DOCTYPE html>${body}` }),
    ]),
  );
  return new VendorServer({ routes, notFound: () => ({ status: 404, text: 'no such page' }) }).start();
}
