/* The application form saves itself: after each change, and a file as soon as it is chosen. Without script there is a button. */
(() => {
  "use strict";

  const WAIT_MS = 1_200;
  const form = document.querySelector("form[data-saves]");
  if (!form) return;
  const line = form.querySelector("[data-saved]");
  let timer = 0;
  let isBusy = false;
  let isAgain = false;

  /* What was chosen is sent once; afterwards the draft has it. */
  const body = (withFile) => {
    const data = new FormData(form);
    for (const input of form.querySelectorAll("input[type=file]")) {
      if (input !== withFile) data.delete(input.name);
    }
    return data;
  };

  const show = (input, answer) => {
    if (!input) return;
    const problem = answer.problems?.[input.name];
    line.textContent = problem ?? `${answer.said} (${answer.files[input.name] ?? ""})`;
    if (!problem) input.value = "";
  };

  const save = async (withFile) => {
    if (isBusy) { isAgain = true; return; }
    isBusy = true;
    try {
      const response = await fetch(form.dataset.saves, { method: "POST", body: body(withFile), headers: { Accept: "application/json" } });
      const answer = await response.json();
      if (response.status === 409) location.assign(answer.url);
      else if (response.ok) {
        form.elements.draft.value = answer.draft;
        history.replaceState(null, "", answer.url);
        line.textContent = answer.said;
        show(withFile, answer);
      }
    } catch {
      line.textContent = document.body.dataset.failed; // the next change tries again; nothing that was typed is gone
    } finally {
      isBusy = false;
      if (isAgain) { isAgain = false; save(null); }
    }
  };

  form.addEventListener("change", (event) => {
    clearTimeout(timer);
    if (event.target.type === "file") save(event.target);
    else timer = setTimeout(() => save(null), WAIT_MS);
  });
  form.addEventListener("submit", () => clearTimeout(timer));

  /* One more row for the next place, once the last one has something in it. */
  form.addEventListener("input", (event) => {
    const rows = event.target.closest("[data-rows]");
    const last = rows?.lastElementChild;
    if (!last?.contains(event.target) || rows.children.length >= 8) return;
    const next = last.cloneNode(true);
    for (const input of next.querySelectorAll("input")) input.value = "";
    rows.append(next);
  });
})();
