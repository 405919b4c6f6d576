/**
 * `hb_custom_op`: templates of custom operators.
 *
 *     deno run --allow-write=. cli/hb_custom_op.ts create
 *
 * @module
 */

import type { Command } from "../src/deps.ts";
import { BpuError } from "../src/errors.ts";
import { isOperatorName, templateOf } from "../src/run/custom/template.ts";
import { command, main, tool } from "./app.ts";

interface Flags {
  readonly name: string;
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

async function create(flags: Flags): Promise<void> {
  if (!isOperatorName(flags.name)) {
    throw new BpuError("usage", `'${flags.name}' cannot be the name of an operator`, {
      hint: "Use letters, digits and _, no digit first.",
    });
  }
  if (!/\.ts$/.test(flags.output)) {
    throw new BpuError(
      "usage",
      `the template is TypeScript, '${flags.output}' does not end in .ts`,
    );
  }
  const text = templateOf(flags.name).replaceAll(
    "sample_custom.ts",
    flags.output.slice(flags.output.lastIndexOf("/") + 1),
  );
  try {
    await Deno.writeTextFile(flags.output, text, flags.force ? {} : { createNew: true });
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw new BpuError("file", `${flags.output} exists`, {
        hint: "Name another file with --output, or add --force to replace it.",
      });
    }
    const refused = cause instanceof Deno.errors.NotCapable;
    throw new BpuError("file", `${flags.output} cannot be written`, {
      hint: refused ? "Add its folder to --allow-write." : "Check that its folder exists.",
      cause,
    });
  }
  if (flags.json) console.log(JSON.stringify({ operator: flags.name, file: flags.output }));
  else console.log(`${flags.output} is the template of the operator ${flags.name}`);
}

/** `hb_custom_op create`. */
export function createCommand(): Command {
  return command("create", "Writes a TypeScript template of a custom operator.")
    .option("-n, --name <name>", "name of the operator (class_name of its nodes)", "Sample")
    .option("-o, --output <file>", "file to write", "sample_custom.ts")
    .option("--force", "replace the file where it exists")
    .option("--json", "print the result as one JSON object")
    .option("--debug", "show stack traces of errors")
    .addHelpText(
      "after",
      "\nExample:\n  hb_custom_op create --name Sample --output custom_op/sample_custom.ts",
    )
    .action(create);
}

if (import.meta.main) {
  await main(
    () =>
      tool("hb_custom_op", "Makes templates of operators that a model needs and bpukit lacks.")
        .addCommand(createCommand()),
    Deno.args,
  );
}
