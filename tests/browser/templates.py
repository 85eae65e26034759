"""Three checkouts as shops lay them out, from a plain one to one whose rules reach everything."""

from __future__ import annotations

from dataclasses import dataclass

FORM = """
<form action="/paid"><label>E-mail <input name="email" type="email" autocomplete="off"></label>
<label><input id="agree" type="checkbox"> Akkoord</label>
<button id="pay" type="button">Betalen</button></form>
"""
TALL = "<div class='frame'>kaart</div><p class='tall'></p>"
MENU = """
<header class="head"><b>Koffiehuis</b><ul class="menu"><li>Bonen<ul><li>Espresso</li><li>Filter</li>
</ul></li><li>Molens</li></ul></header>
"""


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    body: str
    css: str
    menu: tuple[str, str] | None = None
    """What opens a hover menu, and its last entry."""


PLAIN = Template(
    "plain",
    f"<h1>Afrekenen</h1>{FORM}{TALL}<p>einde</p>",
    "body { margin: 20px; font: 16px/24px sans-serif } .tall { height: 1800px }",
)
STICKY = Template(
    "sticky head and hover menus",
    f"{MENU}<main><h1>Afrekenen</h1>{FORM}{TALL}</main>",
    """
    body { margin: 0; font: 16px/24px sans-serif; min-height: 100vh; display: grid;
      grid-template-rows: auto 1fr } main { padding: 20px }
    .head { position: sticky; top: 0; z-index: 10; display: flex; gap: 40px; background: #fff;
      box-shadow: 0 2px 6px #0003; padding: 0 20px } .menu, .menu ul { list-style: none; margin: 0;
      padding: 0 } .menu { display: flex } .menu > li { padding: 12px 20px; position: relative }
    .menu ul { display: none; position: absolute; top: 100%; left: 0; width: 180px;
      background: #eee } .menu > li:hover > ul { display: block } .menu ul li { padding: 16px }
    .tall { height: 1800px }
    """,
    (".menu > li", ".menu ul li:last-child"),
)
HOSTILE = Template(
    "global rules",
    f"{MENU}<h1>Afrekenen</h1>{FORM}<i>let op</i>{TALL}",
    """
    * { box-sizing: border-box; margin: 3px; padding: 1px; border: 1px solid #ccc; min-width: 2px;
      min-height: 2px; line-height: 1.4 !important; transition: all .2s !important }
    i { display: inline-block; width: 30px; height: 30px; background: red; position: relative }
    body > * + * { margin-top: 17px; border-top: 3px solid green } [aria-hidden] { opacity: .5 }
    [popover] { border: 5px solid } img { max-width: 100%; display: block !important }
    :empty { padding: 4px }
    ::before, ::after { content: "-" } :not(:defined) { display: block; height: 9px }
    body { font: 16px/24px sans-serif; display: flex; flex-direction: column; gap: 11px }
    .menu ul { display: none } .menu > li:hover > ul { display: block } .tall { height: 1500px }
    """,
    (".menu > li", ".menu ul li:last-child"),
)
TEMPLATES = (PLAIN, STICKY, HOSTILE)
