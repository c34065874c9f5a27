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
 * How far visitors of partners come (a step is product, cart or checkout):
 *
 *   affiliate('event', 'cart')
 *   <main data-aff-page="product">     where the page is the step
 *   <button data-aff-press="cart">     where pressing it is
 *
 * What it keeps: two cookies of the shop's own domain, `aff_track`, the id of the last partner click (the shop's server
 * sends it along with its orders), and `aff_ref`, the partner's code if the visitor brought one; and in local storage,
 * what it could not report yet, and the steps. Safari and Brave delete what a script has stored after 7 days without a visit;
 * other browsers keep it for `data-days`. Orders that the shop's server reports have no such limit.
 *
 * Attributes, all optional but the first:
 *   data-program="your-program"   the program's short name
 *   data-param="aff_click"        the name under which the click id arrives, if the program has another one
 *   data-days="30"                how long cookies last, at most 400
 *   data-domain="shop.example"    the domain of the cookies with all hosts below it; without it, this host alone
 *   data-consent="wait"           keep and send nothing before affiliate('consent', true); false deletes what is kept
 *   data-consent="tcf"            ask the page's consent manager (TCF); so it does anyway where one is there already
 *   data-paid="tduid zanpid"      parameters by which other paid channels are known, beside the usual ones
 *   data-sites="yes"              report visitors from other sites, so that partners' confirmed sites count
 */
(() => {
  'use strict'

  const { src, dataset } = document.currentScript
  const server = new URL(src).origin
  const program = dataset.program
  const clickParameter = dataset.param || 'aff_click'
  const seconds = Math.min(Number(dataset.days) || 30, 400) * 86400

  const REF_NAMES = ['ref', 'via', 'aff', 'fpr', 'fp_ref', 'a_aid', 'sca_ref', 'rfsn', 'deal']
  const AD_IDS = 'gclid gbraid wbraid dclid msclkid ttclid sccid twclid li_fat_id awc irclickid cjevent'
  const PAID = new RegExp(`[?&](${`${AD_IDS} utm_\\w+ ${dataset.paid || ''}`.trim().replace(/ +/g, '|')})=`, 'i')
  const CLICK = 'aff_track'
  const PARTNER = 'aff_ref'
  const ARRIVAL = 'aff_arrival' // where in local storage: an arrival that has no answer yet
  const UNSENT = 'aff_unsent' // the same for orders
  const UNSENT_MAX = 20
  const STEPS = 'aff_steps' // of this click: true when told
  const URL_LENGTH_MAX = 2000
  const ID_LENGTH_MAX = 100

  // What is kept.

  function cookie(name) {
    const found = document.cookie.split('; ').find((pair) => pair.startsWith(name + '='))
    return found?.slice(name.length + 1)
  }

  function keep(name, text, age = text ? seconds : 0) {
    const domain = dataset.domain ? `; Domain=${dataset.domain}` : ''
    const secure = location.protocol === 'https:' ? '; Secure' : ''
    document.cookie = `${name}=${encodeURIComponent(text)}; Path=/; Max-Age=${age}; SameSite=Lax${domain}${secure}`
  }

  function keepClick(id, partner) {
    keep(CLICK, id.slice(0, ID_LENGTH_MAX))
    keep(PARTNER, (partner || '').slice(0, ID_LENGTH_MAX))
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
    if (isLater || stored(ARRIVAL)?.nonce !== arrival.nonce) return // tried again later; a newer arrival counts
    store(ARRIVAL, null)
    if (body.click_id) keepClick(body.click_id, arrival.ref) // none: it was no partner's, and nothing has changed
  }

  // Kept until it is answered: who leaves the page sends it from the next one. Sent twice, it counts once.

  async function reportOrder(order) {
    const text = JSON.stringify(order)
    const others = () => (stored(UNSENT) || []).filter((one) => JSON.stringify(one) !== text)
    store(UNSENT, [...others(), order].slice(-UNSENT_MAX))
    const { isLater } = await send('/t/conversion', order)
    if (!isLater) store(UNSENT, others()[0] && others())
  }

  async function event(facts) {
    await arrived
    const click = cookie(CLICK)
    const body = { program, click_id: click, consent: told, ...(facts.step ? facts : { step: facts }) }
    const name = `${click} ${body.step}`
    if (!click || (stored(STEPS)?.[name] === true && !body.test)) return // no partner's, or known
    const remember = (what) => {
      const steps = Object.entries(stored(STEPS) || {}).filter(([key]) => key !== name && key.startsWith(click))
      store(STEPS, Object.fromEntries([...steps, [name, what]]))
    }
    remember(body)
    const { isLater, body: answer } = await send('/t/event', body)
    if (!isLater) remember(answer.status === 'accepted')
  }

  function nonce() {
    const random = crypto.getRandomValues(new Uint8Array(16))
    return `${Date.now()}.${Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
  }

  // What happens when.

  let seen // the address that was looked at last: a page of its own, or one that a script put into the history

  function arrive() {
    const here = new URL(location.href)
    const isFirst = seen === undefined
    if (seen === here.search) return
    seen = here.search
    const given = here.searchParams.get(clickParameter)
    const ref = REF_NAMES.map((name) => here.searchParams.get(name)).find(Boolean)
    const cameFrom = isFirst ? document.referrer : ''
    const isFromSite = dataset.sites && cameFrom && new URL(cameFrom).host !== here.host
    if (given) {
      keepClick(given)
      store(ARRIVAL, null)
    } else if (ref || PAID.test(here.search) || isFromSite) {
      const referrer = cameFrom.slice(0, URL_LENGTH_MAX) || null
      const url = here.href.slice(0, URL_LENGTH_MAX)
      store(ARRIVAL, { ref, nonce: nonce(), url, referrer, click_id: ref ? undefined : cookie(CLICK), consent: told })
    }
  }

  let arrived = Promise.resolve()

  function begin() {
    if (!allowed) return
    arrive()
    arrived = reportArrival()
    stored(UNSENT)?.forEach(reportOrder)
    Object.values(stored(STEPS) || {}).forEach((step) => step.step && event(step))
  }

  async function conversion(facts) {
    await arrived
    await reportOrder({ program, click_id: cookie(CLICK), ...facts })
  }

  // Consent. Without an attribute, silence means yes, unless the browser asks not to be followed or a manager of consent is there.

  const tcf = window.__tcfapi && !dataset.consent ? 'tcf' : dataset.consent
  let told // what the visitor said, if anything
  let allowed = !tcf && !navigator.globalPrivacyControl
  const held = []

  function consent(given) {
    told = allowed = given
    if (!given) {
      keepClick('')
      store(ARRIVAL, null)
      store(UNSENT, null)
      store(STEPS, null)
      seen = undefined // a consent that comes after all finds the arrival still in the address
      return
    }
    begin()
    held.splice(0).forEach(([tell, facts]) => tell(facts))
  }

  function listen() {
    window.__tcfapi?.('addEventListener', 2, (data, isGood) => {
      if (isGood && data.gdprApplies === false) consent(true)
      else if (isGood && /tcloaded|useractioncomplete/.test(data.eventStatus)) consent(!!data.purpose.consents[1])
    })
  }

  const agreed = (tell) => (facts) => (allowed ? tell(facts) : held.push([tell, facts]))
  const commands = { consent, conversion: agreed(conversion), event: agreed(event) }

  // Steps that the page itself tells.

  function look() {
    document.querySelectorAll('[data-aff-page]').forEach((one) => commands.event(one.dataset.affPage))
  }

  addEventListener('click', ({ target }) => {
    const pressed = target.closest?.('[data-aff-press]')
    if (pressed) commands.event(pressed.dataset.affPress)
  }, true)

  // Pages that a script changes, pages that come back from the cache, and networks that come back.

  function moved() {
    if (location.search !== seen) begin()
  }

  for (const name of ['pushState', 'replaceState']) {
    const original = history[name]
    history[name] = function (...given) {
      original.apply(this, given)
      moved()
    }
  }
  addEventListener('popstate', moved)
  addEventListener('online', begin)
  addEventListener('pageshow', (event) => event.persisted && begin())

  const queue = window.affiliate?.queue || []
  window.affiliate = (name, value) => commands[name]?.(value)
  begin()
  if (tcf === 'tcf') window.__tcfapi ? listen() : addEventListener('load', listen)
  queue.forEach((command) => window.affiliate(...command))
  document.readyState === 'loading' ? addEventListener('DOMContentLoaded', look) : look()
})()
