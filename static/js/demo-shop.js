/* The page after an order of the demo shop tells the tag what was bought, as a shop's own script would. */
(() => {
  "use strict";
  const order = document.getElementById("order");
  if (order && window.affiliate) window.affiliate("conversion", { ...order.dataset });
})();
