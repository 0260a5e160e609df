// Builds what ships inside the Python package: the widget, the file of a run, the dashboard,
// what draws media, and the partial plotly bundle.
//
// plotly.js is built once, into the server's static folder: the server serves it from there, and the
// kernel reads the same file where it has to send it to a page that reaches no server.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const notebook = resolve(here, "../src/anonrun/notebook/static");
const web = resolve(here, "../src/anonrun/server/web/static");

const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  platform: "browser",
  target: "es2022",
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "info",
};

// plotly.js reads shaders as text and injects its style sheets, which a strict content policy would refuse.
const plotlyParts = {
  name: "plotly-parts",
  setup(build) {
    build.onLoad({ filter: /\.glsl$/ }, async ({ path }) => ({
      contents: await readFile(path, "utf8"),
      loader: "text",
    }));
    build.onLoad({ filter: /\.css$/ }, () => ({ contents: "", loader: "js" }));
  },
};

// plotly.js writes some styles as attributes, which a strict content policy refuses: pixels of a heat map would be smoothed,
// and bold letters plain. Set as properties they are allowed.
const STYLED =
  /plotly\.js[\\/]src[\\/](lib[\\/]svg_text_utils|traces[\\/](image|heatmap)[\\/]plot|components[\\/]colorbar[\\/]draw)\.js$/;
const STYLES = [
  [/\.attr\('style', ([\w']+)\)/g, ".each(function () { this.style.cssText = $1; })"],
  [/if\(nodeSpec\.style\) nodeAttrs\.style = nodeSpec\.style;/, ""],
  [
    /d3\.select\(newNode\)\.attr\(nodeAttrs\);(?=\s+currentNode = nodeSpec\.node)/,
    "$&\nif(nodeSpec.style) newNode.style.cssText = nodeSpec.style;",
  ],
];
const plotlyStyles = {
  name: "plotly-styles",
  setup(build) {
    build.onLoad({ filter: STYLED }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const contents = STYLES.reduce((text, [from, to]) => text.replace(from, to), source);
      if (contents === source) throw new Error(`plotly.js sets its styles in another way now; see build.mjs: ${path}`);
      return { contents, loader: "js" };
    });
  },
};

// The rules that plotly.js writes into a page, as a file; see plotly/style.js.
async function writePlotlyStyle() {
  const source = await readFile(resolve(here, "node_modules/plotly.js/build/plotcss.js"), "utf8");
  const rules = [...source.matchAll(/^ {4}"?([^\n]+?)"?: ("(?:[^"\\]|\\.)*"),?$/gm)];
  if (rules.length < 20) throw new Error("plotly.js keeps its style rules in another form now; see writePlotlyStyle.");
  const css = rules
    .filter(([, selector]) => !selector.includes("cloud-dialog"))
    .map(
      ([, selector, body]) =>
        `${selector.replaceAll("X", ".js-plotly-plot .plotly").replaceAll("Y", ".plotly-notifier")}{${JSON.parse(body)}}`,
    );
  await writeFile(resolve(web, "plotly.css"), `${css.join("\n")}\n`);
}

// A run's file but for the run: script, style, and a policy that allows these two alone. Whoever saves a run fills it in.
const filePage = {
  name: "file-page",
  setup(build) {
    build.onEnd(async ({ outputFiles }) => {
      if (!outputFiles?.length) return;
      const text = (end) => outputFiles.find(({ path }) => path.endsWith(end)).text;
      const [script, style] = [text(".js"), text(".css")];
      if (/<\/script|\{\{(title|still|held)\}\}/i.test(script) || /<\/style|\{\{/i.test(style)) {
        throw new Error("A part of the file would end its own element, or be taken for a place to fill in.");
      }
      const digest = (part) => `'sha256-${createHash("sha256").update(part).digest("base64")}'`;
      const page = await readFile(resolve(here, "file/page.template"), "utf8");
      const parts = { script, style, "script-digest": digest(script), "style-digest": digest(style) };
      await writeFile(
        resolve(web, "file.txt"),
        page.replace(/\{\{(script|style|script-digest|style-digest)\}\}/g, (_, part) => parts[part]),
      );
    });
  },
};

const targets = [
  { ...shared, entryPoints: { widget: "widget/index.ts" }, outdir: notebook },
  { ...shared, entryPoints: { file: "file/index.tsx" }, outdir: web, write: false, plugins: [filePage] },
  { ...shared, entryPoints: { dashboard: "dashboard/index.tsx" }, outdir: web },
  // By itself, and fetched for a run that has media: pages of other runs do not carry it.
  { ...shared, entryPoints: { media: "media/index.tsx" }, outdir: web },
  // The same for notebooks, with its own styles; the kernel sends it to a page that may reach no server.
  { ...shared, entryPoints: { media: "media/kernel.tsx" }, outdir: notebook, loader: { ".css": "text" } },
  {
    ...shared,
    entryPoints: { plotly: "plotly/index.js" },
    outdir: web,
    plugins: [plotlyParts, plotlyStyles],
    define: { global: "globalThis", "process.env.NODE_ENV": '"production"', "process.env.NODE_DEBUG": "false" },
    alias: { stream: "stream-browserify", regl: "@plotly/regl" },
  },
].filter(({ entryPoints }) => existsSync(resolve(here, Object.values(entryPoints)[0])));

await Promise.all([mkdir(notebook, { recursive: true }), mkdir(web, { recursive: true })]);
if (argv.includes("--watch")) {
  for (const target of targets) await (await esbuild.context(target)).watch();
} else {
  await Promise.all([writePlotlyStyle(), ...targets.map((target) => esbuild.build(target))]);
}
