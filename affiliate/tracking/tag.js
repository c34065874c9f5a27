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
 * What it keeps: one cookie of the shop's own domain, `aff_track`, which is the id of the last partner click (the shop's
 * server sends it along with its orders); and in local storage, what it could not report yet.
 * Safari and Brave delete what a script has stored after 7 days without a visit; other browsers keep it for `data-days`.
 * Orders that the shop's server reports from its own records have no such limit, and are believed further.
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
  const ARRIVAL = 'aff_arrival' // where in local storage: an arrival by ?ref= that has no click id yet
  const UNSENT = 'aff_unsent' // the same for orders
  const UNSENT_MAX = 20
  const URL_LENGTH_MAX = 2000
  const CLICK_ID_LENGTH_MAX = 100

  // What is kept.

  function clickId() {
    const found = document.cookie.split('; ').find((pair) => pair.startsWith(COOKIE + '='))
    return found?.slice(COOKIE.length + 1)
  }

  function keepClickId(text, age = seconds) {
    const domain = dataset.domain ? `; Domain=${dataset.domain}` : ''
    const secure = location.protocol === 'https:' ? '; Secure' : ''
    document.cookie = `${COOKIE}=${encodeURIComponent(text)}; Path=/; Max-Age=${age}; SameSite=Lax${domain}${secure}`
  }

  const memory = {} // where storage is switched off, this page is the only chance

  function stored(name) {
    try {
      return JSON.parse(localStorage.getItem(name))
    } catch {
      return memory[name]
    }
  }

  function store(name, value) {
    memory[name] = value
    try {
      if (value) localStorage.setItem(name, JSON.stringify(value))
      else localStorage.removeItem(name)
    } catch {
      // The memory above has it.
    }
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
    const arrival = stored(ARRIVAL)
    if (!arrival) return
    const { isLater, body } = await send('/t/click', { program, ...arrival })
    if (isLater || stored(ARRIVAL)?.nonce !== arrival.nonce) return // the next page tries again; a later arrival counts
    store(ARRIVAL, null)
    if (body.click_id) keepClickId(body.click_id) // none: it was no partner's code, and nothing has changed
  }

  async function reportOrder(order) {
    const { isLater } = await send('/t/conversion', order)
    if (isLater) store(UNSENT, [...(stored(UNSENT) || []), order].slice(-UNSENT_MAX))
  }

  // What happens when.

  function nonce() {
    const random = crypto.getRandomValues(new Uint8Array(16))
    return `${Date.now()}.${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
  }

  function arrive() {
    const here = new URL(location.href)
    const given = here.searchParams.get(clickParameter)
    const ref = REF_NAMES.map((name) => here.searchParams.get(name)).find(Boolean)
    if (given) {
      keepClickId(given.slice(0, CLICK_ID_LENGTH_MAX))
      store(ARRIVAL, null)
    } else if (ref) {
      const referrer = document.referrer.slice(0, URL_LENGTH_MAX) || null
      store(ARRIVAL, { ref, nonce: nonce(), url: here.href.slice(0, URL_LENGTH_MAX), referrer })
    }
  }

  let arrived = Promise.resolve()

  function begin() {
    arrive()
    arrived = reportArrival()
    const orders = stored(UNSENT) || []
    store(UNSENT, null)
    orders.forEach(reportOrder)
  }

  async function conversion(facts) {
    await arrived
    await reportOrder({ program, click_id: clickId(), ...facts })
  }

  let allowed = dataset.consent !== 'wait'
  const held = []

  function consent(given) {
    const before = allowed
    allowed = given
    if (!given) {
      keepClickId('', 0)
      store(ARRIVAL, null)
      store(UNSENT, null)
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
