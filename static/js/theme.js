/* The theme, before the first paint: what the reader chose on this device, else what the system says. Pages work without this file. */
(() => {
  "use strict";

  const root = document.documentElement;
  const systemDark = matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    try {
      return localStorage.getItem("theme") ?? "system";
    } catch {
      return "system"; // storage may be forbidden
    }
  };

  const apply = () => {
    const theme = chosen();
    root.dataset.bsTheme = theme === "light" || theme === "dark" ? theme : systemDark.matches ? "dark" : "light";
    root.dispatchEvent(new CustomEvent("themechange"));
  };

  const choose = (theme) => {
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // the choice then lasts as long as the system's
    }
    apply();
  };

  root.classList.add("js");
  apply();
  systemDark.addEventListener("change", apply);
  window.pageTheme = { chosen, choose };
})();
