import { deepEqual, equal, match } from "node:assert/strict";
import { consoleLine, fileLine, openLog, siteOf } from "./log.ts";
import { inFolder } from "./testing.ts";

const time = new Date(2024, 3, 11, 14, 43, 34, 521);

Deno.test("log: lines of the file and of the console have the original's form", () => {
  const site = { file: "job.ts", func: "openJob", line: "317" };
  equal(
    fileLine(time, site, "INFO", "MESSAGE"),
    "2024-04-11 14:43:34,521 file: job.ts func: openJob line No: 317 MESSAGE",
  );
  equal(
    fileLine(time, site, "WARNING", "odd"),
    "2024-04-11 14:43:34,521 file: job.ts func: openJob line No: 317 WARNING odd",
  );
  equal(consoleLine(time, "INFO", "MESSAGE"), "2024-04-11 14:43:34,521 INFO MESSAGE");
});

Deno.test("log: the place is the first frame outside of the log, whatever the frame looks like", () => {
  const own = "    at Object.info (file:///p/cli/log.ts:10:5)\n";
  const frames: [string, string[]][] = [
    ["    at run (file:///p/cli/a.ts:7:1)", ["a.ts", "run", "7"]],
    ["    at async openJob (https://h/x/job.ts:12:3)", ["job.ts", "openJob", "12"]],
    ["    at file:///p/b.ts:3:9", ["b.ts", "b", "3"]],
    ["    at Object.stage [as s] (file:///C:/p/c.ts:4:9)", ["c.ts", "stage", "4"]],
  ];
  for (const [frame, want] of frames) {
    const s = siteOf(`Error\n${own}${frame}\n    at later (file:///p/z.ts:1:1)`);
    deepEqual([s.file, s.func, s.line], want);
  }
  equal(siteOf(undefined).file, "?");
});

Deno.test("log: the file has every line, also those that the console leaves out", async () => {
  await inFolder(new Map(), async (dir) => {
    const log = openLog(`${dir}/x.log`, true);
    log.info("one");
    log.debug("two");
    log.plain("=====");
    log.close();
    const text = await Deno.readTextFile(`${dir}/x.log`);
    match(text, /file: log_test\.ts func: \S+ line No: \d+ one\n.* two\n=====\n$/);
  });
});
