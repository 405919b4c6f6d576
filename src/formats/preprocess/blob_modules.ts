/**
 * Module texts as Blobs that import each other: what a Worker can be started from without a permission.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";

/** Blob URLs of linked modules. */
export interface BlobModules {
  /** URL of a module. */
  url(path: string): string;
  /** Frees the Blobs. Workers that have loaded them go on. */
  revoke(): void;
}

// Imports and exports of values; those of types lead nowhere in a Blob.
const FROM = /^((?:import|export)\b(?!\s+type\b)[^;'"]*?\bfrom\s*|import\s*)"([^"]+)"/gm;
const TYPES = /^(?:import|export)\s+type\b[^;'"]*?\bfrom\s*"[^"]+";?/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

/** Path of `to` as a module at `from` names it. */
function resolved(from: string, to: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const p of to.split("/")) {
    if (p === "..") parts.pop();
    else if (p !== ".") parts.push(p);
  }
  return parts.join("/");
}

/**
 * Links modules. Relative imports must be among the texts; there may be no circle.
 *
 * @param texts by path; TypeScript for .ts, else JavaScript
 * @throws BpuError("internal") for an import that is not there, or a circle
 */
export function blobModules(texts: ReadonlyMap<string, string>): BlobModules {
  const urls = new Map<string, string>();
  const open = new Set<string>();
  const make = (path: string, importer: string): string => {
    const done = urls.get(path);
    if (done !== undefined) return done;
    const text = texts.get(path);
    if (text === undefined || open.has(path)) {
      const why = text === undefined ? "which is not among the texts" : "in a circle";
      throw new BpuError("internal", `${importer} imports ${path}, ${why}`);
    }
    open.add(path);
    const url = (to: string) =>
      to.startsWith(".") ? JSON.stringify(make(resolved(path, to), path)) : JSON.stringify(to);
    // `deno run --check` and `deno test` would check the texts a second time, without their types.
    const linked = "// @ts-nocheck\n" +
      text.replace(TYPES, "").replace(FROM, (_, head: string, to: string) => `${head}${url(to)}`)
        .replace(DYNAMIC, (_, to: string) => `import(${url(to)})`);
    open.delete(path);
    const type = path.endsWith(".ts") ? "application/typescript" : "text/javascript";
    const made = URL.createObjectURL(new Blob([linked], { type }));
    urls.set(path, made);
    return made;
  };
  return {
    url: (path) => make(path, "the Worker"),
    revoke() {
      for (const u of urls.values()) URL.revokeObjectURL(u);
      urls.clear();
    },
  };
}
