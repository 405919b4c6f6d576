/**
 * `hrt_model_exec`: runs, measures and describes a `.bin` on the bpukit runtime, with the flags and the
 * output of the board's tool.
 *
 *     deno run --allow-read --allow-write=. cli/hrt_model_exec.ts infer --model_file m.bin --input_file x.bin
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { Option } from "../src/deps.ts";
import { inferCommand } from "./hrt_model_exec/infer.ts";
import { modelInfoCommand } from "./hrt_model_exec/model_info.ts";
import { perfCommand } from "./hrt_model_exec/perf.ts";
import { command, main } from "./app.ts";
import { version } from "../src/flow/version.ts";

/** `hrt_model_exec`. */
export function modelExecCommand(): Command {
  return command("hrt_model_exec", "Runs, measures and describes a .bin on the bpukit runtime.")
    .version(`hrt_model_exec version ${version}`, "-v, --version")
    .addOption(new Option("--debug", "show stack traces of errors"))
    .addCommand(modelInfoCommand())
    .addCommand(inferCommand())
    .addCommand(perfCommand());
}

/**
 * Flags as gflags takes them: one dash or two, `_` or `-` in the name, `--noflag` for `--flag=false`.
 */
export function gflags(args: readonly string[]): string[] {
  const booleans =
    /^--no(enable_dump|roi_infer|hybrid_dequantize_process|enable_cls_post_process)$/;
  return args.map((a) => {
    const m = /^--?([A-Za-z][\w-]+)(=[^]*)?$/.exec(a);
    if (m === null) return a;
    return `--${m[1]!.replaceAll("-", "_")}${m[2] ?? ""}`.replace(booleans, "--$1=false");
  });
}

if (import.meta.main) await main(modelExecCommand, gflags(Deno.args));
