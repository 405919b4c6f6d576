/**
 * The inside of the Worker that runs user code. Before any of that code is loaded, everything that
 * reaches out of the Worker is taken away: Deno, process, fetch, Workers, timers, storage, and the makers
 * of functions from text. What is left is the language, typed arrays and WebAssembly.
 *
 * The text of {@linkcode serveCustom} is the Worker's program, so it is **self-contained**: no import and
 * no name of this module except types.
 *
 * @module
 */

import type { CustomAnswer, CustomRequest, Exported } from "./types.ts";

/** The scope of a Worker, as far as it is used here. */
export interface CustomScope {
  addEventListener(kind: "message", on: (event: MessageEvent<CustomRequest>) => void): void;
  postMessage(message: CustomAnswer): void;
}

/** Takes away what reaches out, then answers requests. */
export function serveCustom(scope: CustomScope): void {
  const send = scope.postMessage.bind(scope);
  const listen = scope.addEventListener.bind(scope);

  class LimitError extends Error {}
  let budget = Infinity;
  let limit = Infinity;
  let lines = 0;
  const take = (bytes: number): void => {
    if (!(bytes > 0)) return;
    budget -= bytes;
    if (budget < 0) {
      throw new LimitError(`the operator allocates more than ${Math.round(limit / 2 ** 20)} MiB`);
    }
  };

  const keep = new Set(
    ("Object Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date " +
      "Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError " +
      "URIError globalThis JSON Math Intl ArrayBuffer Uint8Array Int8Array Uint16Array Int16Array " +
      "Uint32Array Int32Array BigUint64Array BigInt64Array Uint8ClampedArray Float16Array " +
      "Float32Array Float64Array DataView Map BigInt Set Iterator WeakMap WeakSet Proxy Reflect " +
      "isFinite isNaN decodeURI decodeURIComponent encodeURI encodeURIComponent atob btoa " +
      "TextDecoder TextEncoder WebAssembly").split(" "),
  );
  // deno-lint-ignore ban-types -- constructors of every kind are replaced
  type Maker = Function & { prototype: object };
  const global = globalThis as unknown as Record<string, unknown>;
  const fix = (target: object, key: PropertyKey, value: unknown) => {
    try {
      Object.defineProperty(target, key, { value, writable: false, configurable: false });
    } catch {
      // What cannot be replaced is one of the constants (Infinity, NaN, undefined).
    }
  };
  const noText = function (): never {
    throw new EvalError("code from text is not allowed in custom operators");
  };

  const close = (): void => {
    // The four makers of functions from text hang on every function's prototype.
    for (
      const f of [function () {}, async function () {}, function* () {}, async function* () {}]
    ) fix(Object.getPrototypeOf(f), "constructor", noText);
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (keep.has(name)) continue;
      if (!Reflect.deleteProperty(globalThis, name) || name in globalThis) {
        fix(globalThis, name, undefined);
      }
    }
    // Allocation of array memory is counted; V8 itself bounds ordinary objects.
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      const real = global[name] as Maker & { BYTES_PER_ELEMENT?: number };
      const size = typeof real === "function" ? real.BYTES_PER_ELEMENT : undefined;
      if (size === undefined && name !== "ArrayBuffer") continue;
      const counted: Maker = new Proxy(real, {
        construct(target, args: unknown[], made) {
          const first = args[0];
          const options = args[1] as { maxByteLength?: number } | undefined;
          if (name === "ArrayBuffer") take(Math.max(Number(first), options?.maxByteLength ?? 0));
          else if (typeof first === "number") take(first * size!);
          else if (!(first instanceof ArrayBuffer)) {
            take(Number((first as { length?: number } | undefined)?.length ?? 0) * size!);
          }
          return Reflect.construct(target, args, made === counted ? target : made);
        },
      });
      fix(real.prototype, "constructor", counted);
      fix(globalThis, name, counted);
    }
    for (const name of ["resize", "transfer", "transferToFixedLength"]) {
      const proto = ArrayBuffer.prototype as unknown as Record<string, Maker | undefined>;
      const real = proto[name];
      if (real === undefined) continue;
      fix(proto, name, function (this: ArrayBuffer, ...args: unknown[]) {
        take(Number(args[0] ?? 0));
        return Reflect.apply(real, this, args);
      });
    }
    const memory = WebAssembly.Memory;
    const page = 65536;
    const countedMemory: typeof memory = new Proxy(memory, {
      construct(target, args: [WebAssembly.MemoryDescriptor], made) {
        take(Number(args[0]?.initial ?? 0) * page);
        return Reflect.construct(target, args, made === countedMemory ? target : made);
      },
    });
    fix(memory.prototype, "constructor", countedMemory);
    fix(WebAssembly, "Memory", countedMemory);
    const grow = memory.prototype.grow;
    fix(memory.prototype, "grow", function (this: WebAssembly.Memory, pages: number) {
      take(pages * page);
      return Reflect.apply(grow, this, [pages]);
    });
    const say = (...values: unknown[]) => {
      if (lines++ < 100) send({ log: values.map(String).join(" ").slice(0, 2000) });
    };
    fix(globalThis, "console", { log: say, info: say, warn: say, error: say, debug: say });
  };

  const modules: ReadonlyMap<string, Record<string, unknown>>[] = [];
  let wasm: ReadonlyMap<string, WebAssembly.Module> = new Map();

  const isOperator = (v: unknown): v is Record<string, unknown> =>
    (typeof v === "object" || typeof v === "function") && v !== null &&
    typeof (v as Record<string, unknown>).compute === "function";

  const boot = async (m: CustomRequest & { kind: "boot" }): Promise<Exported[][]> => {
    limit = m.memoryBytes;
    wasm = m.wasm;
    close();
    budget = limit;
    const all: Exported[][] = [];
    for (const { url } of m.modules) {
      const found = await import(url) as Record<string, unknown>;
      const operators = new Map<string, Record<string, unknown>>();
      const exported: Exported[] = [];
      for (const name of Object.keys(found)) {
        const v = found[name];
        if (!isOperator(v)) continue;
        operators.set(name, v);
        const functions: string[] = [];
        for (const f of Object.keys(v)) if (typeof v[f] === "function") functions.push(f);
        exported.push({ name, functions });
      }
      modules.push(operators);
      all.push(exported);
    }
    return all;
  };

  const call = async (m: CustomRequest & { kind: "call" }): Promise<unknown> => {
    budget = limit;
    lines = 0;
    const operator = modules[m.module]!.get(m.operator)!;
    const f = operator[m.function] as (...args: unknown[]) => unknown;
    return await Reflect.apply(f, operator, [...m.args, { wasm }]);
  };

  listen("message", async ({ data }) => {
    try {
      send({ id: data.id, value: data.kind === "boot" ? await boot(data) : await call(data) });
    } catch (e) {
      const error = e instanceof Error ? e : undefined;
      send({
        id: data.id,
        error: String(error?.message ?? e),
        stack: String(error?.stack ?? ""),
        limit: error instanceof LimitError || error instanceof RangeError &&
            /allocation|Invalid (typed )?array/i.test(error.message),
      });
    }
  });
}
