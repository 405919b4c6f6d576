/**
 * What every command shares: one sentence per error, exit codes, `--debug`.
 *
 * @module
 */

import { BpuError, exitCodes, sentenceOf } from "../src/errors.ts";
import { Command, CommanderError } from "../src/deps.ts";
import { version } from "../src/flow/version.ts";

/** A command with help and errors that need no environment access. */
export function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .exitOverride()
    .allowExcessArguments(false)
    .showHelpAfterError("(add --help for the options)")
    .configureOutput({
      getOutHasColors: () => !Deno.noColor && Deno.stdout.isTerminal(),
      getErrHasColors: () => !Deno.noColor && Deno.stderr.isTerminal(),
    });
}

/** The top of a tool: `--version` and `--debug`. */
export function tool(name: string, description: string): Command {
  return command(name, description).version(`${name} version ${version}`, "--version");
}

/**
 * Joins the two words of options like `--input-shape data 1x3x224x224` into one (`data=1x3x224x224`),
 * so that such an option can be repeated.
 */
export function joinPairs(args: readonly string[], flags: ReadonlySet<string>): string[] {
  const out: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const a = args[i]!;
    out.push(a);
    if (!flags.has(a)) continue;
    const key = args[i + 1], value = args[i + 2];
    if (
      key === undefined || value === undefined || key.startsWith("--") || value.startsWith("--")
    ) {
      throw new BpuError("usage", `${a} takes two values, a name and a value`, {
        hint: `For example: ${a} data ${a.includes("shape") ? "1x3x224x224" : "data.npy"}.`,
      });
    }
    out.push(`${key}\u0000${value}`);
    i += 2;
  }
  return out;
}

/** Collects pairs made by {@linkcode joinPairs}. */
export function collectPair(value: string, before: Map<string, string>): Map<string, string> {
  const [key, v] = value.split("\u0000");
  if (v === undefined) throw new BpuError("usage", `'${value}' needs a second value`);
  return new Map([...before, [key!, v]]);
}

/** Runs a tool and ends the process with its exit code. */
export async function main(
  build: () => Command,
  args: readonly string[],
  pairs: ReadonlySet<string> = new Set(),
): Promise<never> {
  const debug = args.includes("--debug");
  try {
    await build().parseAsync(joinPairs(args, pairs), { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version are no failures; commander has printed its sentence already.
      Deno.exit(error.exitCode === 0 ? 0 : exitCodes.usage);
    }
    const known = error instanceof BpuError;
    console.error(`ERROR ${sentenceOf(error)}`);
    if (!known) {
      console.error(
        "This is a defect of bpukit; run again with --debug and report what it prints.",
      );
    }
    if (debug) console.error(error);
    Deno.exit(known ? exitCodes[error.code] : exitCodes.internal);
  }
  Deno.exit(0);
}
