// @vitest-environment jsdom
import { afterEach, expect, test, vi } from "vitest";
import { currentTheme, watchTheme } from "./theme";

afterEach(() => {
  document.body.removeAttribute("data-jp-theme-light");
  document.documentElement.removeAttribute("theme");
  document.body.className = "";
});

test.each<[string, () => void, string]>([
  ["JupyterLab, light", () => document.body.setAttribute("data-jp-theme-light", "true"), "light"],
  ["JupyterLab, dark", () => document.body.setAttribute("data-jp-theme-light", "false"), "dark"],
  ["VS Code, dark", () => document.body.classList.add("vscode-dark"), "dark"],
  ["VS Code, light with high contrast", () => document.body.classList.add("vscode-high-contrast-light"), "light"],
  ["VS Code, high contrast", () => document.body.classList.add("vscode-high-contrast"), "dark"],
  ["Colab, dark", () => document.documentElement.setAttribute("theme", "dark"), "dark"],
  ["a page that says nothing", () => undefined, "light"],
])("%s", (_, declare, theme) => {
  declare();
  expect(currentTheme()).toBe(theme);
});

test("a change of theme is told once", async () => {
  const heard: string[] = [];
  const stop = watchTheme((theme) => heard.push(theme));
  document.body.setAttribute("data-jp-theme-light", "false");
  await vi.waitFor(() => expect(heard).toEqual(["dark"]));
  stop();
  document.body.setAttribute("data-jp-theme-light", "true");
  await Promise.resolve();
  expect(heard).toEqual(["dark"]);
});
