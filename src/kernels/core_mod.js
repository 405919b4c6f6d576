// @ts-self-types="./core_mod.d.ts"
import source core from "../../core-as/build/core.wasm";
export default core;
