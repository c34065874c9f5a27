/* Comfort on top of pages that work without it. One listener per kind of event, on the document, so that swapped-in parts need no setup. */
(() => {
  "use strict";

  const TOAST_MS = 10_000;
  const COPIED_MS = 2_000;
  const words = document.body.dataset;

  /* Copy: data-copy names the element whose value or text is copied. */
  const copy = async (button) => {
    const source = document.querySelector(button.dataset.copy);
    if (!source) return;
    const text = source.value ?? source.textContent.trim();
    const label = button.querySelector("span") ?? button;
    const before = label.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      source.focus?.();
      source.select?.(); // no clipboard here (plain http): the text is at least selected
      return;
    }
    label.textContent = words.copied;
    announce(words.copied);
    setTimeout(() => { label.textContent = before; }, COPIED_MS);
  };

  /* Say it to screen readers without a visible toast. */
  const announce = (text) => {
    const line = document.createElement("p");
    line.className = "visually-hidden";
    line.textContent = text;
    document.getElementById("toasts")?.append(line);
    setTimeout(() => line.remove(), COPIED_MS);
  };

  /* A box that ticks and unticks all boxes of the name it gives. */
  document.addEventListener("change", (event) => {
    const name = event.target.dataset?.checkAll;
    if (!name) return;
    for (const box of document.querySelectorAll(`input[type=checkbox][name="${name}"]`)) box.checked = event.target.checked;
  });

  /* Toasts leave after ten seconds, but not while someone points at them or is inside. */
  const leaveLater = (toast) => setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) leaveLater(toast);
    else toast.remove();
  }, TOAST_MS);

  /* Theme buttons show what is chosen. */
  const paintTheme = () => {
    for (const button of document.querySelectorAll("[data-choose-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.chooseTheme === window.pageTheme.chosen()));
    }
  };

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-copy], [data-dismiss], [data-dialog], [data-close], [data-choose-theme], [data-print]");
    if (!target) return;
    if (target.dataset.copy) copy(target);
    else if ("dialog" in target.dataset) {
      const dialog = document.getElementById(target.dataset.dialog);
      if (!dialog?.showModal) return;
      event.preventDefault(); // modal instead of the popover that serves without script
      dialog.showModal();
    } else if ("close" in target.dataset) {
      const dialog = target.closest("dialog");
      if (dialog?.open && dialog.matches(":modal")) {
        event.preventDefault();
        dialog.close();
      }
    } else if ("dismiss" in target.dataset) target.closest(".toast-x")?.remove();
    else if ("print" in target.dataset) window.print();
    else if (target.dataset.chooseTheme) {
      window.pageTheme.choose(target.dataset.chooseTheme);
      paintTheme();
    }
  });

  /* A form that posts goes once: the second press while the first is on its way is swallowed. data-again leaves a form out (downloads). */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const opensBeside = event.submitter?.formTarget === "_blank"; // the form stays as it is, to go on with
    if (form.method !== "post" || "again" in form.dataset || opensBeside) return;
    if (form.dataset.busy) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    setTimeout(() => { // after the other listeners, and after the browser has read the button's own name and value
      if (event.defaultPrevented && !form.hasAttribute("hx-post")) return;
      form.dataset.busy = "1";
      event.submitter?.setAttribute("aria-disabled", "true");
    });
  }, true);

  const free = (form) => {
    delete form.dataset.busy;
    for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
  };
  const freeAll = () => document.querySelectorAll("form[data-busy]").forEach(free);
  addEventListener("pageshow", freeAll); // the page came back from the history
  document.addEventListener("htmx:finally:request", freeAll);

  /* A part that could not be fetched says so in the page, and stays. */
  const sayFailed = () => {
    const place = document.querySelector("#main .wrap") ?? document.getElementById("main");
    if (document.getElementById("failed")) return;
    const note = document.createElement("p");
    note.id = "failed";
    note.className = "note note-bad mb-4";
    note.setAttribute("role", "alert");
    note.textContent = words.failed;
    place.prepend(note);
    note.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("htmx:response:error", (event) => {
    if (event.detail?.ctx?.response?.status !== 422) sayFailed();
  });
  document.addEventListener("htmx:error", sayFailed);

  /* Menus made of <details> close on Escape and when the reader goes elsewhere. */
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open], details.acct[open]")) {
      if (!menu.contains(except)) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target));
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.acct[open]")) event.target.lastElementChild.scrollIntoView({ block: "nearest" });
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.menu[open], details.acct[open]");
    closeMenus(null);
    menu?.querySelector("summary")?.focus();
  });

  /* Tables below charts print, too. */
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details.data:not([open])")) {
      details.open = true;
      details.dataset.printed = "1";
    }
  });
  addEventListener("afterprint", () => {
    for (const details of document.querySelectorAll("details[data-printed]")) {
      details.open = false;
      delete details.dataset.printed;
    }
  });

  /* A page that shows a job at work renews itself, unless its reader is at something. */
  const job = document.querySelector("[data-renews]");
  if (job) {
    const renew = () => {
      const busy = document.hidden || document.querySelector("dialog[open]") || document.activeElement?.matches("input, select, textarea");
      if (!busy) location.reload();
    };
    setInterval(renew, Number(job.dataset.renews) * 1000);
  }

  const settle = (part) => {
    part.querySelectorAll?.("dialog[data-reopens]").forEach((dialog) => { // open without script, modal with it
      dialog.close();
      dialog.showModal();
    });
    part.querySelector?.("[aria-invalid=true]")?.focus();
    part.querySelectorAll?.(".toast-x").forEach(leaveLater);
    paintTheme();
  };
  document.addEventListener("htmx:after:swap", (event) => settle(event.detail?.ctx?.target ?? event.target));
  settle(document);
})();
