import * as l10n from '@vscode/l10n';

const style = `:root{color-scheme:light dark;font:18px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-content:center;justify-items:center;gap:20px;text-align:center;
background:light-dark(#f4f7fb,#10151c);color:light-dark(#16202c,#dfe7f0)}
#orbit{position:relative;width:120px;height:120px;border:3px solid light-dark(#c3d3e6,#2c3b4d);border-radius:50%}
#dot{position:absolute;left:50px;top:50px;width:20px;height:20px;border-radius:50%;background:#1f8ad2}
h1,p{margin:0;max-width:32em}button,input{font:inherit;padding:6px 14px}`;

// Ten times a second: watching must not keep a processor busy.
const script = `const begun=Date.now();setInterval(()=>{const s=(Date.now()-begun)/1000;
dot.style.transform='translate('+60*Math.sin(s)+'px,'+-60*Math.cos(s)+'px)';
time.textContent=new Date().toLocaleTimeString()},100);let n=0;
press.onclick=()=>{count.textContent=++n}`;

const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);

/** The address of the page that a browser shows when it is started to try the extension. It loads nothing. */
export function trialPage(): string {
  const texts = [
    l10n.t('Trial page'),
    l10n.t("This browser is running on this machine without a window. You're watching it live."),
    l10n.t('Turn on Interact to click or type here:'),
    l10n.t('Click Me'),
    l10n.t(
      'To end it, select End Session (the square) on its row in the Sessions view. It also ends when you close this window.',
    ),
  ].map(escaped);
  const [title, what, interact, click, end] = texts;
  const body = `<div id="orbit"><div id="dot"></div></div><h1 id="time"></h1><p>${what}</p><p>${interact}</p>
<p><button id="press">${click}: <span id="count">0</span></button> <input aria-label="${interact}"></p><p>${end}</p>`;
  const page = `<!doctype html><meta charset="utf-8"><title>${title}</title><style>${style}</style>${body}<script>${script}</script>`;
  return `data:text/html;charset=utf-8,${encodeURIComponent(page)}`;
}
