/**
 * What the user's operators get and give, and the messages between the two sides of the Worker.
 *
 * @module
 */

import type { DType, TensorData } from "../../ir/tensor.ts";

/** A file with operators: TypeScript, JavaScript, or a WebAssembly module that they use. */
export interface OperatorFile {
  /** Name as the user gave it; messages show it. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What user code may take. */
export interface CustomLimits {
  /** Milliseconds for one call of a user function (60 000). */
  readonly timeMs?: number;
  /** Bytes that one call may allocate, and by which the process may grow meanwhile (1 GiB). */
  readonly memoryBytes?: number;
  /**
   * Starts the Worker with Deno's own `permissions: "none"` as well. Only for processes that run with
   * `--unstable-worker-options`: Deno ends a process without that flag, and shows nowhere whether it is
   * there, so that it cannot be tried.
   */
  readonly workerPermissions?: boolean;
}

/** A parameter of an operator: an attribute of its node. */
export type ParamValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | {
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly data: TensorData;
  };

/** A tensor on its way to or from the Worker. */
export interface CustomTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** An operator that a file exports. */
export interface Exported {
  readonly name: string;
  /** Names of its functions. */
  readonly functions: readonly string[];
}

/** A file of user code as the Worker imports it. */
export interface Module {
  readonly file: string;
  readonly url: string;
}

/** Request to the Worker. */
export type CustomRequest =
  | {
    readonly id: number;
    readonly kind: "boot";
    readonly modules: readonly Module[];
    readonly wasm: ReadonlyMap<string, WebAssembly.Module>;
    readonly memoryBytes: number;
  }
  | {
    readonly id: number;
    readonly kind: "call";
    readonly module: number;
    readonly operator: string;
    readonly function: string;
    readonly args: readonly unknown[];
  };

/** Its answer. */
export type CustomAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string; readonly stack: string; readonly limit: boolean }
  | { readonly log: string };
