/* The optional script: where a pointer went, where it clicked, how far and how long somebody read.

   This is the source. What is served is made from it by `snippets/script/build.py`: the same
   program without comments and with short names, 1,024 bytes gzipped at most. It sets no cookie,
   keeps nothing on the device, reads no text and no value, and speaks to the collector alone.
   `docs/script.md` says what it tells and what it leaves out, `docs/wire.md` how.

   Listeners only note what the event itself says. What needs the page's layout is read 200 ms
   later, in a timer, when the browser has laid out the frame and reading it costs next to nothing.
   Whoever opted out or did not consent never gets these bytes: the collector decides that.

   Braces instead of a function: what is declared in them is as private, in fewer bytes. */
{
  // The element around the script tag: of the script-free form, which gives it the view's token,
  // or alone. It says where to send, the selectors of the zones by their numbers (from 0, which is
  // none), and what is the same in every batch of this page.
  const home = document.currentScript.parentElement;
  const [collector, zones, told] = JSON.parse(home.dataset.g);
  // Batches on their way: nothing leaves this list before the collector has answered for it.
  const queue = [];

  // `view` is the next batch, but for its `trail`. The zone in focus is `field`, `since` when;
  // `typed` says whether anything was typed there yet, `clicked` whether the latest press was told.
  // Times count from `began`, and `now` is the latest event's.
  let since, sending, typed, field, view, now, measuring, clicked, trail = {}, began = 0;

  // A view names itself, by the last 16 digits of a random UUID: all but two of their bits are
  // random. On a page with the script-free form its token `t` goes before that: see `ask`.
  const begin = () => {
    view = {
      s: 0,
      u: location.pathname,
      ...told,
      e: [],
      m: new Date / 6e4 | 0,
      id: crypto.randomUUID().replace(/.{19}|-/g, ""),
    };
    ask();
  };

  // The wire takes whole numbers from 0; nothing and not-a-number are 0 as well.
  const whole = value => value > 0 ? value | 0 : 0;

  // x, y, zone, u, v, value, placement.
  const note = (kind, ...rest) => view.e.push([kind, now, ...rest].map(whole));

  // Close the batch, if it says anything and the page was measured. While the collector is away 25
  // batches are kept, those of two minutes of unbroken activity; what comes then is let go.
  const pack = () => {
    view.r = Object.values(trail).flat().map((value, i, all) => value - (all[i - 3] | 0));
    if (view.vp && view.r + view.e) {
      queue[24] || queue.push(JSON.stringify(view));
      view.s++;
      view.e = [];
      trail = {};
    }
  };

  // Kind 7, focus: so long until now; `u` is 1 at the first input, whatever that was.
  const held = first => field && note(7, 0, 0, field, first, 0, now - since, 0);

  const blur = () => field = held() < 0;

  // Whether something stays where it is while the page scrolls: `fixed` and `sticky` are the only
  // values of position with an f or a k in them. Reads style, never layout.
  const fixed = at => at && fixed(at.parentElement) | /f|k/.test(getComputedStyle(at).position);

  // Measure soon: sizes, what is in view (kind 5, scroll), and boxes of zones (kind 15) that were
  // not told yet or have changed. An element bears its box under the view's name. By now the
  // script-free form's sheet is there as well, and gives `home` the background "…/{token}/t", which
  // is never fetched: until the path changes both forms are one view.
  const ask = () => measuring ||= setTimeout(() => {
    const root = document.documentElement;
    const port = visualViewport;
    measuring = 0;
    began || (view.t = getComputedStyle(home).backgroundImage.split("/").at(-2));
    view.vp = [innerWidth, innerHeight];
    view.pg = [root.scrollWidth, root.scrollHeight];
    note(5, port.pageLeft, port.pageTop, 0, 0, 0, port.height, 0);
    zones.map((selector, zone) => [...document.querySelectorAll(selector)].map(element => {
      const at = element.getBoundingClientRect();
      const box = [at.x + scrollX, at.y + scrollY, zone, at.width, at.height, 0, fixed(element)];
      element[view.id] + "" == box || note(15, ...element[view.id] = box);
    }));
  }, 200);

  // The box of the innermost zone that an event happened in. A window has no `closest`.
  const boxOf = event => event.target.closest?.(zones)?.[view.id] || [];

  const hear = {
    // Kind 1, click: of a pointer, not of a key or a program (those have no detail), and one for each
    // press, as a label hands its click on to its field. u, v: the place in the zone's box; the
    // rest of a division keeps what lies outside of an outdated box within the wire's limits.
    click(event) {
      const [x, y, zone, w, h] = boxOf(event);
      event.detail && (clicked ||= note(
        1, event.pageX, event.pageY, zone,
        (event.pageX - x) / w * 65535 % 65536, (event.pageY - y) / h * 65535 % 65536,
        0, fixed(event.target),
      ));
    },
    focus(event) {
      field = boxOf(event)[2];
      since = now;
      typed = 0;
      ask();
    },
    // The last place within each tenth of a second. Not while a button is held, and so never of a
    // finger: it moves the page, and says nothing of what is looked at.
    pointermove(event) {
      event.buttons || (trail[now / 100 | 0] = [event.pageX, event.pageY, now].map(whole));
    },
    resize: ask,
    scroll: ask,
    // Leaving, closing and putting away look alike, and each may be the last that is heard. What is
    // sent here stays in the queue: should the visitor come back, it is sent again until answered,
    // and the collector keeps it once.
    visibilitychange() {
      blur();
      pack();
      queue.map(body => navigator.sendBeacon(collector, body));
    },
    input() {
      typed ||= held(1);
    },
    pointerdown() {
      clicked = 0;
      ask();
    },
    blur,
  };

  // Captured at the window: heard also where the shop's own listener stops an event. A changed path
  // is a new view, however the shop's program changed it; nothing of the page's own is replaced.
  for (const type in hear) addEventListener(type, event => {
    if (view.u != location.pathname) {
      pack();
      began = event.timeStamp;
      begin();
    }
    now = event.timeStamp - began;
    hear[type](event);
  }, {capture: true, passive: true});

  begin();

  // One batch at a time, so that a collector in trouble hears no more often than one that is well.
  // Without an answer, and after 429 or 5xx, the same again.
  setInterval(() => {
    pack();
    queue[0] && (sending ||= fetch(collector, {method: "POST", body: queue[0], keepalive: true}).then(
      answer => sending = answer.status < 429 && !queue.shift(),
      () => sending = 0,
    ));
  }, 5e3);
}
