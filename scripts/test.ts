/**
 * The whole test suite: unit tests, doc examples, commands as processes. `deno task test [filter...]`.
 *
 * @module
 */

const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    "test",
    "-A",
    "--doc",
    "--parallel",
    ...(Deno.args.length > 0 ? Deno.args : ["src/", "cli/", "docs/", "examples/", "mod.ts"]),
  ],
  cwd: new URL("../", import.meta.url),
  stdout: "inherit",
  stderr: "inherit",
}).output();
Deno.exit(code);
