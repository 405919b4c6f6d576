/**
 * `hb_mapper`: checks, converts and runs models.
 *
 *     deno run --allow-read --allow-write=WORKING_DIR cli/hb_mapper.ts makertbin -c config.yaml --model-type onnx
 *
 * @module
 */

import { main, tool } from "./app.ts";
import { checkerCommand } from "./hb_mapper/checker.ts";
import { configCommand } from "./hb_mapper/config.ts";
import { inferCommand } from "./hb_mapper/infer.ts";
import { makertbinCommand } from "./hb_mapper/makertbin.ts";

if (import.meta.main) {
  await main(
    () =>
      tool("hb_mapper", "Checks, converts and runs models for Horizon BPU-class accelerators.")
        .addCommand(checkerCommand())
        .addCommand(makertbinCommand())
        .addCommand(inferCommand())
        .addCommand(configCommand()),
    Deno.args,
    new Set(["--input-shape", "-i", "--image-file"]),
  );
}
