/** A style sheet as text, for a script that brings its own; see `build.mjs`. */
declare module "*/media.css" {
  const css: string;
  export default css;
}
