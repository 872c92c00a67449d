/* The served tree has a folder /vendor that the source tree lacks: here is what lies in it. */
declare module "*/vendor/preact.mjs" {
  export * from "preact";
}
declare module "*/vendor/preact-hooks.mjs" {
  export * from "preact/hooks";
}
declare module "*/vendor/htm.mjs" {
  export { default } from "htm";
}
declare module "*/vendor/uplot.mjs" {
  export { default } from "uplot";
}
declare module "*/vendor/i18next.mjs" {
  export { default } from "i18next";
}
