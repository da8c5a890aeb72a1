// SPDX-License-Identifier: GPL-2.0-only
// Light and dark, search, and unfolding a chunk where it is used.
// All of it works from a disk: data come as scripts, when first wanted.
'use strict';
const lguest = (() => {
  const root = document.documentElement, $ = id => document.getElementById(id);
  const wanted = {};
  function load(name) {                 // returns a promise that the script has run
    return wanted[name] ??= new Promise((done, fail) => {
      const s = document.createElement('script');
      s.src = name; s.onload = done; s.onerror = fail;
      document.head.append(s);
    });
  }

  // light and dark ------------------------------------------------------------
  let store = {};
  try { store = localStorage; } catch (e) { /* some browsers forbid it for files */ }
  if (store.theme) root.dataset.theme = store.theme;
  $('theme').onclick = () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark'
      : matchMedia('(prefers-color-scheme:dark)').matches;
    root.dataset.theme = store.theme = dark ? 'light' : 'dark';
  };

  // search --------------------------------------------------------------------
  let rows = [];
  const q = $('q'), hits = $('hits');
  const score = (row, words) => {
    let sum = 0;
    for (const w of words) {
      const a = row.title.indexOf(w), b = row.body.indexOf(w);
      if (a < 0 && b < 0) return 0;
      sum += a === 0 ? 9 : a > 0 ? 5 : 1;
      if (row.title === w) sum += 20;
    }
    return sum + (row.kind === 'section' ? 0.5 : 0);
  };
  function excerpt(text, word) {
    const at = text.toLowerCase().indexOf(word);
    const p = document.createElement('p');
    if (at < 0) { p.textContent = text.slice(0, 110); return p; }
    const from = Math.max(0, at - 50);
    p.append((from ? '…' : '') + text.slice(from, at));
    const m = document.createElement('mark');
    m.textContent = text.slice(at, at + word.length);
    p.append(m, text.slice(at + word.length, at + 90) + '…');
    return p;
  }
  async function search() {
    const words = q.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    hits.hidden = !words.length;
    if (!words.length) return;
    await load('search-data.js');
    const best = rows.map(r => [score(r, words), r]).filter(p => p[0] > 0)
      .sort((a, b) => b[0] - a[0]).slice(0, 30);
    hits.replaceChildren(...best.map(([, r]) => {
      const a = document.createElement('a'), k = document.createElement('small');
      a.href = r.url; k.textContent = r.kind;
      a.append(k, r.shown);
      if (r.kind === 'section') a.append(excerpt(r.text, words[0]));
      else a.append(' ', r.text);
      return a;
    }));
    if (!best.length) hits.textContent = 'Nothing found.';
  }
  q.oninput = search;
  q.form.onsubmit = e => {
    e.preventDefault();
    (hits.querySelector('a.at') || hits.querySelector('a'))?.click();
  };
  function step(by) {
    const all = [...hits.querySelectorAll('a')], i = all.findIndex(a => a.classList.contains('at'));
    all[i]?.classList.remove('at');
    const a = all[(i + by + all.length) % all.length];
    a?.classList.add('at'); a?.scrollIntoView({block: 'nearest'});
  }
  hits.onclick = () => { hits.hidden = true; };
  addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target === q) {
      if (e.key === 'Escape') { hits.hidden = true; q.blur(); }
      if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); step(e.key === 'ArrowDown' ? 1 : -1); }
    } else if (e.key === '/') { e.preventDefault(); q.focus(); }
    else if (e.key === 'ArrowLeft') document.querySelector('a[rel=prev]')?.click();
    else if (e.key === 'ArrowRight') document.querySelector('a[rel=next]')?.click();
  });

  // unfolding -----------------------------------------------------------------
  const bodies = {};
  async function unfold(button, use) {
    const open = button.getAttribute('aria-expanded') === 'true';
    button.setAttribute('aria-expanded', String(!open));
    button.textContent = open ? '▸' : '▾';
    if (open) { use.nextElementSibling.remove(); return; }
    await Promise.all(use.dataset.in.split(' ').map(page => load('chunks-' + page + '.js')));
    const part = document.createElement('span');
    part.className = 'inl';
    part.innerHTML = use.dataset.n.split(' ').map(n => bodies[n]).join('\n');
    use.after(part);
    arm(part);
  }
  function arm(scope) {
    for (const use of scope.querySelectorAll('pre a.use, .inl a.use')) {
      if (use.previousElementSibling?.className === 'tog') continue;
      const b = document.createElement('button');
      b.className = 'tog'; b.type = 'button'; b.textContent = '▸';
      b.setAttribute('aria-expanded', 'false');
      b.setAttribute('aria-label', 'Unfold ' + use.querySelector('.nm').textContent);
      b.onclick = () => unfold(b, use);
      use.before(b);
    }
  }
  document.querySelector('.side .here')?.scrollIntoView({block: 'center'});
  arm(document);

  return {
    searchable(list) {
      rows = list.map(([kind, shown, url, text]) => ({kind, shown, url, text,
        title: shown.toLowerCase(), body: text.toLowerCase()}));
    },
    chunks(page, list) { for (const [n, code] of list) bodies[n] = code; },
  };
})();
