// Builds what ships inside the Python package: the widget, the dashboard and the partial plotly bundle.
import { copyFile, mkdir, readFile } from "node:fs/promises";
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

const targets = [
  { ...shared, entryPoints: { widget: "widget/index.ts" }, outdir: notebook },
  { ...shared, entryPoints: { dashboard: "dashboard/index.tsx" }, outdir: web },
  {
    ...shared,
    entryPoints: { plotly: "plotly/index.js" },
    outdir: web,
    plugins: [plotlyParts],
    define: { global: "globalThis", "process.env.NODE_ENV": '"production"', "process.env.NODE_DEBUG": "false" },
    alias: { stream: "stream-browserify", regl: "@plotly/regl" },
  },
];

await Promise.all([mkdir(notebook, { recursive: true }), mkdir(web, { recursive: true })]);
if (argv.includes("--watch")) {
  for (const target of targets) await (await esbuild.context(target)).watch();
} else {
  await Promise.all(targets.map((target) => esbuild.build(target)));
  await copyFile(resolve(web, "plotly.js"), resolve(notebook, "plotly.js"));
}
