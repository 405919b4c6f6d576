/**
 * The Worker with user code, seen from outside: start, calls with time and memory limits, errors with
 * the user's file and line.
 *
 * @module
 */

import { BpuError } from "../../errors.ts";
import type { ErrorPlace } from "../../errors.ts";
import { checkSource } from "./guard.ts";
import type {
  CustomAnswer,
  CustomLimits,
  CustomRequest,
  Exported,
  Module,
  OperatorFile,
} from "./types.ts";
import { serveCustom } from "./worker.ts";

/** An operator that was found in a file. */
export interface FoundOperator extends Exported {
  /** Index of its module. */
  readonly module: number;
  readonly file: string;
  /** Line of its definition, where it can be told. */
  readonly line: number | undefined;
}

/** A running Worker. */
export interface Sandbox {
  readonly operators: readonly FoundOperator[];
  /**
   * Calls a function of an operator.
   *
   * @param place node and operator for messages
   * @throws BpuError `runtime` (the code failed), `limit` (time, memory)
   */
  call(
    operator: FoundOperator,
    name: string,
    args: readonly unknown[],
    place: ErrorPlace,
  ): Promise<unknown>;
  close(): void;
}

type Draft<T = CustomRequest> = T extends CustomRequest ? Omit<T, "id"> : never;

interface Waiting {
  readonly place: ErrorPlace;
  ok(value: unknown): void;
  fail(error: Error): void;
}

const MIB = 2 ** 20;
const DEFAULT_TIME = 60_000;
const DEFAULT_MEMORY = 1024 * MIB;

function limitOf(value: number | undefined, fallback: number, name: string): number {
  if (value === undefined) return fallback;
  if (Number.isFinite(value) && value > 0) return value;
  throw new BpuError("usage", `${name} must be a positive number, not ${value}`);
}

/** Options of the Worker; the one of Deno is not in the types of the Web. */
function workerOptions(none: boolean): WorkerOptions {
  const options: WorkerOptions & { deno?: { permissions: "none" } } = { type: "module" };
  if (none) options.deno = { permissions: "none" };
  return options;
}

/** Memory of the process in bytes, where it can be told. */
function residentBytes(): number | undefined {
  return typeof Deno === "undefined" ? undefined : Deno.memoryUsage().rss;
}

function textOf(f: OperatorFile): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(f.bytes);
  } catch (cause) {
    throw new BpuError("format", "the file is not UTF-8 text", { file: f.file, cause });
  }
}

/** `kernel.wasm` of `ops/kernel.wasm`. */
const baseName = (file: string) => file.slice(Math.max(file.lastIndexOf("/"), -1) + 1);

async function wasmOf(f: OperatorFile): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(f.bytes as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    throw new BpuError("format", "the file is no WebAssembly module", { file: f.file, cause });
  }
}

function definitionLine(text: string, name: string): number | undefined {
  const lines = text.split("\n");
  const at = lines.findIndex((l) =>
    /^\s*(?:export|const|let|class|function)\b/.test(l) &&
    l.split(/[^\w$]+/).includes(name)
  );
  return at < 0 ? undefined : at + 1;
}

/** File, line and column of the first frame in user code. */
function locate(modules: readonly Module[], text: string): ErrorPlace {
  let best: { at: number; place: ErrorPlace } | undefined;
  for (const { url, file } of modules) {
    for (let at = text.indexOf(url); at >= 0; at = text.indexOf(url, at + 1)) {
      const m = /^:(\d+):(\d+)/.exec(text.slice(at + url.length));
      if (m === null || (best !== undefined && best.at < at)) continue;
      best = { at, place: { file, line: Number(m[1]), column: Number(m[2]) } };
      break;
    }
  }
  return best?.place ?? {};
}

/** The message without addresses of the Worker and without a source excerpt. */
function clean(modules: readonly Module[], message: string): string {
  let text = message.split("\n")[0]!;
  for (const { url, file } of modules) text = text.replaceAll(url, file);
  return text.replace(/^The module's source code could not be parsed: /, "")
    .replace(/ at \S+:\d+:\d+$/, "").trim();
}

/**
 * Starts a Worker with user code.
 *
 * @throws BpuError `format` for files that are no code, `unsupported` for imports, `runtime` when
 * loading a file throws
 */
export async function openSandbox(
  files: readonly OperatorFile[],
  limits: CustomLimits = {},
  log?: (line: string) => void,
): Promise<Sandbox> {
  const timeMs = limitOf(limits.timeMs, DEFAULT_TIME, "timeMs");
  const memoryBytes = limitOf(limits.memoryBytes, DEFAULT_MEMORY, "memoryBytes");
  const wasm = new Map<string, WebAssembly.Module>();
  const modules: Module[] = [];
  const texts: string[] = [];
  for (const f of files) {
    if (/\.wasm$/i.test(f.file)) {
      wasm.set(baseName(f.file).replace(/\.wasm$/i, ""), await wasmOf(f));
      continue;
    }
    const kind = /\.(m?js|m?ts)$/i.exec(f.file)?.[1]?.toLowerCase();
    if (kind === undefined) {
      throw new BpuError("unsupported", "custom operators are .ts, .js or .wasm files", {
        file: f.file,
        hint: /\.py$/i.test(f.file)
          ? "Python cannot be run here: make a template with hb_custom_op create and port it."
          : "Make a template with hb_custom_op create.",
      });
    }
    const text = textOf(f);
    checkSource(text, f.file);
    const type = kind.endsWith("ts") ? "application/typescript" : "text/javascript";
    modules.push({ file: f.file, url: URL.createObjectURL(new Blob([text], { type })) });
    texts.push(text);
  }
  const program = URL.createObjectURL(
    new Blob([`(${serveCustom})(globalThis);\n`], { type: "text/javascript" }),
  );
  const worker = new Worker(program, workerOptions(limits.workerPermissions === true));
  const waiting = new Map<number, Waiting>();
  let count = 0;
  let ended: BpuError | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const end = (error: (place: ErrorPlace) => BpuError) => {
    worker.terminate();
    ended ??= error({});
    for (const w of waiting.values()) w.fail(error(w.place));
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<CustomAnswer>) => {
    if ("log" in data) return log?.(data.log);
    const w = waiting.get(data.id);
    waiting.delete(data.id);
    if (w === undefined) return;
    if (!("error" in data)) return w.ok(data.value);
    const at = locate(modules, `${data.error}\n${data.stack}`);
    w.fail(
      new BpuError(data.limit ? "limit" : "runtime", clean(modules, data.error), {
        ...w.place,
        ...at,
      }),
    );
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const at = locate(modules, `${event.message}\n${event.filename}:${event.lineno}:1`);
    end((place) => new BpuError("runtime", clean(modules, event.message), { ...place, ...at }));
  };
  worker.onmessageerror = () =>
    end((place) => new BpuError("runtime", "the result cannot be sent out of the Worker", place));

  const ask = (draft: Draft, place: ErrorPlace): Promise<unknown> =>
    new Promise((ok, fail) => {
      if (ended !== undefined) {
        return fail(new BpuError(ended.code, ended.message, { ...ended.place, ...place }));
      }
      const id = count++;
      const before = residentBytes();
      const hint = "Custom operators have limits of time and memory for each call.";
      const timer = setTimeout(() => {
        end((p) => new BpuError("limit", `no result after ${timeMs / 1000} s`, { ...p, hint }));
      }, timeMs);
      const watch = before === undefined ? undefined : setInterval(() => {
        if (residentBytes()! - before < memoryBytes) return;
        const size = `${Math.round(memoryBytes / MIB)} MiB`;
        end((p) => new BpuError("limit", `it takes more than ${size} of memory`, { ...p, hint }));
      }, 50);
      const settle = () => {
        clearTimeout(timer);
        clearInterval(watch);
      };
      waiting.set(id, {
        place,
        ok(value) {
          settle();
          ok(value);
        },
        fail(error) {
          settle();
          fail(error);
        },
      });
      worker.postMessage({ ...draft, id });
    });
  const close = () => {
    end((place) => new BpuError("usage", "the custom operators are closed", place));
    for (const { url } of modules) URL.revokeObjectURL(url);
    URL.revokeObjectURL(program);
  };

  let exported: Exported[][];
  try {
    exported = await ask({ kind: "boot", modules, wasm, memoryBytes }, {
      ...(modules.length === 1 ? { file: modules[0]!.file } : {}),
    }) as Exported[][];
  } catch (error) {
    close();
    throw error;
  }
  return {
    operators: exported.flatMap((list, module) =>
      list.map((e): FoundOperator => ({
        ...e,
        module,
        file: modules[module]!.file,
        line: definitionLine(texts[module]!, e.name),
      }))
    ),
    // One call at a time: limits of time and memory are those of that call.
    call(operator, name, args, place) {
      const turn = last.then(() =>
        ask(
          { kind: "call", module: operator.module, operator: operator.name, function: name, args },
          place,
        )
      );
      last = turn.catch(() => {});
      return turn;
    },
    close,
  };
}
