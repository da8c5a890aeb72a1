// SPDX-License-Identifier: GPL-2.0-only
// Runs inside a page of the web edition: searches, unfolds, switches the light,
// and leaves what it saw in the attribute data-test of the body.
'use strict';
(async () => {
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const until = async test => { for (let i = 0; i < 100 && !test(); i++) await wait(50); return !!test(); };
  const saw = [];
  const expect = (what, true_) => saw.push((true_ ? 'ok ' : 'WRONG ') + what);
  try {
    const q = document.getElementById('q'), hits = document.getElementById('hits');
    dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true}));
    expect('slash goes to the search', document.activeElement === q);
    q.value = 'switcher'; q.dispatchEvent(new Event('input'));
    expect('search finds the Switcher', await until(() => hits.querySelectorAll('a').length > 3));
    q.value = 'qqqqzzzz'; q.dispatchEvent(new Event('input'));
    expect('search says when it finds nothing', await until(() => /Nothing/.test(hits.textContent)));
    q.value = ''; q.dispatchEvent(new Event('input'));
    expect('an empty search goes away', await until(() => hits.hidden));

    const buttons = [...document.querySelectorAll('pre .tog')];
    expect('some chunk can be unfolded', buttons.length > 0);
    if (buttons.length) {
      const b = buttons[0];
      b.click();
      const inner = () => b.nextElementSibling.nextElementSibling;
      expect('a chunk unfolds', await until(() => inner()?.className === 'inl' && inner().textContent.length > 5));
      expect('and says so to a screen reader', b.getAttribute('aria-expanded') === 'true');
      const deeper = inner()?.querySelector?.('.tog');
      if (deeper) {
        deeper.click();
        expect('a chunk within unfolds', await until(() => deeper.parentNode.querySelector('.inl')));
      }
      b.click();
      expect('and folds again', await until(() => inner()?.className !== 'inl'));
    }
    const root = document.documentElement, before = getComputedStyle(document.body.parentNode).backgroundColor;
    document.getElementById('theme').click();
    expect('the light goes out', getComputedStyle(root).backgroundColor !== before);
    document.getElementById('theme').click();
    expect('nothing sticks out sideways', root.scrollWidth <= innerWidth + 1);
  } catch (e) { saw.push('WRONG ' + e); }
  document.body.dataset.test = saw.join('; ') + '; done';
})();
