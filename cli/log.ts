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

/** Writes log lines. */
export interface Log {
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
  const toFile = (line: string) => handle?.writeSync(encoder.encode(`${line}\n`));
  const write = (level: Level, line: string) => {
    const text = `${timestamp(new Date())} ${level} ${line}`;
    toFile(text);
    if (level === "DEBUG") return;
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
