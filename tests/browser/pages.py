"""A page that forbids scripts and tells by images of its style sheet what reached it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from urllib.parse import urlsplit

from tests.browser.drive import Box

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'none'"
PATIENCE_S = 10.0
STOP_POLL_S = 0.02

CELLS = range(5)
CELL_PX = 40
TARGET: Box = (100, 60, 300, 140)
FAR_Y_PX = 9000

STYLE = f"""
html {{ background: rgb(10, 200, 30) }}
body {{ margin: 0; height: 12000px }}
body > * {{ position: absolute; box-sizing: border-box; margin: 0 }}
#target {{ left: 100px; top: 60px; width: 200px; height: 80px }}
#target:hover {{ background-image: url(/seen/hover) }}
#target:active {{ border-image-source: url(/seen/press) }}
#field {{ left: 100px; top: 200px; width: 200px; height: 30px }}
#field:focus {{ background-image: url(/seen/focus) }}
#field:not(:placeholder-shown) {{ border-image-source: url(/seen/typed) }}
#field:user-invalid {{ list-style-image: url(/seen/invalid) }}
#next {{ left: 100px; top: 250px; width: 200px; height: 30px }}
#next:focus {{ background-image: url(/seen/next) }}
#box {{ left: 100px; top: 300px; width: 20px; height: 20px }}
#box:checked {{ background-image: url(/seen/checked) }}
#far {{ left: 0; top: {FAR_Y_PX}px }}
.cell {{ top: 400px; width: {CELL_PX}px; height: {CELL_PX}px }}
@media (hover: none) {{ body {{ background-image: url(/seen/coarse) }} }}
""" + "".join(
    f"#c{i} {{ left: {i * CELL_PX}px }} #c{i}:hover {{ background-image: url(/seen/c{i}) }}\n"
    for i in CELLS
)

PAGE = f"""<!doctype html><html lang=en><meta charset=utf-8><title>Counter</title>
<meta name=viewport content="width=device-width"><link rel=icon href="data:,">
<link rel=stylesheet href=/style.css>
<button id=target type=button>Pay</button>
<input id=field placeholder=Street required><input id=next placeholder=Town>
<input id=box type=checkbox>
{"".join(f"<i class=cell id=c{i}></i>" for i in CELLS)}
<img id=far alt="" width=1 height=1 loading=lazy src=/seen/far>
<script>new Image().src = "/seen/script"</script>
</html>"""

ANSWERS = {"/": ("text/html", PAGE), "/style.css": ("text/css", STYLE)}


class Counter:
    """Serves the page at `url` and remembers the images asked for, in order of arrival."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._seen: list[str] = []
        self._news = threading.Condition()

    def saw(self, name: str) -> None:
        with self._news:
            self._seen.append(name)
            self._news.notify_all()

    def seen(self) -> list[str]:
        with self._news:
            return list(self._seen)

    def arrives(self, name: str) -> bool:
        """Whether an image has been asked for, or is before patience ends."""
        with self._news:
            return self._news.wait_for(lambda: name in self._seen, PATIENCE_S)

    def forget(self) -> None:
        with self._news:
            self._seen.clear()


@contextmanager
def serving(tls: SSLContext | None = None) -> Iterator[Counter]:
    """Serve the page on a free port of localhost, over TLS if given a context."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/seen/"):
                counter.saw(path.removeprefix("/seen/"))
            kind, text = ANSWERS.get(path, ("text/plain", ""))
            self.send_response(200 if path in ANSWERS else 204)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # Browsers keep spare connections open; leaving does not wait for them.
        server.daemon_threads = True
        if tls is not None:
            # The handshake belongs to each connection's thread: a spare one would hold the door.
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if tls is None else "https"
        counter = Counter(f"{scheme}://127.0.0.1:{server.server_port}/")
        # Asked more often than by default whether to stop: every test waits for it.
        thread = threading.Thread(target=server.serve_forever, args=(STOP_POLL_S,))
        thread.start()
        try:
            yield counter
        finally:
            server.shutdown()
            thread.join()
