/**
 * Runs a command as a user does: a process with the permissions that it is said to need, no prompts.
 *
 * @module
 */

/** What a command did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `cli/<name>.ts` in a folder. */
export async function runTool(
  name: string,
  permissions: readonly string[],
  args: readonly string[],
  cwd: string,
): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      ...permissions,
      new URL(`${name}.ts`, import.meta.url).href,
      ...args,
    ],
    cwd,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (b: Uint8Array) => new TextDecoder().decode(b);
  return { code, out: text(stdout), err: text(stderr) };
}

/** A temporary folder with files; removed when `body` ends. */
export async function inFolder(
  files: ReadonlyMap<string, Uint8Array | string>,
  body: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "bpukit_" }));
  try {
    for (const [name, content] of files) {
      const path = `${dir}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      if (typeof content === "string") await Deno.writeTextFile(path, content);
      else await Deno.writeFile(path, content);
    }
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
