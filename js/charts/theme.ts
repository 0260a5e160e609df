/** Light or dark, as the page around says it, and told again when that changes. */

import type { Theme } from "./palette";

const WATCHED = ["class", "data-jp-theme-light", "data-theme", "data-vscode-theme-kind", "theme", "style"];

/** What the page itself says: JupyterLab, VS Code, Colab, or an attribute of its root; null where nothing. */
function declared(document: Document): Theme | null {
  const { body, documentElement: root } = document;
  const jupyter = body?.dataset.jpThemeLight;
  if (jupyter) return jupyter === "true" ? "light" : "dark";
  const kind = body?.dataset.vscodeThemeKind ?? body?.className ?? "";
  if (/vscode-(dark|high-contrast(?!-light))/.test(kind)) return "dark";
  if (/vscode-(high-contrast-)?light/.test(kind)) return "light";
  const said = root.getAttribute("data-theme") ?? root.getAttribute("theme") ?? body?.dataset.theme;
  if (said === "dark" || said === "light") return said;
  return root.classList.contains("dark") || body?.classList.contains("dark") ? "dark" : null;
}

/** Return the page's theme now: what it declares, else what the system prefers. */
export function currentTheme(document: Document = globalThis.document): Theme {
  const prefersDark = document.defaultView?.matchMedia?.("(prefers-color-scheme: dark)").matches ?? false;
  return declared(document) ?? (prefersDark ? "dark" : "light");
}

/** Call `changed` with the theme whenever it is another than before; returns what ends that. */
export function watchTheme(changed: (theme: Theme) => void, document: Document = globalThis.document): () => void {
  let theme = currentTheme(document);
  const look = () => {
    const now = currentTheme(document);
    if (now === theme) return;
    theme = now;
    changed(now);
  };
  const observer = new MutationObserver(look);
  const options = { attributes: true, attributeFilter: WATCHED };
  observer.observe(document.documentElement, options);
  if (document.body) observer.observe(document.body, options);
  const query = document.defaultView?.matchMedia?.("(prefers-color-scheme: dark)");
  query?.addEventListener("change", look);
  return () => {
    observer.disconnect();
    query?.removeEventListener("change", look);
  };
}
