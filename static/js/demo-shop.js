/* The page after an order of the demo shop tells the tag what was bought, as a shop's own script would. */
(() => {
  "use strict";
  window.affiliate ||= (...command) => (window.affiliate.queue ||= []).push(command);
  const order = document.getElementById("order");
  window.affiliate("conversion", JSON.parse(order.dataset.order));
})();
