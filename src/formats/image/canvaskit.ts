/**
 * Starts the image codecs (canvaskit) without any permission.
 *
 * Its loader reads its wasm from disk where it finds Node's `process`, and fetches it elsewhere; neither
 * is allowed in a sandbox. The wasm comes through a source-phase import instead, and is handed over where
 * the loader would compile what it fetched.
 *
 * @module
 */

import { type CanvasKit, loadCanvasKit } from "../../deps.ts";
import { BpuError } from "../../errors.ts";

/** Fetching this needs no permission; the answer is recognised by its address and not used. */
const MARKER = "data:application/wasm;base64,AGFzbQEAAAA=";

let started: Promise<CanvasKit> | undefined;

// The package's types describe an ES module, what is loaded is a CommonJS function.
type Init = (options: { locateFile: (file: string) => string }) => Promise<CanvasKit>;

/** The codecs; started once. */
export function canvasKit(): Promise<CanvasKit> {
  started ??= start();
  return started;
}

async function start(): Promise<CanvasKit> {
  // 7 MB of wasm that most runs do not need: loaded with the first JPEG, BMP or WebP.
  const { default: module } = await import("./canvaskit_mod.js");
  const init = (await loadCanvasKit()).default as unknown as Init;
  const process = (globalThis as { process?: { type?: string } }).process;
  const original = WebAssembly.instantiateStreaming;
  const type = process?.type;
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const response = await source;
    if (response.url !== MARKER) return original.call(WebAssembly, response, imports);
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  try {
    // The loader looks at this before its first await: what says "renderer" is not Node.
    if (process !== undefined) process.type = "renderer";
    const loading = init({ locateFile: () => MARKER });
    if (process !== undefined) {
      if (type === undefined) delete process.type;
      else process.type = type;
    }
    return await loading;
  } catch (cause) {
    throw new BpuError("internal", "the image codecs did not start", { cause });
  } finally {
    WebAssembly.instantiateStreaming = original;
  }
}
