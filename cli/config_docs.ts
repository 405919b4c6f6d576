/**
 * Writes docs/config.md from the schema: `deno run --allow-write=docs cli/config_docs.ts`.
 *
 * @module
 */

import { configMarkdown } from "../src/formats/config/mod.ts";

if (import.meta.main) {
  await Deno.writeTextFile(new URL("../docs/config.md", import.meta.url), configMarkdown());
}
