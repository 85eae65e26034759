"""Where a fragment goes in each shop system: the files, and the lines to put in them.

A system is named by what runs a shop, not by a preset of zones: WooCommerce has one way to add
lines to a page, whichever checkout stands on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.pages.words import N_
from collector.codes import Phase

GAP = "…"
"""Stands where only the shop knows the name: of its theme, mostly."""


@dataclass(frozen=True, slots=True)
class Step:
    """A file to make or change, and what to put there."""

    file: str
    lines: str


@dataclass(frozen=True, slots=True)
class System:
    """note: a message: what has to be done besides, after the last file."""

    name: str
    steps: tuple[Step, ...]
    note: str


_WOOCOMMERCE: Mapping[Phase, str] = {
    Phase.BROWSE: "is_shop() || is_product_category()",
    Phase.PRODUCT: "is_product()",
    Phase.CART: "is_cart()",
    Phase.CHECKOUT: "is_checkout() && ! is_order_received_page()",
    Phase.PAYMENT: "is_checkout_pay_page()",
    Phase.DONE: "is_order_received_page()",
}
_MAGENTO: Mapping[Phase, str] = {
    Phase.BROWSE: "catalog_category_view",
    Phase.PRODUCT: "catalog_product_view",
    Phase.CART: "checkout_cart_index",
    Phase.CHECKOUT: "checkout_index_index",
    Phase.PAYMENT: "checkout_index_index",
    Phase.DONE: "checkout_onepage_success",
}
_PRESTASHOP: Mapping[Phase, str] = {
    Phase.BROWSE: "catalog/listing/category.tpl",
    Phase.PRODUCT: "catalog/product.tpl",
    Phase.CART: "checkout/cart.tpl",
    Phase.CHECKOUT: "checkout/checkout.tpl",
    Phase.PAYMENT: "checkout/checkout.tpl",
    Phase.DONE: "checkout/order-confirmation.tpl",
}
_SHOPWARE: Mapping[Phase, str] = {
    Phase.BROWSE: "content/index.html.twig",
    Phase.PRODUCT: "content/product-detail.html.twig",
    Phase.CART: "checkout/cart/index.html.twig",
    Phase.CHECKOUT: "checkout/confirm/index.html.twig",
    Phase.PAYMENT: "checkout/confirm/index.html.twig",
    Phase.DONE: "checkout/finish/index.html.twig",
}
REGISTER = "checkout/address/index.html.twig"
"""Shopware asks for the address on a page of its own, before the confirmation."""


def systems(slug: str, phase: Phase, fragment: str) -> tuple[System, ...]:
    """How to add the fragment of this page, for each system."""
    fragment = fragment.strip()
    return (
        _plain(fragment),
        _woocommerce(phase, fragment),
        _magento(slug, phase, fragment),
        _prestashop(phase, fragment),
        _shopware(slug, phase, fragment),
    )


def _plain(fragment: str) -> System:
    note = N_(
        "Paste it just before &lt;/body&gt; of this page alone; each page has its own fragment."
    )
    return System("HTML", (Step("</body>", fragment),), note)


def _woocommerce(phase: Phase, fragment: str) -> System:
    lines = (
        "add_action( 'wp_footer', function () {\n"
        f"    if ( {_WOOCOMMERCE[phase]} ) {{\n"
        "        ?>\n"
        f"{fragment}\n"
        "        <?php\n"
        "    }\n"
        "}, 99 );"
    )
    note = N_(
        "Into functions.php of a child theme, or into a plugin for snippets of code. Leave this "
        "stylesheet out of what an optimiser plugin combines or delays."
    )
    return System("WooCommerce", (Step(f"wp-content/themes/{GAP}/functions.php", lines),), note)


def _magento(slug: str, phase: Phase, fragment: str) -> System:
    theme = f"app/design/frontend/{GAP}/{GAP}/Magento_Theme"
    schema = "urn:magento:framework:View/Layout/etc/page_configuration.xsd"
    layout = (
        '<?xml version="1.0"?>\n'
        '<page xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\n'
        f'      xsi:noNamespaceSchemaLocation="{schema}">\n'
        "  <body>\n"
        '    <referenceContainer name="before.body.end">\n'
        f'      <block class="Magento\\Framework\\View\\Element\\Template" name="gloed.{slug}"\n'
        f'             template="Magento_Theme::gloed-{slug}.phtml"/>\n'
        "    </referenceContainer>\n"
        "  </body>\n"
        "</page>"
    )
    steps = (
        Step(f"{theme}/layout/{_MAGENTO[phase]}.xml", layout),
        Step(f"{theme}/templates/gloed-{slug}.phtml", fragment),
    )
    note = N_(
        "Then bin/magento cache:flush. Magento’s checkout restricts where styles come from: a "
        "collector on another host belongs into csp_whitelist.xml, under style-src and img-src."
    )
    return System("Magento 2", steps, note)


def _prestashop(phase: Phase, fragment: str) -> System:
    template = _PRESTASHOP[phase]
    lines = (
        f"{{extends file='parent:{template}'}}\n"
        "{block name='hook_before_body_closing_tag' append}\n"
        "{literal}\n"
        f"{fragment}\n"
        "{/literal}\n"
        "{/block}"
    )
    note = N_(
        "In a child theme. Then empty the cache, under Advanced parameters, Performance; a module "
        "that combines stylesheets has to leave this one out."
    )
    return System("PrestaShop", (Step(f"themes/{GAP}/templates/{template}", lines),), note)


def _shopware(slug: str, phase: Phase, fragment: str) -> System:
    template = REGISTER if slug == "register" else _SHOPWARE[phase]
    file = f"storefront/page/{template}"
    lines = (
        f"{{% sw_extends '@Storefront/{file}' %}}\n"
        "{% block base_body_script %}\n"
        "{{ parent() }}\n"
        "{% verbatim %}\n"
        f"{fragment}\n"
        "{% endverbatim %}\n"
        "{% endblock %}"
    )
    note = N_("In a theme or plugin of your own. Then bin/console theme:compile and cache:clear.")
    steps = (Step(f"{GAP}/src/Resources/views/{file}", lines),)
    return System("Shopware 6", steps, note)
