/**
 * `hb_mapper config`: checks a yaml, prints a template.
 *
 * @module
 */

import type { Command } from "../../src/deps.ts";
import { BpuError } from "../../src/errors.ts";
import {
  configJsonSchema,
  configTemplate,
  issueText,
  normalisedJson,
  parseConfig,
} from "../../src/formats/config/mod.ts";
import { command } from "../app.ts";
import { readText } from "../files.ts";

interface Flags {
  readonly check?: string;
  readonly template?: true;
  readonly schema?: true;
  readonly modelType?: "onnx" | "caffe";
}

/** `hb_mapper config --check FILE | --template`. */
export function configCommand(): Command {
  return command("config", "Checks a configuration file, or prints a template for one.")
    .option("--check <yaml>", "print the normalised configuration as JSON; problems go to stderr")
    .option("--template", "print a commented template")
    .option("--schema", "print a JSON Schema for editors")
    .option("--model-type <type>", "onnx or caffe")
    .option("--debug", "show stack traces of errors")
    .addHelpText("after", "\nExample:\n  hb_mapper config --check config.yaml")
    .action(async (flags: Flags) => {
      if (flags.schema === true) {
        console.log(JSON.stringify(configJsonSchema(), null, 2));
        return;
      }
      if (flags.template !== undefined) {
        console.log(configTemplate(flags.modelType ?? "onnx"));
        return;
      }
      if (flags.check === undefined) {
        throw new BpuError("usage", "config needs --check FILE or --template");
      }
      const { config, warnings } = parseConfig(await readText(flags.check, "config"), {
        file: flags.check,
        template: true,
        ...(flags.modelType === undefined ? {} : { modelType: flags.modelType }),
      });
      for (const w of warnings) console.error(`WARNING ${issueText(w)}`);
      console.log(JSON.stringify(normalisedJson(config), null, 2));
    });
}
