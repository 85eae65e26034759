"""Saved pages as shops have them, one Dutch and one English."""

DUTCH = """<!doctype html><html lang="nl"><body class="woocommerce-checkout">
<header><button class="menu">Hallo Jan</button><a href="/winkelwagen">Winkelwagen (2)</a></header>
<form id="afrekenen" action="/bestel">
  <label for="email">E-mailadres *</label><input id="email" name="email" type="email"
    value="jan@example.nl">
  <label>Postcode <input name="billing[postcode]" value="1234 AB"></label>
  <select name="land" aria-label="Land">
    <option>Nederland</option><option selected>België</option></select>
  <input type="password" name="wachtwoord"><input type="hidden" name="nonce" value="abc">
  <label><input type="radio" name="verzending" value="thuis"> Kerkstraat 12, Utrecht</label>
  <label><input type="radio" name="verzending" value="werk"> Damrak 1, Amsterdam</label>
  <label><input type="checkbox" id="voorwaarden"> Ik ga akkoord</label>
  <div class="kortingscode-regel"><textarea name="opmerking">Bel twee keer</textarea></div>
  <table><tr class="verzendkosten"><td class="prijs">€ 4,95</td></tr>
         <tr class="order-totaal"><td class="prijs">€ 59,90</td></tr></table>
  <div id="ideal-frame"><iframe src="https://js.mollie.com/x?email=jan@example.nl"></iframe></div>
  <button type="button" class="terug">Terug</button>
  <input type="submit" name="plaats" value="Bestelling plaatsen">
</form></body></html>"""

ENGLISH = """<!doctype html><html lang="en"><body>
<form><input id="react-aria-1234567" name="checkout[email]" autocomplete="email">
<p>Shipping cost <span class="shipping-cost">$5</span></p>
<div class="card-element">
  <iframe title="Secure card payment" name="__privateStripeFrame123"></iframe></div>
<div class="cta"><a role="button" class="btn">Pay $54.90</a></div>
<div class="cta"><button class="btn">Save for later</button></div></form>
<span class="price">1</span><span class="price">2</span>
<a href="/checkout">Go to checkout</a></body></html>"""
