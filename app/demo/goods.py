"""What the demo's shop sells, and an order as it travels: in the address, stored nowhere."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from collector.wire import REF

MOST_OF_ONE = 9
REF_BYTES = 12


@dataclass(frozen=True, slots=True)
class Product:
    slug: str
    name: str
    kind: str
    """A few words under the name."""
    told: str
    """A sentence or two for its own page."""
    amount: str
    price_cents: int


@dataclass(frozen=True, slots=True)
class Shipping:
    slug: str
    name: str
    when: str
    price_cents: int


PRODUCTS = (
    Product(
        "sidamo",
        "Sidamo",
        "Ethiopië · filter",
        "Jasmijn, abrikoos en een vleugje bergamot. Licht gebrand, op zijn best in een filterkan.",
        "250 gram bonen",
        1095,
    ),
    Product(
        "huila",
        "Huila",
        "Colombia · espresso",
        "Karamel, rode appel en pure chocolade. Voor wie zijn espresso graag rond en zoet heeft.",
        "250 gram bonen",
        995,
    ),
    Product(
        "huismelange",
        "Huismelange",
        "Brazilië en Guatemala · voor elke dag",
        "Hazelnoot en cacao, zacht van zuur. De koffie die bij ons zelf de hele dag klaarstaat.",
        "250 gram bonen",
        850,
    ),
    Product(
        "filterkan",
        "Filterkan",
        "Glas en kurk · 6 kopjes",
        "Mondgeblazen glas met een kraag van kurk. Eén kan, één filter, drie minuten geduld.",
        "0,8 liter",
        3450,
    ),
    Product(
        "handmolen",
        "Handmolen",
        "Stalen maalwerk · 18 standen",
        "Maalt van espresso tot cafetière, gelijkmatig en bijna zonder geluid.",
        "25 gram per keer",
        5900,
    ),
    Product(
        "proefdoos",
        "Proefdoos",
        "Vijf koffies · om te kiezen",
        "Vijf zakjes van onze branding van deze week, met een kaartje over wat je proeft.",
        "5 × 60 gram",
        1995,
    ),
)
SHIPPINGS = (
    Shipping("thuis", "Thuisbezorgd", "morgen, tussen 17.00 en 21.00 uur", 1295),
    Shipping("afhaalpunt", "Afhaalpunt in de buurt", "overmorgen, vanaf 12.00 uur", 1095),
    Shipping("fietskoerier", "Fietskoerier", "vandaag nog, in Deventer en Apeldoorn", 1650),
)
_PRODUCTS = {product.slug: product for product in PRODUCTS}
_SHIPPINGS = {shipping.slug: shipping for shipping in SHIPPINGS}
_LINE = re.compile(r"([a-z]{1,20})\.([1-9])")


def product_of(slug: str) -> Product | None:
    return _PRODUCTS.get(slug)


def shipping_of(slug: str) -> Shipping | None:
    return _SHIPPINGS.get(slug)


@dataclass(frozen=True, slots=True)
class Line:
    product: Product
    count: int

    @property
    def price_cents(self) -> int:
        return self.count * self.product.price_cents


@dataclass(frozen=True, slots=True)
class Order:
    """A basket under the shop's own reference of this checkout; says nothing of the customer."""

    ref: str
    lines: tuple[Line, ...] = ()
    shipping: Shipping | None = None

    @property
    def goods_cents(self) -> int:
        return sum(line.price_cents for line in self.lines)

    @property
    def total_cents(self) -> int:
        return self.goods_cents + (self.shipping.price_cents if self.shipping else 0)

    @property
    def count(self) -> int:
        return sum(line.count for line in self.lines)

    @property
    def query(self) -> str:
        """The order as the query of an address; `read_order` is its inverse, once there is one."""
        if not self.lines:
            return ""
        basket = "-".join(f"{line.product.slug}.{line.count}" for line in self.lines)
        told = {"bestelling": self.ref, "mand": basket}
        if self.shipping:
            told["verzending"] = self.shipping.slug
        return urlencode(told)

    @property
    def suffix(self) -> str:
        """What an address needs at its end to carry the order on."""
        return f"?{self.query}" if self.lines else ""

    def with_more(self, product: Product, count: int) -> Order:
        """`count` more of a product, or fewer where it is negative."""
        counts = {line.product: line.count for line in self.lines}
        counts[product] = min(counts.get(product, 0) + count, MOST_OF_ONE)
        return replace(self, lines=tuple(Line(p, n) for p, n in counts.items() if n > 0))

    def sent_by(self, shipping: Shipping) -> Order:
        return replace(self, shipping=shipping)


def read_order(query: Mapping[str, str]) -> Order:
    """The order that an address tells of; what nobody sells is left out."""
    ref = query.get("bestelling", "")
    order = Order(
        ref if REF.match(ref) else secrets.token_urlsafe(REF_BYTES),
        shipping=shipping_of(query.get("verzending", "")),
    )
    for part in query.get("mand", "").split("-"):
        said = _LINE.fullmatch(part)
        product = product_of(said[1]) if said else None
        if said and product:
            order = order.with_more(product, int(said[2]))
    return order


def euro(cents: int) -> str:
    """An amount as Dutch shops write it: € 1.234,50, never broken over two lines."""
    euros, rest = divmod(cents, 100)
    return f"€\u00a0{euros:,}".replace(",", ".") + f",{rest:02d}"
