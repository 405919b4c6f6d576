/**
 * Log of a command: console lines with time and level on stderr or stdout, and a log file in the
 * working directory when it may be written.
 *
 * @module
 */

/** Levels of log lines. */
export type Level = "DEBUG" | "INFO" | "WARNING" | "ERROR";

const two = (n: number, width = 2) => String(n).padStart(width, "0");

/** `2021-04-21 11:13:08,337`, local time. */
export function timestamp(d: Date): string {
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ` +
    `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())},${
      two(d.getMilliseconds(), 3)
    }`;
}

/** Where in the program a log line comes from. */
export interface Site {
  readonly file: string;
  readonly func: string;
  readonly line: string;
}

/** Frames of a stack that lie above the one that logs: this file's own. */
const OWN = /[/\\]cli[/\\]log\.ts(:\d+)*\)?$/;

/** The nearest frame outside of this file in an error's stack. */
export function siteOf(stack: string | undefined): Site {
  for (const frame of (stack ?? "").split("\n").slice(1)) {
    if (OWN.test(frame)) continue;
    const m = /^\s*at (?:async )?(?:(.*?) \()?(.*?):(\d+):\d+\)?$/.exec(frame);
    if (m === null) continue;
    const file = m[2]!.replace(/^.*[/\\]/, "");
    const func = (m[1] ?? "").replace(/^(Object|Command)\./, "").replace(/ \[as .*$/, "");
    return { file, func: func === "" ? file.replace(/\.ts$/, "") : func, line: m[3]! };
  }
  return { file: "?", func: "?", line: "0" };
}

/** `2024-04-11 14:43:34,521 file: a.ts func: run line No: 317 MESSAGE`. */
export function fileLine(time: Date, site: Site, level: Level, message: string): string {
  const text = level === "INFO" || level === "DEBUG" ? message : `${level} ${message}`;
  return `${timestamp(time)} file: ${site.file} func: ${site.func} line No: ${site.line} ${text}`;
}

/** `2021-04-21 11:13:08,337 INFO MESSAGE`. */
export function consoleLine(time: Date, level: Level, message: string): string {
  return `${timestamp(time)} ${level} ${message}`;
}

/** Writes log lines. */
export interface Log {
  /** The file only. */
  debug(line: string): void;
  info(line: string): void;
  warning(line: string): void;
  error(line: string): void;
  /** A line without time and level (tables). */
  plain(line: string): void;
  close(): void;
}

/**
 * Opens a log.
 *
 * @param file log file, overwritten; left out where it cannot be written
 * @param quiet no lines on stdout (`--json`)
 */
export function openLog(file: string | undefined, quiet: boolean): Log {
  let handle: Deno.FsFile | undefined;
  try {
    if (file !== undefined) {
      handle = Deno.openSync(file, { write: true, create: true, truncate: true });
    }
  } catch {
    handle = undefined; // Without write permission there is no log file; the console has it all.
  }
  const encoder = new TextEncoder();
  const toFile = (text: string) => {
    const bytes = encoder.encode(`${text}\n`);
    for (let at = 0; handle !== undefined && at < bytes.length;) {
      at += handle.writeSync(bytes.subarray(at));
    }
  };
  const write = (level: Level, message: string) => {
    const now = new Date();
    if (handle !== undefined) {
      toFile(fileLine(now, siteOf(new Error().stack), level, message));
    }
    if (level === "DEBUG") return;
    const text = consoleLine(now, level, message);
    if (level === "ERROR" || level === "WARNING") console.error(text);
    else if (!quiet) console.log(text);
  };
  return {
    debug: (line) => write("DEBUG", line),
    info: (line) => write("INFO", line),
    warning: (line) => write("WARNING", line),
    error: (line) => write("ERROR", line),
    plain(line) {
      toFile(line);
      if (!quiet) console.log(line);
    },
    close() {
      handle?.close();
      handle = undefined;
    },
  };
}

/** The path of a log file as the user sees it; its name alone where the folder may not be read. */
export function logPath(file: string): string {
  try {
    return `${Deno.cwd()}/${file}`;
  } catch {
    return file;
  }
}

/** Progress on stderr: one line that is rewritten on a terminal, and nothing elsewhere. */
export function progress(what: string): (done: number, total: number) => void {
  const terminal = Deno.stderr.isTerminal();
  let last = 0;
  return (done, total) => {
    const now = performance.now();
    if (!terminal || (done < total && now - last < 100)) return;
    last = now;
    const end = done >= total ? "\n" : "";
    Deno.stderr.writeSync(new TextEncoder().encode(`\r${what}: ${done}/${total}${end}`));
  };
}
