// Runs before the first paint, so that a dark page never flashes white. An own file, because the
// server's policy allows no inline script.
(() => {
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("podium-colour-scheme") ?? "auto";
  } catch {
    // Storage may be switched off; the system's wish then decides.
  }
  const dark =
    chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
})();
