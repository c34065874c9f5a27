/* Ticks of a long list stay while one pages through it and filters it, until they are used: kept in this tab only. Without script a page stands for itself. */
(() => {
  "use strict";

  const form = document.querySelector("form[data-keeps]");
  if (!form) return;
  const name = form.dataset.keeps;
  const place = `ticks:${location.pathname}`;
  const boxes = [...document.querySelectorAll(`input[type=checkbox][name="${name}"]`)];
  const told = document.querySelector("[data-ticked]");
  const ticked = new Set(JSON.parse(sessionStorage.getItem(place) ?? "[]"));

  const show = () => {
    form.querySelectorAll("input[data-elsewhere]").forEach((one) => one.remove());
    const here = new Set(boxes.map((box) => box.value));
    for (const value of ticked) {
      if (here.has(value)) continue;
      const carried = document.createElement("input");
      Object.assign(carried, { type: "hidden", name, value });
      carried.dataset.elsewhere = "1";
      form.append(carried);
    }
    if (told) told.textContent = ticked.size ? told.dataset.ticked.replace("0", ticked.size) : "";
    const forget = document.querySelector("[data-forget-ticks]");
    if (forget) forget.hidden = !ticked.size;
  };

  const keep = () => {
    for (const box of boxes) {
      if (box.checked) ticked.add(box.value);
      else ticked.delete(box.value);
    }
    sessionStorage.setItem(place, JSON.stringify([...ticked]));
    show();
  };

  document.addEventListener("change", () => keep());
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-forget-ticks]")) return;
    for (const box of boxes) box.checked = false;
    ticked.clear();
    keep();
  });
  form.addEventListener("submit", () => sessionStorage.removeItem(place));
  for (const one of [...form.querySelectorAll("input[data-elsewhere]"), ...boxes.filter((box) => box.defaultChecked)]) ticked.add(one.value); // the act was refused
  for (const box of boxes) box.checked = ticked.has(box.value);
  show();
})();
