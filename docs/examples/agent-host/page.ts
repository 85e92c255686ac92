/** The page: who is signed in, what they may use (kept up to date by the stream), and a conversation. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Agent host</title>
<link rel="stylesheet" href="/style.css">
<script type="module" src="/app.js"></script>
</head>
<body>
<header><h1>Agent host</h1><p id="who"></p><a id="sign-in" href="/login" hidden>Sign in</a><button id="sign-out" hidden>Sign out</button></header>
<main>
<section aria-label="Tools"><h2>Tools</h2><ul id="tools"></ul></section>
<section aria-label="Conversation"><ol id="messages" aria-live="polite"></ol>
<form id="form"><label for="text">Message</label><input id="text" autocomplete="off" required><button>Send</button></form></section>
</main>
</body>
</html>`;

export const style = `body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:64rem;padding:1rem;color-scheme:light dark}
header,form{display:flex;gap:1rem;align-items:center}header h1{flex:1;font-size:1.2rem}
main{display:grid;grid-template-columns:16rem 1fr;gap:2rem}ul,ol{padding:0;list-style:none;overflow-wrap:anywhere}
li{white-space:pre-wrap;margin:.4rem 0}li.user{font-weight:600}input{flex:1;padding:.5rem}
@media(max-width:40rem){main{grid-template-columns:1fr}}`;

export const script = `const at = (id) => document.getElementById(id);
function add(list, text, kind) {
  const item = document.createElement('li');
  item.textContent = text;
  if (kind) item.className = kind;
  list.append(item);
  return item;
}
async function post(path, body) {
  const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) });
  return answer.json();
}
const me = await (await fetch('/me')).json();
at('who').textContent = me.user ? 'Signed in as ' + me.user : '';
at(me.user ? 'sign-out' : 'sign-in').hidden = false;
at('form').hidden = !me.user;
if (me.user) {
  const events = new EventSource('/events');
  events.addEventListener('tool_list', ({ data }) => {
    at('tools').replaceChildren();
    for (const tool of JSON.parse(data).tools) add(at('tools'), tool.function.name).title = tool.function.description;
  });
}
at('sign-out').addEventListener('click', async () => { await post('/logout'); location.reload(); });
at('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = at('text').value;
  at('text').value = '';
  add(at('messages'), text, 'user');
  const answer = await post('/chat', { text });
  const item = add(at('messages'), answer.text ?? answer.error);
  for (const { name, url } of answer.connect ?? []) {
    const link = Object.assign(document.createElement('a'), { href: url, textContent: ' Connect ' + name, target: '_blank', rel: 'noopener' });
    item.append(link);
  }
});
`;
