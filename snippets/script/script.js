/* The optional script: where a pointer went, where it clicked, how far and how long somebody read.

   This is the source. What is served is made from it by `snippets/script/build.py`: the same
   program without comments and with short names, 1,024 bytes gzipped at most. It sets no cookie,
   keeps nothing on the device, reads no text and no value, and speaks to the collector alone.
   `docs/script.md` says what it tells and what it leaves out, `docs/wire.md` how.

   Listeners only note what the event itself says. What needs the page's layout is read 200 ms
   later, in a timer, when the browser has laid out the frame and reading it costs next to nothing.
   Whoever opted out or did not consent never gets these bytes: the collector decides that.

   Braces instead of a function: what is declared in them is as private, in fewer bytes. What may
   stand in any order stands in the one that packs best. */
{
  // `view` is the next batch, but for its `trail`. The zone in focus is `field`, `since` when;
  // `typed` says whether anything was typed there yet, or there is no such zone. Times count from
  // `began`, and `now` is the latest event's.
  let sending, typed, trail = {}, since, began = 0, field, measuring, now = 0, view;
  // The element around the script tag: of the script-free form, which gives it the view's token,
  // or alone. It says where to send, the selectors of the zones by their numbers (from 0, which is
  // none), and what is the same in every batch of this page.
  const home = document.currentScript.parentElement;
  const [collector, zones, told] = JSON.parse(home.dataset.g);
  // Batches on their way: nothing leaves this list before the collector has answered for it.
  const queue = [];

  // A view names itself, by the last 16 digits of a random UUID: all but two of their bits are
  // random. On a page with the script-free form its token `t` goes before that: see `pack`.
  const begin = () => {
    began += now;
    now = 0;
    view = {
      u: location.pathname,
      ...told,
      s: 0,
      e: [],
      m: new Date / 6e4 | 0,
      id: crypto.randomUUID().replace(/.{19}|-/g, ""),
    };
    ask();
  };

  // Close the batch, if it says anything and the page was measured. The script-free form's sheet
  // gives `home` the background "…/{token}/t", which is never fetched: until the path changes both
  // forms are one view. A view keeps the name that its first batch bore. While the collector is
  // away 30 batches are kept, those of 150 s of unbroken activity; what comes then is let go.
  const pack = () => {
    began | view.s || (view.t = getComputedStyle(home).backgroundImage.split("/").at(-2));
    view.r = Object.values(trail)
      .flatMap(event => [event.pageX, event.pageY, event.timeStamp - began])
      .map((value, i, all) => whole(value) - whole(all[i - 3]));
    if (view.vp && view.r + view.e) {
      queue[29] || queue.push(JSON.stringify(view));
      view.s++;
      trail = {};
      view.e = [];
    }
  };

  // The wire takes whole numbers from 0; nothing and not-a-number are 0 as well.
  const whole = value => (value > 0) * value | 0;

  // x, y, zone, u, v, value, placement. A zone may be a thousand elements, and the collector takes
  // 512 events of a batch: what comes when one is full is let go.
  const note = (kind, ...rest) => view.e[299] || view.e.push([kind, now, ...rest].map(whole));

  // Whether something stays where it is while the page scrolls: `fixed` and `sticky` are the only
  // values of position with an f or a k in them. Reads style, never layout.
  const fixed = at => at && fixed(at.parentElement) | /f|k/.test(getComputedStyle(at).position);

  // The box of the innermost zone that an event happened in. A window has no `closest`.
  const boxOf = event => event.target.closest?.(zones)?.[view.id] || [];

  // Measure soon: what is in view (kind 5, scroll), sizes, and boxes of zones (kind 15) that were
  // not told yet or have changed. An element bears its box under the view's name.
  const ask = () => measuring ||= setTimeout(() => {
    const root = document.documentElement;
    note(5, scrollX, visualViewport.pageTop, 0, 0, 0, visualViewport.height, 0);
    view.vp = [innerWidth, innerHeight];
    view.pg = [root.scrollWidth, root.scrollHeight];
    measuring = 0;
    zones.map((selector, zone) => [...document.querySelectorAll(selector)].map(element => {
      const at = element.getBoundingClientRect();
      const box = [at.x + scrollX, at.y + scrollY, zone, at.width, at.height, 0, fixed(element)];
      element[view.id] + "" == box || note(15, ...element[view.id] = box);
    }));
  }, 200);

  // Kind 7, focus: so long until now, of zone 0 where it was in none; `u` is 1 at the first input,
  // whatever that was.
  const held = first => note(7, 0, 0, field, first, 0, now - since, 0);

  const hear = {
    resize: ask,
    scroll: ask,
    input() {
      typed ||= held(1);
    },
    blur() {
      field = held() < 0;
    },
    // Leaving, closing and putting away look alike, and each may be the last that is heard: whatever
    // rested until then is told by a focus that ends, if only of zone 0. What is sent here stays in
    // the queue: should the visitor come back, it is sent again until answered, and the collector
    // keeps it once.
    visibilitychange() {
      hear.blur();
      pack();
      queue.map(body => navigator.sendBeacon(collector, body));
    },
    // The last within each tenth of a second; what it says is read when the batch is closed, as each
    // thing done here is done at every frame. Not while a button is held, and so never of a finger:
    // it moves the page, and says nothing of what is looked at.
    pointermove(event) {
      event.buttons || (trail[now / 100 | 0] = event);
    },
    focus(event) {
      since = now;
      typed = !(field = boxOf(event)[2]);
    },
    // Kind 1, click: of a pointer, not of a key or a program (those have no detail). u, v: the place
    // in the zone's box; the rest of a division keeps what lies outside of an outdated box within
    // the wire's limits.
    click(event) {
      const [x, y, zone, w, h] = boxOf(event);
      event.detail && note(
        1, event.pageX, event.pageY, zone,
        (event.pageX - x) / w * 65536 % 65536, (event.pageY - y) / h * 65536 % 65536,
        0, fixed(event.target),
      );
    },
    pointerdown: ask,
  };

  // Captured at the window: heard also where the shop's own listener stops an event. A changed path
  // is a new view, however the shop's program changed it; nothing of the page's own is replaced.
  // To ask for the path costs more than all the rest: of a moving pointer ten times a second.
  for (const type in hear) addEventListener(type, event => {
    now = event.timeStamp - began;
    trail[now / 100 | 0] || view.u == location.pathname || begin(pack());
    hear[type](event);
  }, {capture: true, passive: true});

  begin();

  // One batch at a time, so that a collector in trouble hears no more often than one that is well.
  // Without an answer, and after 429 or 5xx, the same again. Not before the page is "complete", the
  // one state of 8 letters: until then the script-free form may yet tell its token.
  setInterval(() => {
    document.readyState[8] || pack();
    sending ||= queue[0] && fetch(collector, {method: "POST", body: queue[0], keepalive: true}).then(
      answer => sending = answer.status < 429 && !queue.shift(),
      () => sending = 0,
    );
  }, 5e3);
}
