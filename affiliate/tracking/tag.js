/*
 * The tag of a partner program. Put it on every page of the shop:
 *
 *   <script async src="https://track.shop.example/t/tag.js" data-program="your-program"></script>
 *
 * and report an order on the page that thanks for it, from a script of the shop, before or after the tag has loaded:
 *
 *   window.affiliate ||= (...command) => (window.affiliate.queue ||= []).push(command)
 *   affiliate('conversion', { order_id: '1001', amount: '49.90', currency: 'EUR', coupon: 'ANNA10' })
 *
 * What it keeps: one cookie of the shop's own domain, `aff_track`, with the id of the last partner click and, until the
 * tracker has answered, the arrival that it could not report yet; and in local storage, orders that could not be reported.
 * Safari and Brave delete what a script has stored after 7 days without a visit; other browsers keep it for `data-days`.
 * Orders that the shop's server reports have no such limit, and are believed further.
 *
 * Attributes, all but the first optional:
 *   data-program="your-program"   the program's short name
 *   data-param="aff_click"        the name under which the click id arrives, if the program has another one
 *   data-days="30"                how long the cookie lasts, at most 400
 *   data-domain="shop.example"    the domain of the cookie with all hosts below it; without it, this host alone
 *   data-consent="wait"           keep and send nothing before affiliate('consent', true); false deletes what is kept
 */
(() => {
  'use strict'

  const { src, dataset } = document.currentScript
  const server = new URL(src).origin
  const program = dataset.program
  const clickParameter = dataset.param || 'aff_click'
  const seconds = Math.min(Number(dataset.days) || 30, 400) * 86400

  const REF_NAMES = ['ref', 'via', 'aff', 'fpr', 'fp_ref', 'a_aid', 'sca_ref', 'rfsn', 'deal']
  const COOKIE = 'aff_track'
  const UNSENT = 'aff_unsent'
  const UNSENT_MAX = 20
  const URL_LENGTH_MAX = 500 // a cookie holds 4 KB

  // What is kept. The cookie is { click_id, arrival }: either may be missing.

  function attempt(action, otherwise) {
    try {
      return action() || otherwise
    } catch {
      return otherwise // somebody else's cookie, or storage is switched off
    }
  }

  function kept() {
    const found = document.cookie.split('; ').find((pair) => pair.startsWith(COOKIE + '='))
    return attempt(() => JSON.parse(decodeURIComponent(found.slice(COOKIE.length + 1))), {})
  }

  function keep(state, age = seconds) {
    const domain = dataset.domain ? `; Domain=${dataset.domain}` : ''
    const secure = location.protocol === 'https:' ? '; Secure' : ''
    document.cookie = `${COOKIE}=${encodeURIComponent(JSON.stringify(state))}; Path=/; Max-Age=${age}; SameSite=Lax${domain}${secure}`
  }

  function unsent() {
    return attempt(() => JSON.parse(localStorage.getItem(UNSENT)), [])
  }

  function keepUnsent(orders) {
    attempt(() => localStorage.setItem(UNSENT, JSON.stringify(orders.slice(-UNSENT_MAX))))
  }

  // What is sent. Plain text needs no preflight request; keepalive lets it finish after the visitor has left the page.

  async function send(path, body) {
    try {
      const answer = await fetch(server + path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'text/plain' },
        credentials: 'include',
        keepalive: true,
      })
      return { isLater: answer.status === 429 || answer.status >= 500, body: await answer.json().catch(() => ({})) }
    } catch {
      return { isLater: true, body: {} } // the network is away
    }
  }

  async function reportArrival() {
    const { arrival } = kept()
    if (!arrival) return
    const { isLater, body } = await send('/t/click', { program, ...arrival })
    const now = kept()
    if (isLater || now.arrival?.nonce !== arrival.nonce) return // the next page tries again; or a later arrival counts
    keep({ click_id: body.click_id || now.click_id }) // without an id it was no partner's code, and nothing has changed
  }

  async function reportOrder(order) {
    const { isLater } = await send('/t/conversion', order)
    if (isLater) keepUnsent([...unsent(), order])
  }

  // What happens when.

  function nonce() {
    const random = crypto.getRandomValues(new Uint8Array(16))
    return `${Date.now()}.${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
  }

  function arrive() {
    const here = new URL(location.href)
    const clickId = here.searchParams.get(clickParameter)
    if (clickId) return keep({ click_id: clickId })
    const ref = REF_NAMES.map((name) => here.searchParams.get(name)).find(Boolean)
    if (!ref) return
    const arrival = { ref, nonce: nonce(), url: here.href.slice(0, URL_LENGTH_MAX) }
    if (document.referrer) arrival.referrer = document.referrer.slice(0, URL_LENGTH_MAX)
    keep({ ...kept(), arrival })
  }

  let arrived = Promise.resolve()

  function begin() {
    arrive()
    arrived = reportArrival()
    const orders = unsent()
    if (orders.length) keepUnsent([])
    orders.forEach(reportOrder)
  }

  async function conversion(facts) {
    await arrived
    const { click_id: clickId } = kept()
    await reportOrder({ program, ...(clickId && { click_id: clickId }), ...facts })
  }

  let allowed = dataset.consent !== 'wait'
  const held = []

  function consent(given) {
    const before = allowed
    allowed = given
    if (!given) {
      keep({}, 0)
      keepUnsent([])
    } else if (!before) {
      begin()
      held.splice(0).forEach(conversion)
    }
  }

  const commands = {
    consent,
    conversion: (facts) => (allowed ? conversion(facts) : held.push(facts)),
  }

  const queue = window.affiliate?.queue || []
  window.affiliate = (name, value) => commands[name]?.(value)
  if (allowed) begin()
  queue.forEach((command) => window.affiliate(...command))
})()
