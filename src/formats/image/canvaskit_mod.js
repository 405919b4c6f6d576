// @ts-self-types="./canvaskit_mod.d.ts"
import source module from "npm:canvaskit-wasm@0.42.0/bin/canvaskit.wasm";
export default module;
