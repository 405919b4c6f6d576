import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { join, safeName, withTemporaries, writeFiles } from "./files.ts";
import { inFolder } from "./testing.ts";

async function names(dir: string): Promise<string[]> {
  const all: string[] = [];
  for await (const e of Deno.readDir(dir)) all.push(e.name);
  return all.sort();
}

Deno.test("writeFiles: all files or none, older ones stay when a write fails", async () => {
  await inFolder(
    new Map([["a.bin", "old"], ["b.bin.tmp/x", "a folder where a file must go"]]),
    async (dir) => {
      const bytes = new Uint8Array([1, 2, 3]);
      await rejects(writeFiles(dir, new Map([["a.bin", bytes], ["b.bin", bytes]])));
      equal(await Deno.readTextFile(join(dir, "a.bin")), "old");
      ok(!(await names(dir)).includes("a.bin.tmp"));
      deepEqual(await writeFiles(dir, new Map([["a.bin", bytes]])), [join(dir, "a.bin")]);
      deepEqual(await Deno.readFile(join(dir, "a.bin")), bytes);
    },
  );
});

Deno.test("temporary files go away when the body fails", async () => {
  await inFolder(new Map(), async (dir) => {
    await rejects(withTemporaries(async (announce) => {
      announce(join(dir, "half"));
      await Deno.writeTextFile(join(dir, "half"), "x");
      throw new Error("stop");
    }));
    deepEqual(await names(dir), []);
  });
});

Deno.test({
  name: "an interrupted run leaves no temporary file and ends with 130",
  ignore: Deno.build.os === "windows",
  async fn() {
    const script = `
      import { withTemporaries } from ${JSON.stringify(new URL("files.ts", import.meta.url).href)};
      await withTemporaries(async (announce) => {
        announce("model.bin.tmp");
        announce("calibration_data.tmp");
        await Deno.mkdir("calibration_data.tmp/data", { recursive: true });
        await Deno.writeTextFile("calibration_data.tmp/data/0.npy", "half");
        await Deno.writeTextFile("model.bin.tmp", "half");
        console.log("ready");
        setInterval(() => {}, 2 ** 30);
        await new Promise(() => {});
      });
    `;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      await inFolder(new Map([["run.ts", script], ["kept.bin", "old"]]), async (dir) => {
        const child = new Deno.Command(Deno.execPath(), {
          args: [
            "run",
            "--no-prompt",
            "--quiet",
            "--no-check",
            "--allow-read=.",
            "--allow-write=.",
            "run.ts",
          ],
          cwd: dir,
          stdout: "piped",
          stderr: "null",
        }).spawn();
        const reader = child.stdout.getReader();
        await reader.read();
        child.kill(signal);
        const { code } = await child.status;
        await reader.cancel();
        equal(code, 130);
        deepEqual(await names(dir), ["kept.bin", "run.ts"]);
      });
    }
  },
});

Deno.test("names from a model stay inside their folder", () => {
  deepEqual(
    ["input:0", "a/b\\c", "..", "../x", ".", "", "x.y"].map(safeName),
    ["input:0", "a_b_c", "__", "___x", "_", "", "x.y"],
  );
});

Deno.test("writes that overlap leave each other's temporary files alone", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const bytes = new Uint8Array(200_000);
    await Promise.all(
      Array.from({ length: 24 }, (_, i) => writeFiles(dir, new Map([[`f${i}`, bytes]]))),
    );
    equal([...Deno.readDirSync(dir)].length, 24);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
